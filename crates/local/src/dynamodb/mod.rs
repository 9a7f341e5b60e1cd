//! DynamoDB, embedded: the crate dynoxide-rs over one SQLite file, behind the protocol that the AWS
//! SDK speaks, so that the SDK is the only client there is. Requests must be signed, and a caller
//! may do what the template lets it. Tables come from the template. What dynoxide leaves out is in
//! `recovery`: point-in-time recovery, and the copies that AWS Backup makes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::LocalError;
use crate::conditions::{Facts, facts_of};
use crate::history::History;
use crate::identity::{Identities, OPERATOR};
use crate::listen;
use crate::template::Template;
use crate::values::text;

mod recovery;
mod tables;
mod torn;
mod transactions;
mod within;
mod writes;

pub(crate) use recovery::Tables;
pub(crate) use within::Within;

/// How often what has expired is deleted. AWS takes up to days; readers re-check anyway.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Sweeps between two looks at what is too old to be restored: once a day.
const TRIM_EVERY: u64 = 24 * 60;
/// About a megabyte, which is where AWS ends a page.
const SCAN_PAGE_ITEMS: u32 = 2000;
/// DynamoDB's own limit.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Opens the database, creates the template's tables that are not there yet, and serves it.
pub(crate) async fn start(
    folder: &Path,
    template: &Template,
    identities: Arc<Identities>,
    tasks: &mut JoinSet<()>,
) -> Result<(SocketAddr, Arc<Tables>, Within), LocalError> {
    let path = folder.join("dynamodb.sqlite");
    let failed = |error: String| LocalError::Database { path: path.clone(), what: error };
    let database = Database::new(&path.to_string_lossy()).map_err(|e| failed(e.to_string()))?;
    let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listen::address_of(&listener)?;
    let client = tables::client(address, &identities.secret_key(OPERATOR));
    let all = Arc::new(Tables::new(database.clone(), History::open(&path)?));
    all.go_on()?;
    let within = Within { tables: all.clone(), identities: identities.clone(), address };
    let served = all.clone();
    tasks.spawn(listen::serve(listener, move |_| {
        let (tables, identities) = (served.clone(), identities.clone());
        service_fn(move |request| {
            let (tables, identities) = (tables.clone(), identities.clone());
            async move { Ok::<_, Infallible>(receive(&tables, &identities, request).await) }
        })
    }));
    tasks.spawn(sweep(all.clone()));
    for table in template.resources("AWS::DynamoDB::Table")? {
        let wanted = table.properties.to_string();
        if !all.is_made(&table.name, &wanted) {
            tables::create(&client, &table).await?;
            all.note_made(&table.name, &wanted);
        }
    }
    Ok((address, all, within))
}

async fn sweep(tables: Arc<Tables>) {
    // At once too: a computer that is switched off each night never gets to a whole day.
    for turn in 0_u64.. {
        tokio::time::sleep(SWEEP_EVERY).await;
        if turn.is_multiple_of(TRIM_EVERY) {
            let tables = tables.clone();
            let _ = tokio::task::spawn_blocking(move || tables.trim()).await;
        }
        let expiring = tables.clone();
        let _ = tokio::task::spawn_blocking(move || expiring.expire()).await;
    }
}

async fn receive(
    tables: &Arc<Tables>,
    identities: &Identities,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => answer(tables, identities, &parts, body.to_bytes()).await,
        Err(_) => refused("SerializationException", "The body cannot be read."),
    }
}

async fn answer(
    tables: &Arc<Tables>,
    identities: &Identities,
    parts: &Parts,
    body: Bytes,
) -> Response<Full<Bytes>> {
    // A page in a browser signs nothing; what it sends ends here.
    let Some(caller) = identities.caller(parts, &body) else {
        return refused("InvalidSignatureException", "The request is not signed by anyone known.");
    };
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|it| it.strip_prefix("DynamoDB_20120810.")).unwrap_or("");
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else {
        return refused("SerializationException", "The body is not JSON.");
    };
    let mut body = body;
    if operation == "Scan" && json["Limit"].is_null() {
        // Without a limit every page would read all that is left of the table, to cut it at 1 MB.
        json["Limit"] = json!(SCAN_PAGE_ITEMS);
        body = Bytes::from(json.to_string());
    }
    identities.count(&caller, &format!("dynamodb:{operation}"));
    if identities.counts_units() {
        json["ReturnConsumedCapacity"] = json!("TOTAL");
        body = Bytes::from(json.to_string());
    }
    for Asked { action, table, facts } in asked(operation, &json) {
        if !identities.allow(&caller, &format!("dynamodb:{action}"), &arn(&table), &facts) {
            tracing::error!(function = caller, action, table, "not allowed by the template");
            let what =
                format!("{caller} is not authorized to perform dynamodb:{action} on {table}");
            return refused("AccessDeniedException", &what);
        }
    }
    let answered = match operation {
        "TransactWriteItems" => writes::transaction(tables, &json, &body).await,
        "BatchWriteItem" => writes::batch(tables, json),
        "DeleteItem" | "PutItem" | "UpdateItem" => writes::single(tables, operation, &json, &body),
        _ => match tables.answer(operation, &json) {
            Some(answered) => answered,
            None => run_again(tables, operation, &json, &body)
                .map(|answer| tables.torn.seen(operation, &json, answer))
                .map_err(Failure::Database),
        },
    };
    match answered {
        Ok(json) => {
            if identities.counts_units() {
                identities.add_units(&caller, operation, units(&json));
            }
            respond(StatusCode::OK, json)
        }
        Err(Failure::Database(error)) => {
            let status = StatusCode::from_u16(error.status_code());
            respond(status.unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
        }
        Err(Failure::Refused(kind, message)) => refused(kind, &message),
    }
}

/// What an answer says of the capacity that it took.
fn units(answer: &str) -> f64 {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
}

/// Runs an operation, and once more where an item stood in its way that cannot be read.
fn run_again(
    tables: &Tables,
    operation: &str,
    json: &Value,
    body: &[u8],
) -> Result<String, DynoxideError> {
    let ran = run(&tables.database, operation, body);
    // That the disk is full, or the file locked, says nothing of an item.
    let of_the_disk = ["full", "locked", "I/O", "readonly"];
    match &ran {
        Err(DynoxideError::InternalServerError(what))
            if !of_the_disk.iter().any(|word| what.contains(word)) => {}
        _ => return ran,
    }
    let marked = asked(operation, json).iter().any(|it| tables.mark_unreadable(&it.table));
    if marked { run(&tables.database, operation, body) } else { ran }
}

/// Why an operation was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    Database(DynoxideError),
    /// The exception's name and a message.
    Refused(&'static str, String),
}

impl From<DynoxideError> for Failure {
    fn from(error: DynoxideError) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(DynoxideError::InternalServerError(error.to_string()))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Refused(kind, message) => write!(f, "{kind}: {message}"),
        }
    }
}

/// What IAM checks.
struct Asked {
    action: String,
    table: String,
    facts: Facts,
}

/// The actions that IAM checks for an operation, each with its table.
fn asked(operation: &str, request: &Value) -> Vec<Asked> {
    let one = |table: &str| Asked {
        action: operation.to_owned(),
        table: table.to_owned(),
        facts: facts_of(operation, request),
    };
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables
                .map(|(table, items)| Asked { facts: facts_of(operation, items), ..one(table) })
                .collect()
        }
        "TransactWriteItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            let kinds = items.filter_map(|item| item.as_object()?.iter().next_back());
            kinds
                .map(|(kind, write)| Asked {
                    action: match kind.as_str() {
                        "ConditionCheck" => "ConditionCheckItem".to_owned(),
                        put_update_or_delete => format!("{put_update_or_delete}Item"),
                    },
                    table: text(&write["TableName"]),
                    facts: facts_of(operation, write),
                })
                .collect()
        }
        "RestoreTableToPointInTime" => {
            ["SourceTableName", "TargetTableName"].map(|name| one(&text(&request[name]))).into()
        }
        "TagResource" | "ListTagsOfResource" => {
            let arn = text(&request["ResourceArn"]);
            vec![one(arn.rsplit_once("table/").map_or("", |(_, table)| table))]
        }
        _ => vec![one(&text(&request["TableName"]))],
    }
}

fn run(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchGetItem" => call(body, |it| database.batch_get_item(it)),
        "CreateTable" => call(body, |it| database.create_table(it)),
        "BatchWriteItem" => call(body, |it| database.batch_write_item(it)),
        "DeleteItem" => call(body, |it| database.delete_item(it)),
        "DeleteTable" => call(body, |it| database.delete_table(it)),
        "DescribeTable" => call(body, |it| database.describe_table(it)),
        "DescribeTimeToLive" => call(body, |it| database.describe_time_to_live(it)),
        "GetItem" => call(body, |it| database.get_item(it)),
        "ListTables" => call(body, |it| database.list_tables(it)),
        "ListTagsOfResource" => call(body, |it| database.list_tags_of_resource(it)),
        "PutItem" => call(body, |it| database.put_item(it)),
        "Query" => call(body, |it| database.query(it)),
        "Scan" => call(body, |it| database.scan(it)),
        "TransactGetItems" => call(body, |it| database.transact_get_items(it)),
        // By its token it was found to be new: `transactions` knows them.
        "TransactWriteItems" => call(body, |mut it: TransactWriteItemsRequest| {
            it.client_request_token = None;
            database.transact_write_items(it)
        }),
        "TagResource" => call(body, |it| database.tag_resource(it)),
        "UpdateItem" => call(body, |it| database.update_item(it)),
        "UpdateTable" => call(body, |it| database.update_table(it)),
        "UpdateTimeToLive" => call(body, |it| database.update_time_to_live(it)),
        other => Err(DynoxideError::ValidationException(format!("{other} is not served here"))),
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = run(request)?;
    serde_json::to_string(&answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn arn(table: &str) -> String {
    format!("arn:aws:dynamodb:eu-central-1:000000000000:table/{table}")
}

fn refused(kind: &str, message: &str) -> Response<Full<Bytes>> {
    let kind = format!("com.amazon.coral.service#{kind}");
    respond(StatusCode::BAD_REQUEST, json!({"__type": kind, "message": message}).to_string())
}

fn respond(status: StatusCode, json: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
