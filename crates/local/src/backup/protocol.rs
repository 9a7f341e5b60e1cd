//! AWS Backup's REST protocol, as far as AM Service uses it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::documents::Kind;
use super::restores::Restore;
use super::{Backup, BackupError};
use crate::conditions::Facts;
use crate::identity::Identities;
use crate::listen;
use crate::values::text;

const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Of a backup on demand that says nothing of its lifecycle: for ever.
const FOR_EVER: u32 = u32::MAX;

/// Serves the protocol to whoever signs, as far as the template lets them.
pub(crate) async fn serve(backup: Arc<Backup>, listener: TcpListener, identities: Arc<Identities>) {
    listen::serve(listener, move |_| {
        let (backup, identities) = (backup.clone(), identities.clone());
        service_fn(move |request| {
            let (backup, identities) = (backup.clone(), identities.clone());
            async move { Ok::<_, Infallible>(answer(&backup, &identities, request).await) }
        })
    })
    .await;
}

async fn answer(
    backup: &Arc<Backup>,
    identities: &Identities,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequestException", "cannot be read");
    };
    let body = body.to_bytes();
    let Some(caller) = identities.caller(&parts, &body) else {
        let what = "The request is not signed by anyone known.";
        return refused(StatusCode::FORBIDDEN, "InvalidSignatureException", what);
    };
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let Some(call) = Call::read(parts.method.as_str(), &path, &json) else {
        return refused(StatusCode::NOT_FOUND, "InvalidRequestException", "is not served here");
    };
    identities.count(&caller, &format!("backup:{}", call.action()));
    for (action, resource) in call.asked() {
        if !identities.allow(&caller, &action, &resource, &Facts::new()) {
            tracing::error!(function = caller, action, resource, "not allowed by the template");
            let what = format!("{caller} is not authorized to perform {action} on {resource}");
            return refused(StatusCode::FORBIDDEN, "AccessDeniedException", &what);
        }
    }
    match call.run(backup) {
        Ok(Some(answer)) => respond(StatusCode::OK, &answer),
        Ok(None) => respond(StatusCode::NO_CONTENT, &Value::Null),
        Err(error) => {
            let (status, kind) = match &error {
                BackupError::Refused(_) => (StatusCode::BAD_REQUEST, "InvalidRequestException"),
                BackupError::Unknown(_) => (StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceUnavailableException"),
            };
            refused(status, kind, &error.to_string())
        }
    }
}

/// One of the calls that are served.
enum Call<'a> {
    StartBackupJob { json: &'a Value },
    DescribeBackupJob { id: &'a str },
    StartRestoreJob { json: &'a Value },
    DescribeRestoreJob { id: &'a str },
    PutRestoreValidationResult { id: &'a str, json: &'a Value },
    DescribeRegionSettings,
    DescribeBackupVault { name: &'a str },
    ListRecoveryPointsByResource { arn: &'a str },
    ListRecoveryPointsByBackupVault { vault: &'a str },
    ListJobs(Kind),
}

impl<'a> Call<'a> {
    fn read(method: &str, path: &[&'a str], json: &'a Value) -> Option<Self> {
        Some(match (method, path) {
            ("PUT", ["backup-jobs"]) => Self::StartBackupJob { json },
            ("GET", ["backup-jobs", id]) => Self::DescribeBackupJob { id },
            ("PUT", ["restore-jobs"]) => Self::StartRestoreJob { json },
            ("GET", ["restore-jobs", id]) => Self::DescribeRestoreJob { id },
            ("PUT", ["restore-jobs", id, "validations"]) => {
                Self::PutRestoreValidationResult { id, json }
            }
            ("GET", ["account-settings"]) => Self::DescribeRegionSettings,
            ("GET", ["backup-vaults", name]) => Self::DescribeBackupVault { name },
            ("GET", ["resources", arn, "recovery-points"]) => {
                Self::ListRecoveryPointsByResource { arn }
            }
            ("GET", ["backup-vaults", vault, "recovery-points"]) => {
                Self::ListRecoveryPointsByBackupVault { vault }
            }
            ("GET", ["backup-jobs"]) => Self::ListJobs(Kind::BackupJob),
            ("GET", ["copy-jobs"]) => Self::ListJobs(Kind::CopyJob),
            ("GET", ["restore-jobs"]) => Self::ListJobs(Kind::RestoreJob),
            _ => return None,
        })
    }

    const fn action(&self) -> &'static str {
        match self {
            Self::StartBackupJob { .. } => "StartBackupJob",
            Self::DescribeBackupJob { .. } => "DescribeBackupJob",
            Self::StartRestoreJob { .. } => "StartRestoreJob",
            Self::DescribeRestoreJob { .. } => "DescribeRestoreJob",
            Self::PutRestoreValidationResult { .. } => "PutRestoreValidationResult",
            Self::DescribeRegionSettings => "DescribeRegionSettings",
            Self::DescribeBackupVault { .. } => "DescribeBackupVault",
            Self::ListRecoveryPointsByResource { .. } => "ListRecoveryPointsByResource",
            Self::ListRecoveryPointsByBackupVault { .. } => "ListRecoveryPointsByBackupVault",
            Self::ListJobs(Kind::CopyJob) => "ListCopyJobs",
            Self::ListJobs(Kind::RestoreJob) => "ListRestoreJobs",
            Self::ListJobs(_) => "ListBackupJobs",
        }
    }

    /// What IAM checks: the actions, and the resource of each.
    fn asked(&self) -> Vec<(String, String)> {
        let vault =
            |name: &str| format!("arn:aws:backup:eu-central-1:000000000000:backup-vault:{name}");
        let resource = match self {
            Self::StartBackupJob { json } => vault(&text(&json["BackupVaultName"])),
            Self::DescribeBackupVault { name }
            | Self::ListRecoveryPointsByBackupVault { vault: name } => vault(name),
            Self::StartRestoreJob { json } => text(&json["RecoveryPointArn"]),
            _ => "*".to_owned(),
        };
        let mut asked = vec![(format!("backup:{}", self.action()), resource)];
        if let Self::StartBackupJob { json } | Self::StartRestoreJob { json } = self {
            asked.push(("iam:PassRole".to_owned(), text(&json["IamRoleArn"])));
        }
        asked
    }

    fn run(self, backup: &Arc<Backup>) -> Result<Option<Value>, BackupError> {
        Ok(Some(match self {
            Self::StartBackupJob { json } => {
                let (arn, vault) = (text(&json["ResourceArn"]), text(&json["BackupVaultName"]));
                let days = json["Lifecycle"]["DeleteAfterDays"].as_u64();
                let days = days.and_then(|days| days.try_into().ok()).unwrap_or(FOR_EVER);
                let token = json["IdempotencyToken"].as_str();
                backup.start_backup(&arn, &vault, days, token, &[])?
            }
            Self::DescribeBackupJob { id } => backup.backup_job(id)?,
            Self::StartRestoreJob { json } => {
                let metadata = &json["Metadata"];
                let target = ["targetTableName", "DestinationBucketName"];
                let target = target.iter().find_map(|name| metadata[*name].as_str());
                let Some(target) = target else {
                    let what = "Metadata must name targetTableName or DestinationBucketName";
                    return Err(BackupError::Refused(what.to_owned()));
                };
                backup.start_restore(Restore {
                    recovery_point: text(&json["RecoveryPointArn"]),
                    target: Some(target.to_owned()),
                    token: json["IdempotencyToken"].as_str().map(str::to_owned),
                })?
            }
            Self::DescribeRestoreJob { id } => backup.restore_job(id)?,
            Self::PutRestoreValidationResult { id, json } => {
                let status = text(&json["ValidationStatus"]);
                backup.judge(id, &status, &json["ValidationStatusMessage"])?;
                return Ok(None);
            }
            Self::DescribeRegionSettings => {
                let on = json!({ "DynamoDB": true, "S3": true });
                json!({
                    "ResourceTypeOptInPreference": on,
                    "ResourceTypeManagementPreference": { "DynamoDB": true },
                })
            }
            Self::DescribeBackupVault { name } => {
                let vault = backup.plan.vaults.iter().find(|vault| vault.name == name);
                let vault = vault.ok_or_else(|| BackupError::Unknown(format!("vault {name}")))?;
                let kind = match vault.air_gapped {
                    true => "LOGICALLY_AIR_GAPPED_BACKUP_VAULT",
                    false => "BACKUP_VAULT",
                };
                json!({
                    "BackupVaultName": vault.name,
                    "VaultType": kind,
                    "Locked": vault.locked,
                    "MinRetentionDays": vault.min_days,
                    "MaxRetentionDays": vault.max_days,
                })
            }
            Self::ListRecoveryPointsByResource { arn } => {
                let points = backup.recovery_points(arn)?;
                let shown = points.iter().map(|point| shown(backup, point));
                json!({ "RecoveryPoints": shown.collect::<Vec<_>>() })
            }
            Self::ListRecoveryPointsByBackupVault { vault } => {
                let all = backup.documents.all(Kind::RecoveryPoint)?;
                let points = all.iter().filter(|point| point["BackupVaultName"] == vault);
                let shown = points.map(|point| shown(backup, point));
                json!({ "RecoveryPoints": shown.collect::<Vec<_>>() })
            }
            Self::ListJobs(kind) => {
                let all = backup.documents.all(kind)?;
                let name = match kind {
                    Kind::CopyJob => "CopyJobs",
                    Kind::RestoreJob => "RestoreJobs",
                    _ => "BackupJobs",
                };
                json!({ name: all })
            }
        }))
    }
}

/// A recovery point, as lists have it.
fn shown(backup: &Backup, point: &Value) -> Value {
    let vault = text(&point["BackupVaultName"]);
    let air_gapped = backup.plan.vaults.iter().any(|it| it.name == vault && it.air_gapped);
    json!({
        "RecoveryPointArn": point["RecoveryPointArn"],
        "ResourceArn": point["ResourceArn"],
        "CreationDate": point["CreationDate"],
        "Status": "COMPLETED",
        "BackupSizeBytes": point["BackupSizeInBytes"],
        "BackupVaultName": vault,
        "VaultType":
            if air_gapped { "LOGICALLY_AIR_GAPPED_BACKUP_VAULT" } else { "BACKUP_VAULT" },
    })
}

fn refused(status: StatusCode, kind: &'static str, what: &str) -> Response<Full<Bytes>> {
    let mut response = respond(status, &json!({ "Code": kind, "Message": what }));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

fn respond(status: StatusCode, json: &Value) -> Response<Full<Bytes>> {
    let body = if json.is_null() { Bytes::new() } else { Bytes::from(json.to_string()) };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
