//! How many records there are of those that people look for first, counted in the lists and not beyond a number that
//! nobody takes for a plan: what it costs does not grow with what is kept.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use domain::{Date, IDS_AHEAD_MAX, Timestamp};

use super::Session;
use crate::index::{List, range};
use crate::items::Fields;
use crate::keys::{self, SortKey};
use crate::{Standing, Store, StoreError, TableKind};

/// Nothing is counted beyond it.
const COUNTED_MAX: usize = 1_000;
/// Of what was changed lately, so many are looked at.
const LOOKED_AT_MAX: usize = 5_000;

/// How many there are, up to a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub count: usize,
    /// Whether there are more, or may be: a week can have too many changes to look through.
    pub more: bool,
}

/// The records that people look for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overview {
    /// In an open state.
    pub open: Count,
    /// Of these, assigned to whoever asks.
    pub mine: Count,
    /// Due before today, and not closed.
    pub overdue: Count,
    /// Made this week.
    pub new: Count,
    /// Closed this week.
    pub closed: Count,
    /// Open, and assigned to nobody.
    pub unassigned: Count,
}

impl Store {
    /// Counts all of them, side by side.
    pub async fn overview(
        &self,
        session: &Session,
        today: &Date,
        week: Timestamp,
    ) -> Result<Overview, StoreError> {
        let all = |list| self.count(session, list, None, None);
        let mine = List::Assignee(session.user, Standing::Open);
        let (open, mine, overdue, new, closed, unassigned) = tokio::try_join!(
            all(List::Open),
            all(mine),
            self.count(session, List::Due, None, Some(today.start())),
            self.count_made(session, week),
            self.count(session, List::Closed, Some(week), None),
            all(List::Unassigned),
        )?;
        Ok(Overview { open, mine, overdue, new, closed, unassigned })
    }

    async fn count(
        &self,
        session: &Session,
        list: List,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Count, StoreError> {
        let one_more = i32::try_from(COUNTED_MAX + 1).unwrap_or(i32::MAX);
        let query = self.of_list(session, &list, from, until).select(Select::Count);
        let answer = query.limit(one_more).send().await.map_err(StoreError::unavailable)?;
        let count = usize::try_from(answer.count).unwrap_or(0);
        Ok(Count { count: count.min(COUNTED_MAX), more: count > COUNTED_MAX })
    }

    /// What was made since then was changed since then too: their ids tell which of those it is.
    async fn count_made(&self, session: &Session, since: Timestamp) -> Result<Count, StoreError> {
        let from = Some(since.before(IDS_AHEAD_MAX));
        let (mut count, mut looked_at, mut start) = (0, 0, None);
        loop {
            let query = self.of_list(session, &List::Changed, from, None);
            // What was changed last comes first: it is what was made last, as a rule.
            let query = query.scan_index_forward(false).projection_expression("#sk");
            let query = query.set_exclusive_start_key(start);
            let limit = i32::try_from(COUNTED_MAX).unwrap_or(i32::MAX);
            let answer = query.limit(limit).send().await.map_err(StoreError::unavailable)?;
            for item in answer.items() {
                let SortKey::ByChange(place) = Fields(item).sort_key()? else {
                    return Err(Fields(item).damaged("a place in a list"));
                };
                count += usize::from(place.record.made_at() >= since);
            }
            looked_at += answer.items().len();
            start = answer.last_evaluated_key;
            let is_over = start.is_none();
            if is_over || count > COUNTED_MAX || looked_at >= LOOKED_AT_MAX {
                let more = !is_over || count > COUNTED_MAX;
                return Ok(Count { count: count.min(COUNTED_MAX), more });
            }
        }
    }

    fn of_list(
        &self,
        session: &Session,
        list: &List,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> QueryFluentBuilder {
        let tables = &self.database.tables;
        let partition = keys::list_partition(&tables.restored_as, session.customer.id(), list);
        self.database.between(TableKind::Index, &partition, range(from, until))
    }
}
