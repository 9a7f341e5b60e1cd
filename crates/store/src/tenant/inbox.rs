//! What somebody was told, and what of it they have read.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use domain::{Record, Revision};
use futures_util::future::try_join_all;

use super::reads::{FoundItems, Wanted};
use super::{Ask, Read, Reader, Session};
use crate::items;
use crate::keys::{self, SortKey};
use crate::notices::{self, Notice, NoticePlace, READ};
use crate::tables::met_condition;
use crate::{Store, StoreError, TableKind};

/// Among so many of the newest notices, those that were not read are counted.
pub const COUNTED: i32 = 200;

/// What whoever asks was told, the newest first.
pub struct ReadInbox {
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only what comes before this.
    pub before: Option<NoticePlace>,
}

#[derive(Debug)]
pub struct InboxPage {
    /// With the records that they are about, but for those that were deleted.
    pub notices: Vec<(Notice, Option<Revision<Record>>)>,
    /// How many of the newest two hundred were not read.
    pub unread: usize,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<NoticePlace>,
}

impl Ask for ReadInbox {
    type Answer = InboxPage;

    async fn ask(self, reader: Reader<'_>) -> Result<InboxPage, StoreError> {
        let (page, unread) = tokio::try_join!(self.notices(&reader), count_unread(&reader))?;
        let (notices, next_before) = page;
        let records = reader.records(notices.iter().map(|it| it.place.record)).await?;
        let mut shown = Vec::new();
        for notice in notices {
            let record = records.get(&notice.place.record).map(items::read_revision).transpose()?;
            shown.push((notice, record.filter(|it: &Revision<Record>| !it.deleted)));
        }
        Ok(InboxPage { notices: shown, unread, next_before })
    }
}

impl ReadInbox {
    async fn notices(
        &self,
        reader: &Reader<'_>,
    ) -> Result<(Vec<Notice>, Option<NoticePlace>), StoreError> {
        let tables = &reader.store.database.tables;
        let key = |at| notices::key(tables, reader.customer.id(), reader.user, at);
        let answer = inbox(reader)
            .limit(i32::from(self.limit))
            .set_exclusive_start_key(self.before.map(key))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let found = answer.items().iter().map(Notice::read).collect::<Result<Vec<_>, _>>()?;
        let more = answer.last_evaluated_key.is_some();
        let next_before = found.last().map(|it| it.place).filter(|_| more);
        Ok((found, next_before))
    }
}

async fn count_unread(reader: &Reader<'_>) -> Result<usize, StoreError> {
    let answer = inbox(reader)
        .limit(COUNTED)
        .select(Select::Count)
        .filter_expression("attribute_not_exists(#read)")
        .expression_attribute_names("#read", READ)
        .send()
        .await
        .map_err(StoreError::unavailable)?;
    Ok(usize::try_from(answer.count).unwrap_or(0))
}

/// The notices of whoever asks, the newest first.
fn inbox(reader: &Reader<'_>) -> QueryFluentBuilder {
    let database = &reader.store.database;
    let restored_as = &database.tables.restored_as;
    let partition = keys::inbox_partition(restored_as, reader.customer.id(), reader.user);
    let bounds = (keys::NOTICE_PREFIX.to_owned(), format!("{}~", keys::NOTICE_PREFIX));
    database.between(TableKind::Index, &partition, bounds).scan_index_forward(false)
}

/// Whether whoever asks wants a mail each day of what they were told.
pub struct WantsMail;

impl Read for WantsMail {
    type Found = bool;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.daily();
    }

    fn find(self, items: &FoundItems) -> Result<bool, StoreError> {
        Ok(items.item(&SortKey::Daily(items.customer(), items.user())).is_some())
    }
}

impl Store {
    /// Notes whether whoever asks wants a mail each day.
    pub async fn want_mail(&self, session: &Session, wants: bool) -> Result<(), StoreError> {
        let partition = keys::daily_partition(keys::daily_number(session.user));
        let sort = SortKey::Daily(session.customer.id(), session.user);
        let (table, key) = (self.database.tables.name(TableKind::Accounts), &partition);
        if wants {
            self.database.put(table, items::key(key, &sort)).await
        } else {
            self.database.delete(table, items::key(key, &sort)).await
        }
    }

    /// Notes that whoever asks has read these. What is not there any more is read.
    pub async fn mark_read(
        &self,
        session: &Session,
        places: &[NoticePlace],
    ) -> Result<(), StoreError> {
        let marked = places.iter().map(async |place| {
            let tables = &self.database.tables;
            let update = self.database.dynamo.update_item();
            let update = update
                .table_name(tables.name(TableKind::Index))
                .set_key(Some(notices::key(tables, session.customer.id(), session.user, *place)))
                .update_expression("SET #read = :read")
                .condition_expression("attribute_exists(#pk)")
                .expression_attribute_names("#read", READ)
                .expression_attribute_names("#pk", items::PARTITION)
                .expression_attribute_values(":read", AttributeValue::Bool(true));
            met_condition(update.send().await)
        });
        try_join_all(marked).await.map(drop)
    }
}
