//! Who wants a mail each day, and what it has: what they were told and have not read.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use domain::{CustomerId, Record, Revision, Timestamp, UserId};

use super::Operator;
use crate::batch::Batch;
use crate::cards::read_card;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::notices::{Notice, READ};
use crate::tables::met_condition;
use crate::{CustomerProfile, PersonCard, StoreError, TableKind, UserProfile};

/// When the last mail was sent.
const SENT_AT: &str = "sent_at_ms";
/// A mail has no more than this.
const NOTICES_MAX: usize = 50;
/// Among so many of the newest notices, those that were not read are told.
const LOOKED_AT: i32 = 300;

/// Somebody who wants a mail each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub customer: CustomerId,
    pub user: UserId,
    /// When they were sent the last mail.
    pub sent_at: Option<Timestamp>,
}

/// What somebody was told and has not read.
#[derive(Debug)]
pub struct Unread {
    /// Whom the mail goes to.
    pub card: PersonCard,
    pub company: CustomerProfile,
    /// The newest first.
    pub told: Vec<Told>,
}

/// Something that somebody was told.
#[derive(Debug)]
pub struct Told {
    pub notice: Notice,
    pub record: Record,
    /// Who has done it, if that is known.
    pub by: Option<PersonCard>,
}

impl Operator {
    /// All who want a mail each day, of all customers.
    pub async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        let table = self.table_name(TableKind::Accounts);
        let mut all = Vec::new();
        for number in 0..keys::DAILY_PARTITIONS {
            for row in self.database.rows(table, &keys::daily_partition(number), "").await? {
                if let SortKey::Daily(customer, user) = Fields(&row).sort_key()? {
                    let sent_at = row.contains_key(SENT_AT).then(|| Fields(&row).time(SENT_AT));
                    all.push(Subscriber { customer, user, sent_at: sent_at.transpose()? });
                }
            }
        }
        Ok(all)
    }

    /// What they have not read of what they were told since a time. `None`: nothing, or they do not belong there now.
    pub async fn unread(
        &self,
        who: Subscriber,
        since: Timestamp,
    ) -> Result<Option<Unread>, StoreError> {
        let Subscriber { customer, user, .. } = who;
        let told = self.told(who, since).await?;
        if told.is_empty() {
            return Ok(None);
        }
        let partition = keys::customer_partition(customer);
        let mut batch = Batch::default();
        let records: BTreeSet<_> = told.iter().map(|it| it.place.record).collect();
        for record in records {
            let records = self.table_name(TableKind::Records);
            batch.add(records, &partition, &SortKey::Record(record));
        }
        let people: BTreeSet<UserId> = told.iter().map(|it| it.by).chain([user]).collect();
        // A hundred keys at most, with the person's own card, the person and the company.
        let cards = people.iter().take(Batch::KEYS_MAX - told.len() - 3).chain([&user]);
        let cards: BTreeSet<&UserId> = cards.collect();
        let accounts = self.table_name(TableKind::Accounts);
        cards.into_iter().for_each(|it| batch.add(accounts, &partition, &SortKey::Card(*it)));
        for key in [SortKey::User(user), SortKey::Customer] {
            batch.add(accounts, &partition, &key);
        }
        let mut found = HashMap::new();
        for item in batch.read(&self.database.dynamo).await? {
            found.insert(Fields(&item).text(items::SORT)?.to_owned(), item);
        }
        let item = |sort: SortKey| found.get(&sort.to_string());
        let card = |who| item(SortKey::Card(who)).map(read_card).transpose();
        let own = item(SortKey::User(user)).map(items::read_revision::<UserProfile>).transpose()?;
        let Some(own) = own.filter(|it| !it.deleted) else { return Ok(None) };
        let own = card(user)?.or_else(|| own.content.earlier_card());
        let company = item(SortKey::Customer).map(items::read_revision::<CustomerProfile>);
        let (Some(own), Some(company)) = (own, company.transpose()?) else { return Ok(None) };
        let mut shown = Vec::new();
        for notice in told {
            let Some(record) = item(SortKey::Record(notice.place.record)) else { continue };
            let record: Revision<Record> = items::read_revision(record)?;
            if !record.deleted {
                let by = card(notice.by)?;
                shown.push(Told { notice, record: record.content, by });
            }
        }
        let is_at_work = company.content.suspended.is_none();
        let unread = Unread { card: own, company: company.content, told: shown };
        Ok((is_at_work && !unread.told.is_empty()).then_some(unread))
    }

    /// The newest notices since a time that were not read.
    async fn told(&self, who: Subscriber, since: Timestamp) -> Result<Vec<Notice>, StoreError> {
        let restored_as = &self.tables().restored_as;
        let partition = keys::inbox_partition(restored_as, who.customer, who.user);
        let low = format!("{}{:013}", keys::NOTICE_PREFIX, since.millis().max(0));
        let bounds = (low, format!("{}~", keys::NOTICE_PREFIX));
        let query = self.database.between(TableKind::Index, &partition, bounds);
        let answer = query
            .scan_index_forward(false)
            .limit(LOOKED_AT)
            .filter_expression("attribute_not_exists(#read)")
            .expression_attribute_names("#read", READ)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        answer.items().iter().take(NOTICES_MAX).map(Notice::read).collect()
    }

    /// Notes that somebody is sent a mail now. `false`: another one is sent, or none is wanted any more.
    pub async fn note_daily_sent(
        &self,
        who: Subscriber,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self.daily(who, who.sent_at).update_expression("SET #sent_at = :now");
        let update = update.expression_attribute_values(":now", items::number(now.millis()));
        met_condition(update.send().await)
    }

    /// Notes that the mail of `now` was not taken: it is as it was before.
    pub async fn note_daily_failed(
        &self,
        who: Subscriber,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self.daily(who, Some(now));
        let update = match who.sent_at {
            Some(before) => update
                .update_expression("SET #sent_at = :before")
                .expression_attribute_values(":before", items::number(before.millis())),
            None => update.update_expression("REMOVE #sent_at"),
        };
        met_condition(update.send().await)
    }

    /// A change of what is noted of somebody, if the last mail is of this time.
    fn daily(&self, who: Subscriber, last: Option<Timestamp>) -> UpdateItemFluentBuilder {
        let partition = keys::daily_partition(keys::daily_number(who.user));
        let update = self
            .database
            .dynamo
            .update_item()
            .table_name(self.table_name(TableKind::Accounts))
            .set_key(Some(items::key(&partition, &SortKey::Daily(who.customer, who.user))))
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sent_at", SENT_AT);
        match last {
            None => update
                .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#sent_at)"),
            Some(last) => update
                .condition_expression("attribute_exists(#pk) AND #sent_at = :last")
                .expression_attribute_values(":last", items::number(last.millis())),
        }
    }
}
