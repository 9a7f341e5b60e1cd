//! The template's tables: made where they are not there yet, with what the template says of them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, PointInTimeRecoverySpecification,
    TimeToLiveSpecification,
};

use std::net::SocketAddr;

use crate::LocalError;
use crate::identity::OPERATOR;
use crate::template::Resource;
use crate::values::text;

pub(super) fn client(address: SocketAddr, secret_key: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new(OPERATOR, secret_key, None, None, "local"))
        .endpoint_url(format!("http://{address}"))
        .http_client(runtime::HttpClient::plain())
        .build();
    Client::from_conf(config)
}

pub(super) async fn create(client: &Client, table: &Resource) -> Result<(), LocalError> {
    let name = &table.name;
    let it = &table.properties;
    let list = |name: &str| it[name].as_array().cloned().unwrap_or_default();
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| LocalError::Table {
        table: name.clone(),
        source,
    };
    let mut request =
        client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let protected = it["DeletionProtectionEnabled"].as_bool().unwrap_or(false);
    request = request.deletion_protection_enabled(protected);
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
        // There already, from an earlier start.
        Err(error)
            if matches!(
                error.as_service_error(),
                Some(CreateTableError::ResourceInUseException(_))
            ) => {}
        Err(error) => return Err(failed(error.into())),
    }
    // A start that was killed right after creating the table is made up for; so is a folder of an
    // earlier version.
    let protect = client.update_table().table_name(name).deletion_protection_enabled(protected);
    protect.send().await.map_err(|error| failed(error.into()))?;
    let recovery = &it["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(recovery.as_bool().unwrap_or(false))
        .build()
        .map_err(|error| failed(error.into()))?;
    let recover = client
        .update_continuous_backups()
        .table_name(name)
        .point_in_time_recovery_specification(specification);
    recover.send().await.map_err(|error| failed(error.into()))?;
    let ttl = text(&it["TimeToLiveSpecification"]["AttributeName"]);
    let described = client.describe_time_to_live().table_name(name).send().await;
    let described = described.map_err(|error| failed(error.into()))?;
    let enabled = described.time_to_live_description().and_then(|it| it.attribute_name()).is_some();
    if !ttl.is_empty() && !enabled {
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
