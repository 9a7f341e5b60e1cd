//! Completing what a restore to one moment has cut in two: a change of which the table has the thing
//! and not its revision, or the revision and not the thing. Either half says all of the change.

use domain::Version;

use super::{ItemFacts, Operator};
use crate::items::{self, Fields, Item};
use crate::keys::SortKey;
use crate::tables::met_condition;
use crate::{RowKey, StoreError, TableKind, keys};

impl Operator {
    /// Completes the newest change of a thing, if a half of it is missing. Whether it was.
    pub async fn mend(&self, kind: TableKind, of: &ItemFacts) -> Result<bool, StoreError> {
        match self.mend_whole(kind, of).await {
            // What is damaged is no half of anything: the verification will say so.
            Err(StoreError::Damaged { .. }) => Ok(false),
            mended => mended,
        }
    }

    async fn mend_whole(&self, kind: TableKind, of: &ItemFacts) -> Result<bool, StoreError> {
        let table = self.table_name(kind);
        let current = self.database.item(table, of.current().item()).await?;
        let newest = self.newest_revision(table, &of.current()).await?;
        let version = |item: &Item| Fields(item).parse::<Version>(items::VERSION);
        let at = |sort: SortKey, of: &Item| {
            let mut item = of.clone();
            item.insert(items::SORT.to_owned(), items::text(sort));
            item
        };
        let completed = match (&current, &newest) {
            (Some(current), newest) => {
                let have = version(current)?;
                let of: SortKey = Fields(current).sort_key()?;
                match newest {
                    Some(newest) if version(newest)? == have => return Ok(false),
                    Some(newest) if version(newest)? > have => at(of, newest),
                    _ => at(of.revision(have), current),
                }
            }
            (None, Some(newest)) => {
                let SortKey::Revision(of, _) = Fields(newest).sort_key()? else {
                    return Err(Fields(newest).damaged(items::SORT));
                };
                at(*of, newest)
            }
            (None, None) => return Ok(false),
        };
        // Should the table be in use already, after all, nothing newer is overwritten.
        let version = completed.get(items::VERSION).cloned().unwrap_or(items::number(0));
        let put = self
            .database
            .dynamo
            .put_item()
            .table_name(table)
            .set_item(Some(completed))
            .condition_expression("attribute_not_exists(#version) OR #version < :version")
            .expression_attribute_names("#version", items::VERSION)
            .expression_attribute_values(":version", version);
        met_condition(put.send().await)
    }

    async fn newest_revision(&self, table: &str, of: &RowKey) -> Result<Option<Item>, StoreError> {
        let prefix = format!("{}{}#", keys::REVISION_PREFIX, of.sort);
        let answer = self
            .database
            .dynamo
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(&of.partition))
            // Ten digits and no more: the revisions of an appendix's versions start alike.
            .expression_attribute_values(":first", items::text(format!("{prefix}0000000000")))
            .expression_attribute_values(":last", items::text(format!("{prefix}9999999999")))
            .scan_index_forward(false)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let of_it = |item: &&Item| match Fields(item).sort_key() {
            Ok(SortKey::Revision(thing, _)) => thing.to_string() == of.sort,
            _ => false,
        };
        Ok(answer.items().iter().find(of_it).cloned())
    }
}
