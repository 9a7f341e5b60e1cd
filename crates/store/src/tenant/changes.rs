//! The feed of a customer's changes: what was changed since a reader was there last, each thing as it is now. How it misses
//! nothing is in `feed`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::{
    Appendix, AppendixId, AppendixVersion, Comment, CommentId, Definition, Record, RecordId,
    RecordType, Revision, Timestamp, Version, VersionNumber,
};
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;

use super::feed_place::{Ends, FeedPlace, LaneEnds};
use super::people::person;
use super::{Person, Session};
use crate::batch::Batch;
use crate::cards::read_card;
use crate::feed::{KnownEnd, LANES, LaneEnd, Pointer, begin_lane};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Kind, Store, StoreError, TableKind};

/// So many pointers of each lane are read at once.
const POINTERS_AT_ONCE: i32 = 50;
/// Nothing is added to a page beyond it; a record more, or an appendix, still fits an answer.
const PAGE_BYTES: usize = 1_000_000;
/// A pointer is seen before its thing for as long as a transaction takes to be everywhere. What is missing after this
/// long is missing: it is told as it is, and stops nobody.
const TORN_FOR_AT_MOST: Duration = Duration::from_secs(15 * 60);

/// What the feed tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// With what people say about them.
    Records,
    Appendices,
    Types,
    People,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Records, Self::Appendices, Self::Types, Self::People];

    const fn of(thing: &SortKey) -> Option<Self> {
        Some(match thing.kind() {
            Kind::Record | Kind::Comment => Self::Records,
            Kind::Appendix | Kind::AppendixVersion => Self::Appendices,
            Kind::Type => Self::Types,
            Kind::User => Self::People,
            _ => return None,
        })
    }
}

/// A thing that was changed, as it is now.
#[derive(Clone, Debug)]
pub enum Changed {
    Record(RecordId, Revision<Record>),
    Appendix(RecordId, AppendixId, Revision<Appendix>),
    AppendixVersion(RecordId, AppendixId, VersionNumber, Revision<AppendixVersion>),
    Comment(RecordId, CommentId, Revision<Comment>),
    Type(RecordType, Revision<Definition>),
    Person(Person),
}

/// Some of the changes after a place.
#[derive(Debug)]
pub struct ChangePage {
    pub changes: Vec<Changed>,
    /// Where the reader is with them.
    pub place: FeedPlace,
    /// Whether there are more already.
    pub more: bool,
}

impl Store {
    /// The place at the end of the feed: whoever lists everything after having taken it, and then reads on from there,
    /// has seen everything.
    pub async fn end_of_feed(
        &self,
        session: &Session,
        mut ends: Ends,
        now: Timestamp,
    ) -> Result<FeedPlace, StoreError> {
        loop {
            let mut lanes = Vec::new();
            for (lane, end) in (0..LANES).zip(&ends.0) {
                match end {
                    KnownEnd::At(end) => lanes.push(*end),
                    KnownEnd::Unknown | KnownEnd::NotBegun => {
                        begin_lane(&self.database, session.customer.id(), lane).await?;
                    }
                }
            }
            if lanes.len() == usize::from(LANES) {
                return Ok(FeedPlace { taken_at: now, lanes });
            }
            ends = self.read(session, LaneEnds).await?;
        }
    }

    /// What was changed after a place, of these topics. `None`: it cannot be told any more what was, and the reader has to
    /// list everything again.
    pub async fn changes(
        &self,
        session: &Session,
        ends: &Ends,
        place: FeedPlace,
        topics: &[Topic],
        now: Timestamp,
    ) -> Result<Option<ChangePage>, StoreError> {
        if !place.can_go_on(ends, now) {
            return Ok(None);
        }
        let mut reading = Reading {
            place: FeedPlace { taken_at: now, ..place },
            stopped: [false; LANES as usize],
            told: HashSet::new(),
            changes: Vec::new(),
            bytes: 0,
            now,
        };
        let pointers = self.pointers(session, ends, &reading.place).await?;
        let wanted = |it: &&(usize, Pointer)| {
            Topic::of(&it.1.thing).is_some_and(|topic| topics.contains(&topic))
        };
        let things = self.things(session, pointers.iter().filter(wanted).map(|(_, it)| it)).await?;
        for pointer in &pointers {
            let is_wanted = wanted(&pointer);
            if !reading.take(pointer.0, &pointer.1, is_wanted.then_some(&things)) {
                break;
            }
        }
        let ended = |(place, end): (&LaneEnd, &KnownEnd)| matches!(end, KnownEnd::At(end) if place.last >= end.last);
        let more = !reading.place.lanes.iter().zip(&ends.0).all(ended);
        Ok(Some(ChangePage { changes: reading.changes, place: reading.place, more }))
    }

    /// The pointers after a place, of each lane without gaps, and all in the order of their changes.
    async fn pointers(
        &self,
        session: &Session,
        ends: &Ends,
        place: &FeedPlace,
    ) -> Result<Vec<(usize, Pointer)>, StoreError> {
        let lanes = place.lanes.iter().zip(&ends.0).zip(0..LANES);
        let behind = lanes.filter_map(|((place, end), lane)| match end {
            KnownEnd::At(end) if end.last > place.last => Some((lane, place.last, end.last)),
            _ => None,
        });
        let lanes = behind.map(|(lane, after, end)| self.lane(session, lane, after, end));
        let lanes = try_join_all(lanes).await?;
        let mut lanes: Vec<_> = lanes.into_iter().map(|it| it.into_iter().peekable()).collect();
        let mut merged = Vec::new();
        loop {
            let first = lanes.iter_mut().filter_map(|lane| {
                let at = lane.peek()?.1.at;
                Some((at, lane))
            });
            let Some((_, lane)) = first.min_by_key(|(at, _)| *at) else { return Ok(merged) };
            merged.extend(lane.next());
        }
    }

    /// The next pointers of a lane after a number, up to the first that cannot be seen yet. A pointer can be seen before
    /// the end of its lane can: who went past that end would find the lane too short the next time.
    async fn lane(
        &self,
        session: &Session,
        lane: u8,
        after: u64,
        end: u64,
    ) -> Result<Vec<(usize, Pointer)>, StoreError> {
        let tables = &self.database.tables;
        let partition = keys::lane_partition(&tables.restored_as, session.customer.id(), lane);
        let bounds = [after + 1, end].map(|number| SortKey::Pointer(number).to_string());
        let query = self.database.between(TableKind::Index, &partition, bounds.into());
        let answer = query.limit(POINTERS_AT_ONCE).send().await.map_err(StoreError::unavailable)?;
        let pointers = answer.items.unwrap_or_default();
        let pointers = pointers.iter().map(Pointer::read).collect::<Result<Vec<_>, _>>()?;
        let without_gaps = pointers.into_iter().zip(after + 1..);
        let without_gaps = without_gaps.take_while(|(pointer, number)| pointer.number == *number);
        Ok(without_gaps.map(|(pointer, _)| (usize::from(lane), pointer)).collect())
    }

    /// The things that pointers are to, and of people their cards, by their sort keys.
    async fn things(
        &self,
        session: &Session,
        pointers: impl Iterator<Item = &Pointer>,
    ) -> Result<HashMap<String, Item>, StoreError> {
        let partition = keys::customer_partition(session.customer.id());
        let mut keys: Vec<SortKey> = Vec::new();
        let mut known = HashSet::new();
        for pointer in pointers.filter(|it| known.insert(it.thing.to_string())) {
            if let SortKey::User(user) = pointer.thing {
                keys.push(SortKey::Card(user));
            }
            keys.push(pointer.thing.clone());
        }
        let batches = keys.chunks(Batch::KEYS_MAX).map(|some| {
            let mut batch = Batch::default();
            for key in some {
                let table = self.database.tables.name(key.kind().home());
                batch.add(table, &partition, key);
            }
            batch.read(&self.database.dynamo)
        });
        let found = try_join_all(batches).await?.into_iter().flatten();
        let named = |item: Item| Ok((Fields(&item).text(items::SORT)?.to_owned(), item));
        found.map(named).collect()
    }
}

/// A page that is being made.
struct Reading {
    place: FeedPlace,
    /// Lanes of which nothing more can be seen yet.
    stopped: [bool; LANES as usize],
    told: HashSet<String>,
    changes: Vec<Changed>,
    bytes: usize,
    now: Timestamp,
}

impl Reading {
    /// Goes past a pointer, and tells of its thing unless that was done, or is not wanted. False: the page is full.
    fn take(
        &mut self,
        lane: usize,
        pointer: &Pointer,
        things: Option<&HashMap<String, Item>>,
    ) -> bool {
        if self.stopped[lane] {
            return true;
        }
        if let Some(things) = things {
            let name = pointer.thing.to_string();
            let item = things.get(&name);
            let version = item.and_then(|it| Fields(it).parse::<Version>(items::VERSION).ok());
            if version.is_none_or(|version| version < pointer.version) {
                if self.now.since(pointer.at) < TORN_FOR_AT_MOST {
                    self.stopped[lane] = true;
                    return true;
                }
                let (thing, version) = (&name, pointer.version);
                tracing::error!(thing, %version, "the feed tells of what is not there");
            }
            if let Some(item) = item.filter(|_| !self.told.contains(&name)) {
                if self.bytes >= PAGE_BYTES {
                    return false;
                }
                self.bytes += Fields(item).text(items::CONTENT).map_or(0, str::len);
                match changed(&pointer.thing, item, things) {
                    Ok(changed) => self.changes.extend(changed),
                    Err(error) => {
                        let cause = &error as &dyn std::error::Error;
                        tracing::error!(cause, "left out of the feed");
                    }
                }
                self.told.insert(name);
            }
        }
        self.place.lanes[lane].last = pointer.number;
        true
    }
}

/// What an item is, as readers of the feed see it.
fn changed(
    thing: &SortKey,
    item: &Item,
    things: &HashMap<String, Item>,
) -> Result<Option<Changed>, StoreError> {
    fn read<T: DeserializeOwned>(item: &Item) -> Result<Revision<T>, StoreError> {
        items::read_revision(item)
    }
    Ok(Some(match thing {
        SortKey::Record(id) => Changed::Record(*id, read(item)?),
        SortKey::Appendix(record, id) => Changed::Appendix(*record, *id, read(item)?),
        SortKey::AppendixVersion(record, id, number) => {
            Changed::AppendixVersion(*record, *id, *number, read(item)?)
        }
        SortKey::Comment(record, id) => Changed::Comment(*record, *id, read(item)?),
        SortKey::Type(name) => Changed::Type(name.clone(), read(item)?),
        SortKey::User(user) => {
            let card = things.get(&SortKey::Card(*user).to_string()).map(read_card).transpose()?;
            return Ok(person(*user, item, card)?.map(Changed::Person));
        }
        _ => return Ok(None),
    }))
}
