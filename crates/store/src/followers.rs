//! Who is told of the changes of a record: who made it, who is to work on it, and who has chosen to be; but not who has
//! chosen not to be. What people have chosen is one item, so that a change reads it together with the session.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Record, Revision, UserId};

use crate::feed::KnownEnd;
use crate::items::Item;

/// Those who want to be told, and those who do not.
pub(crate) const FOLLOW: &str = "follow";
pub(crate) const IGNORE: &str = "ignore";

/// So many people can choose to be told of one record: a change tells each in its transaction.
pub(crate) const FOLLOWERS_MAX: usize = 15;

/// What people have chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followers {
    follow: BTreeSet<UserId>,
    ignore: BTreeSet<UserId>,
}

impl Followers {
    /// Of the item, if anybody has chosen. What cannot be read is nobody's choice.
    pub(crate) fn of(item: Option<&Item>) -> Self {
        let people = |name| match item.and_then(|item| item.get(name)) {
            Some(AttributeValue::Ss(ids)) => ids.iter().filter_map(|id| id.parse().ok()).collect(),
            _ => BTreeSet::new(),
        };
        Self { follow: people(FOLLOW), ignore: people(IGNORE) }
    }

    /// All who are told of a record's changes.
    pub(crate) fn all(&self, record: &Revision<Record>) -> impl Iterator<Item = UserId> {
        let own =
            std::iter::once(record.created_by).chain(record.content.assignees.iter().copied());
        own.chain(self.follow.iter().copied()).filter(|who| !self.ignore.contains(who))
    }

    /// Whether somebody is told of a record's changes.
    pub fn has(&self, record: &Revision<Record>, who: UserId) -> bool {
        self.all(record).any(|it| it == who)
    }
}

/// To whom a change of a record is told: the feed, where its lane ends, and those who follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    pub(crate) lane: KnownEnd,
    pub(crate) followers: Followers,
}
