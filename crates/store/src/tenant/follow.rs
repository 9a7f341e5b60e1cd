//! Choosing to be told of a record's changes, or not to be.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::RecordId;

use super::Session;
use crate::followers::{FOLLOW, FOLLOWERS_MAX, IGNORE};
use crate::items;
use crate::keys::{self, SortKey};
use crate::tables::met_condition;
use crate::{Store, StoreError};

impl Store {
    /// Notes whether whoever asks wants to be told of a record's changes. `false`: too many have chosen so.
    pub async fn follow(
        &self,
        session: &Session,
        record: RecordId,
        follows: bool,
    ) -> Result<bool, StoreError> {
        let partition = keys::customer_partition(session.customer.id());
        let (to, from) = if follows { (FOLLOW, IGNORE) } else { (IGNORE, FOLLOW) };
        let me = session.user.to_string();
        let updated = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.records)
            .set_key(Some(items::key(&partition, &SortKey::Followers(record))))
            .update_expression("ADD #to :me DELETE #from :me")
            .condition_expression(
                "attribute_not_exists(#to) OR size(#to) < :most OR contains(#to, :one)",
            )
            .expression_attribute_names("#to", to)
            .expression_attribute_names("#from", from)
            .expression_attribute_values(":me", AttributeValue::Ss(vec![me.clone()]))
            .expression_attribute_values(":one", items::text(me))
            .expression_attribute_values(":most", items::number(FOLLOWERS_MAX))
            .send()
            .await;
        met_condition(updated)
    }
}
