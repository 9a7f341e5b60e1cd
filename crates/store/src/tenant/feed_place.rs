//! Where a reader of the feed is, and where its lanes end.

use std::fmt;
use std::str::FromStr;

use domain::{RecordId, RuleError, Timestamp};

use super::Read;
use super::reads::{FoundItems, Wanted};
use crate::feed::{CURSOR_KEPT, KnownEnd, LANES, LaneEnd, lane_of};
use crate::followers::{Followers, Readers};
use crate::keys::{self, SortKey, unknown_key};
use crate::{StoreError, TableKind};

/// To whom a change of a record is told, for whoever is about to change it.
pub struct ReadersOf(pub RecordId);

impl Read for ReadersOf {
    type Found = Readers;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.lane(lane_of(&SortKey::Record(self.0)));
        FollowersOf(self.0).ask(items);
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        let lane = items.item(&SortKey::Lane(lane_of(&SortKey::Record(self.0))));
        let lane = KnownEnd::of(lane)?;
        Ok(Readers { lane, followers: FollowersOf(self.0).find(items)? })
    }
}

/// Who has chosen to be told of a record's changes.
pub struct FollowersOf(pub RecordId);

impl Read for FollowersOf {
    type Found = Followers;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Followers(self.0));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        Ok(Followers::of(items.item(&SortKey::Followers(self.0))))
    }
}

/// Where all lanes end.
pub struct LaneEnds;

impl Read for LaneEnds {
    type Found = Ends;

    fn ask(&self, items: &mut Wanted<'_>) {
        (0..LANES).for_each(|lane| items.lane(lane));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        let ends = (0..LANES).map(|lane| KnownEnd::of(items.item(&SortKey::Lane(lane))));
        Ok(Ends(ends.collect::<Result<_, _>>()?))
    }
}

/// The ends of all lanes, as they were read.
#[derive(Clone, Debug)]
pub struct Ends(pub(super) Vec<KnownEnd>);

/// Where a reader of the feed is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPlace {
    pub(super) taken_at: Timestamp,
    pub(super) lanes: Vec<LaneEnd>,
}

impl fmt::Display for FeedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.taken_at.millis())?;
        self.lanes.iter().try_for_each(|lane| write!(f, ".{:x}-{}", lane.epoch, lane.last))
    }
}

impl FromStr for FeedPlace {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut parts = text.split('.');
        let taken_at = keys::time(parts.next().unwrap_or_default())?;
        let lane = |part: &str| {
            let (epoch, last) = part.split_once('-')?;
            let epoch = u64::from_str_radix(epoch, 16).ok()?;
            Some(LaneEnd { epoch, last: last.parse().ok()? })
        };
        let lanes: Vec<LaneEnd> = parts.map(lane).collect::<Option<_>>().ok_or_else(unknown_key)?;
        if lanes.len() != usize::from(LANES) {
            return Err(unknown_key());
        }
        Ok(Self { taken_at, lanes })
    }
}

impl FeedPlace {
    /// Whether everything after this place can still be told, to somebody who finds the lanes ending so.
    pub fn can_go_on(&self, Ends(ends): &Ends, now: Timestamp) -> bool {
        let is_same = |(place, end): (&LaneEnd, &KnownEnd)| match end {
            KnownEnd::At(end) => end.epoch == place.epoch && place.last <= end.last,
            KnownEnd::Unknown | KnownEnd::NotBegun => false,
        };
        now.since(self.taken_at) <= CURSOR_KEPT && self.lanes.iter().zip(ends).all(is_same)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn place(text: &str) -> Result<FeedPlace, RuleError> {
        text.parse()
    }

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let text = "1700000000000.1f-0.2-7.ffffffffffffffff-999999999999999.a-1.b-2.c-3";
        assert_eq!(place(text).unwrap().to_string(), text);
        for bad in [
            "",
            "1",
            "1.1-1.1-1.1-1.1-1.1-1",
            "1.1-1.1-1.1-1.1-1.1-1.1-1.1-1",
            "1.1.1.1.1",
            "x.1-1.1-1.1-1.1-1.1-1.1-1",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
        assert!(place("1.1-1.1-1.1-1.1-1.1-1.1--1").is_err());
    }

    #[test]
    fn a_place_of_other_lanes_or_of_long_ago_is_none() {
        let at = place("1000.1-5.2-5.3-5.4-5.5-5.6-5").unwrap();
        let ends = |epochs: [u64; 6], last: u64| {
            Ends(epochs.map(|epoch| KnownEnd::At(LaneEnd { epoch, last })).to_vec())
        };
        let now = Timestamp::from_millis(1000);
        assert!(at.can_go_on(&ends([1, 2, 3, 4, 5, 6], 5), now));
        assert!(at.can_go_on(&ends([1, 2, 3, 4, 5, 6], 6), now));
        // A lane that ends before it was read to, another one in its place, and none.
        assert!(!at.can_go_on(&ends([1, 2, 3, 4, 5, 6], 4), now));
        assert!(!at.can_go_on(&ends([1, 2, 9, 4, 5, 6], 6), now));
        assert!(!at.can_go_on(&Ends(vec![KnownEnd::NotBegun; 6]), now));
        let late = now.after(CURSOR_KEPT);
        assert!(at.can_go_on(&ends([1, 2, 3, 4, 5, 6], 5), late));
        assert!(!at.can_go_on(&ends([1, 2, 3, 4, 5, 6], 5), late.after(Duration::from_millis(1))));
    }
}
