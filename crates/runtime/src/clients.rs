//! SDK clients, built without asking anyone: Region and credentials are in the environment that
//! Lambda sets, so no profile file, no instance metadata and no endpoint discovery is tried. See
//! docs/decisions/0002-lean-initialisation.md.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_types::SdkConfig;

use crate::{ConfigError, Env};

pub use aws_sdk_backup::Client as BackupClient;

/// One store call must leave time for another within a function's 28 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The five roots of Amazon Trust Services, which sign every endpoint of AWS's. Reading the whole
/// store of the machine instead would be two thirds of a cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The connection pool of a process, made when first needed: plain for the local cloud, rustls
/// with ring for AWS.
#[derive(Clone, Default)]
pub struct HttpClient(Arc<OnceLock<SharedHttpClient>>);

impl HttpClient {
    /// A pool for `http://` endpoints only, outside of any function.
    pub fn plain() -> SharedHttpClient {
        Builder::new().build_http()
    }

    /// One that somebody else has made.
    pub fn of(client: SharedHttpClient) -> Self {
        Self(Arc::new(OnceLock::from(client)))
    }

    fn get(&self, endpoint: Option<&str>) -> SharedHttpClient {
        let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
        let build = || {
            if plain {
                return Self::plain();
            }
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
            let context = TlsContext::builder().with_trust_store(roots).build();
            let context = context.expect("the roots are certificates, which a test reads");
            Builder::new().tls_provider(ring).tls_context(context).build_https()
        };
        self.0.get_or_init(build).clone()
    }
}

pub(crate) fn dynamo(env: &Env<'_>) -> Result<aws_sdk_dynamodb::Client, ConfigError> {
    Ok(aws_sdk_dynamodb::Client::new(&shared(env, "AWS_ENDPOINT_URL_DYNAMODB")?))
}

pub(crate) fn backup(env: &Env<'_>) -> Result<BackupClient, ConfigError> {
    Ok(BackupClient::new(&shared(env, "AWS_ENDPOINT_URL_BACKUP")?))
}

/// What a client of SES is made of, when there is something to send.
pub(crate) fn ses(env: &Env<'_>) -> Result<SdkConfig, ConfigError> {
    shared(env, "AWS_ENDPOINT_URL_SESV2")
}

pub(crate) fn s3(env: &Env<'_>) -> Result<aws_sdk_s3::Client, ConfigError> {
    let shared = shared(env, "AWS_ENDPOINT_URL_S3")?;
    let config = aws_sdk_s3::config::Builder::from(&shared)
        // We sign a SHA-256 of our own; a CRC32 beside it would be a header no client can compute.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // The local cloud has one host name for all buckets.
        .force_path_style(shared.endpoint_url().is_some());
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

/// One that signs links to another name of the same: no request is made by it.
pub(crate) fn s3_at(env: &Env<'_>, url: String) -> Result<aws_sdk_s3::Client, ConfigError> {
    let config = s3(env)?.config().to_builder().endpoint_url(url).build();
    Ok(aws_sdk_s3::Client::from_conf(config))
}

/// What every client is made of. The variable of an endpoint is set in the local cloud only.
fn shared(env: &Env<'_>, endpoint_variable: &str) -> Result<SdkConfig, ConfigError> {
    let endpoint = env.optional(endpoint_variable);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(env)?)
        .credentials_provider(SharedCredentialsProvider::new(credentials(env)?))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts())
        .http_client(env.http_client().get(endpoint.as_deref()));
    config.set_endpoint_url(endpoint);
    Ok(config.build())
}

fn region(env: &Env<'_>) -> Result<Region, ConfigError> {
    env.required("AWS_REGION").map(Region::new)
}

/// Lambda sets these for the life of the sandbox.
fn credentials(env: &Env<'_>) -> Result<Credentials, ConfigError> {
    Ok(Credentials::new(
        env.required("AWS_ACCESS_KEY_ID")?,
        env.required("AWS_SECRET_ACCESS_KEY")?,
        env.optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// SHA-256 of the certificates, as Amazon Trust Services publishes them in its repository.
    const PUBLISHED: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_are_the_published_ones_and_make_a_client() {
        let pem = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        let certificates = pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(|rest| {
            let base64 = rest.split("-----END").next().unwrap().replace('\n', "");
            let der = BASE64_STANDARD.decode(base64).unwrap();
            Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(certificates.collect::<Vec<_>>(), PUBLISHED);
        HttpClient::default().get(None);
    }
}
