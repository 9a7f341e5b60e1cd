//! What it costs to verify the bytes of objects that have no checksum.

use std::path::Path;

use local::{Cloud, Options};
use serde_json::Value;
use tokio::process::Command;

use crate::Failed;

/// So many objects of so many bytes: a gigabyte.
const OBJECTS: u64 = 128;
const OBJECT_BYTES: usize = 8_000_000;

/// Verifies a gigabyte in objects, each time in a process of its own: this program, asked for `objects`.
pub async fn measure(runs: u32) -> Result<Vec<Value>, Failed> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await?;
    let environment = cloud.operator_environment().clone();
    let lookup = |name: &str| environment.get(name).cloned();
    let s3 = s3(&lookup)?;
    let bucket = lookup("APPENDICES_BUCKET").ok_or("APPENDICES_BUCKET is not set")?;
    for n in 0..OBJECTS {
        let key = format!("01KEZ00000CSTMRAAAAAAAAAAA/01KEZR{n:020}/01KEZ00000APPNDXAAAAAAAAAA/1");
        let bytes = vec![u8::try_from(n)?; OBJECT_BYTES];
        s3.put_object().bucket(&bucket).key(key).body(bytes.into()).send().await?;
    }
    let mut measured = Vec::new();
    for turn in 0..=runs {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("objects").env_clear().envs(&environment);
        let seen = crate::measured(command).await?;
        if turn > 0 {
            measured.push(seen);
        }
    }
    Ok(measured)
}

fn s3(lookup: &dyn Fn(&str) -> Option<String>) -> Result<aws_sdk_s3::Client, Failed> {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    let name = |name: &str| lookup(name).ok_or_else(|| format!("{name} is not set"));
    let (key, secret) = (name("AWS_ACCESS_KEY_ID")?, name("AWS_SECRET_ACCESS_KEY")?);
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "bench"))
        .endpoint_url(name("AWS_ENDPOINT_URL_S3")?)
        .force_path_style(true)
        .http_client(runtime::HttpClient::plain());
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

/// What that comes to.
pub fn report(measured: &[Value]) -> String {
    let gigabytes = OBJECTS as f64 * OBJECT_BYTES as f64 / 1e9;
    let mean = |name: &str| {
        measured.iter().filter_map(|it| it[name].as_f64()).sum::<f64>() / measured.len() as f64
    };
    let (cpu, wall) = (mean("processor") / gigabytes, mean("seconds") / gigabytes);
    format!(
        "
## Bytes without a checksum

AWS does not say that a restored object keeps its checksum: then every byte is read and hashed. {OBJECTS} objects
of {} MB each, from the local S3, without TLS.

| processor, a GB | wall clock, a GB | memory |
|--:|--:|--:|
| {cpu:.2} s | {wall:.2} s | {:.1} MiB |

By that, and by 75 MB/s, which is what a Lambda function is commonly given of the network, 1 TB is {:.0} hours of one
function, and {:.0} minutes of 100: `VerificationSegments`.
",
        OBJECT_BYTES / 1_000_000,
        mean("peak_kib") / 1024.0,
        1e12 / 75e6 / 3600.0,
        1e12 / 75e6 / 60.0 / 100.0,
    )
}
