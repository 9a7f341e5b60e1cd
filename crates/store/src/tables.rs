//! The database, as both rooms stand on it.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::items::{self, Fields, Item};
use crate::keys::SortKey;
use crate::{DynamoClient, StoreError, TableKind};

const DOCUMENT: &str = "document";

/// The names of the tables. They are configuration, because a restore gives a table a new name.
#[derive(Clone, Debug)]
pub struct Tables {
    pub records: String,
    pub accounts: String,
    /// Few functions may read it.
    pub logins: String,
    pub sessions: String,
    pub ledger: String,
    pub index: String,
    /// What the names of restored tables end in; empty as long as the first ones are in use.
    pub restored_as: String,
}

impl Tables {
    pub fn name(&self, table: TableKind) -> &str {
        match table {
            TableKind::Records => &self.records,
            TableKind::Accounts => &self.accounts,
            TableKind::Logins => &self.logins,
            TableKind::Sessions => &self.sessions,
            TableKind::Ledger => &self.ledger,
            TableKind::Index => &self.index,
        }
    }
}

/// DynamoDB and our tables in it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) dynamo: DynamoClient,
    pub(crate) tables: Arc<Tables>,
}

impl Database {
    pub(crate) fn new(dynamo: DynamoClient, tables: Tables) -> Self {
        Self { dynamo, tables: Arc::new(tables) }
    }

    /// The item at a key, as it is now.
    pub(crate) async fn item(&self, table: &str, key: Item) -> Result<Option<Item>, StoreError> {
        let get = self.dynamo.get_item().table_name(table).set_key(Some(key));
        let answer = get.consistent_read(true).send().await.map_err(StoreError::unavailable)?;
        Ok(answer.item)
    }

    /// Every row of a partition whose sort key starts with `prefix`.
    pub(crate) async fn rows(
        &self,
        table: &str,
        partition: &str,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let mut query = self
            .dynamo
            .query()
            .table_name(table)
            .consistent_read(true)
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_values(":pk", items::text(partition));
        query = if prefix.is_empty() {
            query.key_condition_expression("#pk = :pk")
        } else {
            query
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_values(":prefix", items::text(prefix))
        };
        let mut found = Vec::new();
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            found.extend(page.map_err(StoreError::unavailable)?.items.unwrap_or_default());
        }
        Ok(found)
    }

    /// A strongly consistent query of what stands between two sort keys, both of them too.
    pub(crate) fn between(
        &self,
        table: TableKind,
        partition: &str,
        (low, high): (String, String),
    ) -> QueryFluentBuilder {
        self.dynamo
            .query()
            .table_name(self.tables.name(table))
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :low AND :high")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(partition))
            .expression_attribute_values(":low", items::text(low))
            .expression_attribute_values(":high", items::text(high))
    }

    pub(crate) async fn put(&self, table: &str, item: Item) -> Result<(), StoreError> {
        let put = self.dynamo.put_item().table_name(table).set_item(Some(item));
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Puts a row of the ledger, unless it is there. Whether it was put now.
    pub(crate) async fn put_once(&self, item: Item) -> Result<bool, StoreError> {
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.tables.ledger)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .send()
            .await;
        met_condition(put)
    }

    pub(crate) async fn delete(&self, table: &str, key: Item) -> Result<(), StoreError> {
        let delete = self.dynamo.delete_item().table_name(table).set_key(Some(key));
        delete.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

/// Whether something was written; false where its condition did not hold.
pub(crate) fn met_condition<T, E, R>(written: Result<T, SdkError<E, R>>) -> Result<bool, StoreError>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

/// A row of the ledger that is one document.
pub(crate) fn document(
    partition: &str,
    sort: &SortKey,
    noted_at: domain::Timestamp,
    document: &impl Serialize,
) -> Item {
    let json = serde_json::to_string(document).expect("documents become JSON");
    let mut item: HashMap<_, _> = items::key(partition, sort);
    item.insert(items::NOTED_AT.to_owned(), items::number(noted_at.millis()));
    item.insert(DOCUMENT.to_owned(), items::text(json));
    item
}

pub(crate) fn read_document<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let fields = Fields(item);
    serde_json::from_str(fields.text(DOCUMENT)?).map_err(|_| fields.damaged(DOCUMENT))
}
