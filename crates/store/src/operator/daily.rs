//! Who wants a mail each day, and what it has: what they were told and have not read.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::{CustomerId, Date, Record, Revision, Timestamp, UserId};

use super::Operator;
use crate::batch::Batch;
use crate::cards::read_card;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::notices::{Notice, READ};
use crate::{CustomerProfile, PersonCard, StoreError, TableKind, UserProfile};

/// The day of the last mail.
const SENT_ON: &str = "sent_on";
/// A mail has no more than this.
const NOTICES_MAX: i32 = 50;

/// Somebody who wants a mail each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub customer: CustomerId,
    pub user: UserId,
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
                    all.push(Subscriber { customer, user });
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
        let Subscriber { customer, user } = who;
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
            .limit(NOTICES_MAX)
            .filter_expression("attribute_not_exists(#read)")
            .expression_attribute_names("#read", READ)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        answer.items().iter().map(Notice::read).collect()
    }

    /// Notes that the mail of a day is sent. `false`: it was, or is not wanted any more.
    pub async fn note_daily_sent(&self, who: Subscriber, day: &Date) -> Result<bool, StoreError> {
        let partition = keys::daily_partition(keys::daily_number(who.user));
        let key = items::key(&partition, &SortKey::Daily(who.customer, who.user));
        let noted = self
            .database
            .dynamo
            .update_item()
            .table_name(self.table_name(TableKind::Accounts))
            .set_key(Some(key))
            .update_expression("SET #sent_on = :day")
            .condition_expression(
                "attribute_exists(#pk) AND (attribute_not_exists(#sent_on) OR #sent_on < :day)",
            )
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sent_on", SENT_ON)
            .expression_attribute_values(":day", items::text(day))
            .send()
            .await;
        match noted {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}
