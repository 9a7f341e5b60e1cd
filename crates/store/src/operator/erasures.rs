//! What customers have erased, in the ledger, which no restore puts back: a restored table learns
//! from it what has to stay erased.

use std::collections::HashMap;

use domain::{Revision, Timestamp};

use super::scanned::erased_by_the_ledger;
use super::{Erased, Operator, Segment};
use crate::batch::Batch;
use crate::indexed::Indexed;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::words::WordChange;
use crate::{StoreError, WriteError};

impl Operator {
    /// Erases again what was erased before, as a segment of the ledger has it, and is there: after a restore
    /// to a time at which it was there still. How many things; doing it once more finds none. What cannot be
    /// read is left as it is: nobody is shown it.
    pub async fn erase_again(&self, segment: Segment, now: Timestamp) -> Result<u64, StoreError> {
        let number = |n: u32| i32::try_from(n).map_err(StoreError::broken);
        let mut erased = 0;
        let mut start = None;
        loop {
            let page = self
                .database
                .dynamo
                .scan()
                .table_name(&self.database.tables.ledger)
                .consistent_read(true)
                .segment(number(segment.index)?)
                .total_segments(number(segment.of)?)
                .filter_expression("begins_with(#pk, :erased)")
                .expression_attribute_names("#pk", items::PARTITION)
                .expression_attribute_values(":erased", items::text(keys::ERASED_PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let erased_then = page.items().iter().filter_map(|item| {
                let fields = Fields(item);
                erased_by_the_ledger(fields, &fields.key().ok()?)
            });
            erased += self.erase_things(&erased_then.collect::<Vec<_>>(), now).await?;
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(erased);
            }
        }
    }

    /// Erases those of these things that are there and are not erased. How many.
    pub async fn erase_things(&self, things: &[Erased], now: Timestamp) -> Result<u64, StoreError> {
        let mut erased = 0;
        for some in things.chunks(Batch::KEYS_MAX) {
            let mut batch = Batch::default();
            let mut by_key = HashMap::new();
            for it in some {
                // What is no key of ours names nothing of ours.
                let Ok(sort) = it.thing.sort.parse::<SortKey>() else { continue };
                let table = self.table_name(sort.kind().home());
                batch.add(table, &it.thing.partition, &sort);
                by_key.insert(&it.thing, (it, sort));
            }
            for item in batch.read(&self.database.dynamo).await? {
                let Some((it, sort)) = by_key.get(&Fields(&item).key()?) else { continue };
                if !item.contains_key(items::DELETED) {
                    erased += u64::from(self.erase(it, sort, &item, now).await?);
                }
            }
        }
        Ok(erased)
    }

    /// Of now: a revision from before the last manifest's cut that it does not have would be a fault.
    async fn erase(
        &self,
        erased: &Erased,
        sort: &SortKey,
        item: &Item,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Ok(written) = items::read_written(Fields(item)) else { return Ok(false) };
        let tombstone = written.tombstone(erased.by, now);
        let pair = items::written_pair(
            &erased.thing.partition,
            sort,
            &tombstone,
            tombstone.content.to_owned(),
        );
        let replaced =
            Transaction::new(&self.database).replace_pair(sort.kind().home(), &tombstone, pair);
        let replaced = match Indexed::read(item) {
            Some(indexed) => out_of_index(replaced, &indexed, &tombstone),
            None => replaced,
        };
        match replaced.commit().await {
            Ok(()) => Ok(true),
            Err(refusal) => match WriteError::from(refusal) {
                WriteError::Store(error) => Err(error),
                // Somebody has changed it meanwhile: to be looked at again.
                _ => Err(StoreError::Busy),
            },
        }
    }
}

/// Takes what is erased out of its lists, and takes its words away.
fn out_of_index<'a, T>(
    change: Transaction<'a>,
    before: &Indexed,
    tombstone: &Revision<T>,
) -> Transaction<'a> {
    let change = change.list(before.customer, &before.places, &[]);
    // What does not fit is left to the sweep.
    change.words(WordChange::of(Some(before), &before.erased_by(tombstone))).0
}
