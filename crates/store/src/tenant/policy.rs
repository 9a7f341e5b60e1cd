//! How our promises stand, as far as anyone may know.

use domain::Timestamp;
use serde::de::DeserializeOwned;

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::read_document;
use crate::{Store, StoreError};

impl Store {
    /// How the promises stand: what, since when, and the state.
    pub async fn policy<T: DeserializeOwned>(
        &self,
    ) -> Result<Vec<(String, Timestamp, T)>, StoreError> {
        let ledger = &self.database.tables.ledger;
        let items = self.database.rows(ledger, keys::POLICY_PARTITION, "").await?;
        let read = |item: &Item| {
            let fields = Fields(item);
            let SortKey::Policy(what) = fields.sort_key()? else {
                return Err(fields.damaged(items::SORT));
            };
            Ok((what, fields.time(items::NOTED_AT)?, read_document(item)?))
        };
        items.iter().map(read).collect()
    }

    /// The restores of the service, as much of each as anyone may know.
    pub async fn restore_views<V: DeserializeOwned>(&self) -> Result<Vec<V>, StoreError> {
        let ledger = &self.database.tables.ledger;
        let items = self.database.rows(ledger, keys::RESTORES_PARTITION, "").await?;
        let read = |item: &Item| {
            let fields = Fields(item);
            serde_json::from_str(fields.text(items::VIEW)?).map_err(|_| fields.damaged(items::VIEW))
        };
        items.iter().map(read).collect()
    }
}
