//! SDK clients, built without asking anyone: Region and credentials are in the environment that
//! Lambda sets, so no profile file, no instance metadata and no endpoint discovery is tried. See
//! docs/decisions/0002-lean-initialisation.md.

use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Region, SharedHttpClient};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::{Builder, tls};

use crate::{ConfigError, Env};

/// One store call must leave time for another within a function's 28 seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The connection pool of a process, made when first needed: plain for the local cloud, rustls
/// with ring for AWS.
#[derive(Clone, Default)]
pub struct HttpClient(std::sync::Arc<OnceLock<SharedHttpClient>>);

impl HttpClient {
    /// A pool for `http://` endpoints only, outside of any function.
    pub fn plain() -> SharedHttpClient {
        Builder::new().build_http()
    }

    fn get(&self, endpoint: Option<&str>) -> SharedHttpClient {
        let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
        let build = || {
            if plain {
                return Self::plain();
            }
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            Builder::new().tls_provider(ring).build_https()
        };
        self.0.get_or_init(build).clone()
    }
}

pub(crate) fn dynamo(env: &Env<'_>) -> Result<aws_sdk_dynamodb::Client, ConfigError> {
    let endpoint = env.optional("AWS_ENDPOINT_URL_DYNAMODB");
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(region(env)?)
        .credentials_provider(credentials(env)?)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts())
        .http_client(env.http_client().get(endpoint.as_deref()));
    config.set_endpoint_url(endpoint);
    Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
}

pub(crate) fn s3(env: &Env<'_>) -> Result<aws_sdk_s3::Client, ConfigError> {
    let endpoint = env.optional("AWS_ENDPOINT_URL_S3");
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(region(env)?)
        .credentials_provider(credentials(env)?)
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts())
        // We sign a SHA-256 of our own; a CRC32 beside it would be a header no client can compute.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        // The local cloud has one host name for all buckets.
        .force_path_style(endpoint.is_some())
        .http_client(env.http_client().get(endpoint.as_deref()));
    config.set_endpoint_url(endpoint);
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
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
