//! What a change demands of things beside those that it changes.

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, TransactWriteItem, Update};
use domain::Version;
use passwords::StoredHash;

use crate::items::{self, Item};
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{Customer, TableKind};

impl Transaction<'_> {
    /// Takes an item away that has to be there: what it lets somebody do is done once.
    pub(crate) fn spend(mut self, table: TableKind, key: Item) -> Self {
        let delete = Delete::builder()
            .table_name(self.database.tables.name(table))
            .set_key(Some(key))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        self.steps.push(Step::Require);
        self
    }

    /// Sets a password in the place of the one that was seen.
    pub(crate) fn set_password(
        mut self,
        login: Item,
        seen: &StoredHash,
        hash: &StoredHash,
    ) -> Self {
        let update = Update::builder()
            .table_name(self.database.tables.name(TableKind::Logins))
            .set_key(Some(login))
            .update_expression("SET #hash = :hash")
            .condition_expression("#hash = :seen")
            .expression_attribute_names("#hash", items::PASSWORD_HASH)
            .expression_attribute_values(":hash", items::text(hash.as_stored()))
            .expression_attribute_values(":seen", items::text(seen.as_stored()))
            .build()
            .expect("table, key and expression are set");
        self.writes.push(TransactWriteItem::builder().update(update).build());
        self.steps.push(Step::Password);
        self
    }

    /// Demands that a thing beside those that change is there and not deleted.
    pub(crate) fn require(mut self, customer: &Customer, sort: &SortKey) -> Self {
        let partition = keys::customer_partition(customer.id());
        let check = ConditionCheck::builder()
            .table_name(self.database.tables.name(sort.kind().home()))
            .set_key(Some(items::key(&partition, sort)))
            .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#deleted)")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#deleted", items::DELETED)
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        self.steps.push(Step::Require);
        self
    }

    /// Demands that a customer is not suspended.
    pub(crate) fn require_at_work(mut self, customer: &Customer) -> Self {
        let partition = keys::customer_partition(customer.id());
        let check = ConditionCheck::builder()
            .table_name(self.database.tables.name(TableKind::Accounts))
            .set_key(Some(items::key(&partition, &SortKey::Suspended)))
            .condition_expression("attribute_not_exists(#pk) OR #suspended = :no")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#suspended", items::SUSPENDED)
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        self.steps.push(Step::Suspended);
        self
    }

    /// Demands that a thing beside those that change is at this version and not deleted.
    pub(crate) fn require_version(
        mut self,
        customer: &Customer,
        sort: &SortKey,
        version: Version,
    ) -> Self {
        let partition = keys::customer_partition(customer.id());
        let check = ConditionCheck::builder()
            .table_name(self.database.tables.name(sort.kind().home()))
            .set_key(Some(items::key(&partition, sort)))
            .condition_expression("#version = :version AND attribute_not_exists(#deleted)")
            .expression_attribute_names("#version", items::VERSION)
            .expression_attribute_names("#deleted", items::DELETED)
            .expression_attribute_values(":version", items::number(version))
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        self.steps.push(Step::Require);
        self
    }

    /// Demands that the password of a person is still the one that was shown.
    pub(crate) fn require_password(mut self, login: Item, hash: &StoredHash) -> Self {
        let check = ConditionCheck::builder()
            .table_name(self.database.tables.name(TableKind::Logins))
            .set_key(Some(login))
            .condition_expression("#hash = :hash")
            .expression_attribute_names("#hash", items::PASSWORD_HASH)
            .expression_attribute_values(":hash", items::text(hash.as_stored()))
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        self.steps.push(Step::Password);
        self
    }

    /// Marks a login of an earlier release as one of more companies than it names. Whoever may do this may touch no
    /// password, so none is looked at.
    pub(crate) fn mark_joined(mut self, login: Item) -> Self {
        let update = Update::builder()
            .table_name(self.database.tables.name(TableKind::Logins))
            .set_key(Some(login))
            .update_expression("SET #joined = :true")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#joined", items::JOINED)
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .build()
            .expect("table, key and expression are set");
        self.writes.push(TransactWriteItem::builder().update(update).build());
        self.steps.push(Step::Password);
        self
    }

    /// Demands that an item beside those that change is not there.
    pub(crate) fn forbid(mut self, step: Step, table: TableKind, key: Item) -> Self {
        let check = ConditionCheck::builder()
            .table_name(self.database.tables.name(table))
            .set_key(Some(key))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .build()
            .expect("table, key and condition are set");
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        self.steps.push(step);
        self
    }
}
