//! DynamoDB, embedded: the crate dynoxide-rs over one SQLite file, spoken to over loopback HTTP so
//! that the AWS SDK is the only client there is. Tables come from the template.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, TimeToLiveSpecification,
};
use dynoxide::Database;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::LocalError;
use crate::listen;
use crate::template::{Resource, Template};

/// How often what has expired is deleted. AWS takes up to days; readers re-check anyway.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Opens the database, creates the template's tables that are not there yet, and serves it.
pub(crate) async fn start(
    folder: &Path,
    template: &Template,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, LocalError> {
    let path = folder.join("dynamodb.sqlite");
    let failed = |error: String| LocalError::Database { path: path.clone(), what: error };
    let database = Database::new(&path.to_string_lossy()).map_err(|e| failed(e.to_string()))?;
    let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listen::address_of(&listener)?;
    tasks.spawn(dynoxide::server::serve_on(listener, database.clone()));
    tasks.spawn(sweep(database));
    let client = client(address);
    for table in template.resources("AWS::DynamoDB::Table")? {
        create(&client, &table).await?;
    }
    Ok(address)
}

async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        if let Err(error) = database.sweep_ttl() {
            tracing::warn!(%error, "expired items were not deleted");
        }
    }
}

fn client(address: SocketAddr) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(format!("http://{address}"))
        .http_client(runtime::HttpClient::plain())
        .build();
    Client::from_conf(config)
}

async fn create(client: &Client, table: &Resource) -> Result<(), LocalError> {
    let name = &table.name;
    let it = &table.properties;
    let list = |name: &str| it[name].as_array().cloned().unwrap_or_default();
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| LocalError::Table {
        table: name.clone(),
        source,
    };
    let mut request =
        client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for key in list("KeySchema") {
        let element = KeySchemaElement::builder()
            .attribute_name(text(&key["AttributeName"]))
            .key_type(text(&key["KeyType"]).as_str().into())
            .build()
            .map_err(|error| failed(error.into()))?;
        request = request.key_schema(element);
    }
    for attribute in list("AttributeDefinitions") {
        let definition = AttributeDefinition::builder()
            .attribute_name(text(&attribute["AttributeName"]))
            .attribute_type(text(&attribute["AttributeType"]).as_str().into())
            .build()
            .map_err(|error| failed(error.into()))?;
        request = request.attribute_definitions(definition);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error)
            if matches!(
                error.as_service_error(),
                Some(CreateTableError::ResourceInUseException(_))
            ) =>
        {
            return Ok(());
        }
        Err(error) => return Err(failed(error.into())),
    }
    let ttl = text(&it["TimeToLiveSpecification"]["AttributeName"]);
    if !ttl.is_empty() {
        let specification = TimeToLiveSpecification::builder()
            .attribute_name(ttl)
            .enabled(true)
            .build()
            .map_err(|error| failed(error.into()))?;
        client
            .update_time_to_live()
            .table_name(name)
            .time_to_live_specification(specification)
            .send()
            .await
            .map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}
