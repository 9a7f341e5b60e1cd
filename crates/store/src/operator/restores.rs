//! How far restores of the service have come, in the ledger.

use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Operator;
use crate::StoreError;
use crate::items;
use crate::keys::{self, SortKey};
use crate::tables::{document, met_condition};

/// How often a restore was noted: of two that are at it, one finds that it is too late.
const TURN: &str = "turn";

impl Operator {
    /// Opens a restore to a moment (turn 1) or says how far it has come. False: somebody else has said
    /// so since the turn before.
    pub async fn note_restore<T: Serialize, V: Serialize>(
        &self,
        to: Timestamp,
        turn: u64,
        state: &T,
        view: &V,
    ) -> Result<bool, StoreError> {
        let sort = SortKey::Restore(to);
        let mut item = document(keys::RESTORES_PARTITION, &sort, to, state);
        let view = serde_json::to_string(view).expect("views become JSON");
        item.insert(items::VIEW.to_owned(), items::text(view));
        item.insert(TURN.to_owned(), items::number(turn));
        let condition = if turn == 1 { "attribute_not_exists(#turn)" } else { "#turn = :before" };
        let before = (turn > 1).then(|| [(":before".to_owned(), items::number(turn - 1))].into());
        let put = self
            .database
            .dynamo
            .put_item()
            .table_name(&self.database.tables.ledger)
            .set_item(Some(item))
            .condition_expression(condition)
            .expression_attribute_names("#turn", TURN)
            .set_expression_attribute_values(before);
        met_condition(put.send().await)
    }

    /// The last restore to each moment that there was one to.
    pub async fn restores<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.documents(keys::RESTORES_PARTITION, "").await
    }
}
