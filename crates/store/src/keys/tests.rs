//! Every kind of key, as it is stored.

use domain::FromStored as _;

use super::*;
use crate::{Change, Reason};

/// A key of every kind.
pub(crate) fn every_kind() -> Vec<SortKey> {
    let user = UserId::from_bytes([1; 16]);
    let record = RecordId::from_bytes([2; 16]);
    let appendix = AppendixId::from_bytes([3; 16]);
    let number = VersionNumber::try_from(12).unwrap();
    let key: IdempotencyKey = "a-B_9.:".parse().unwrap();
    let version = Version::try_from(70).unwrap();
    let comment = CommentId::from_bytes([5; 16]);
    let unindexed = |of| {
        let (at, customer) =
            (Timestamp::from_millis(1_768_464_000_000), CustomerId::from_bytes([9; 16]));
        SortKey::Unindexed(Unindexed { at, customer, of, version })
    };
    let kinds = vec![
        SortKey::Customer,
        SortKey::User(user),
        SortKey::Type(RecordType::from_stored("deviation".to_owned())),
        SortKey::Type(RecordType::from_stored("deviation".to_owned())).revision(version),
        SortKey::Counter(RecordType::from_stored("deviation".to_owned())),
        SortKey::Word(Worded::record(record)),
        SortKey::Word(Worded::comment(record, comment)),
        unindexed(Worded::record(record)),
        unindexed(Worded::comment(record, comment)),
        SortKey::Daily(CustomerId::from_bytes([9; 16]), user),
        SortKey::Notice(NoticePlace {
            at: Timestamp::from_millis(1_768_464_000_000),
            record,
            reason: Reason::Mentioned,
            change: Change::Comment(comment),
        }),
        SortKey::Record(record),
        SortKey::Followers(record),
        SortKey::Appendix(record, appendix),
        SortKey::AppendixVersion(record, appendix, number),
        SortKey::Record(record).revision(version),
        SortKey::Customer.revision(version),
        SortKey::Usage(3),
        SortKey::ByChange(ChangeTime { at: Timestamp::from_millis(1_768_464_000_000), record }),
        SortKey::Comment(record, comment),
        SortKey::Lane(3),
        SortKey::Pointer(1042),
        SortKey::IndexBuilt,
        SortKey::User(user).revision(version),
        SortKey::Appendix(record, appendix).revision(version),
        SortKey::AppendixVersion(record, appendix, number).revision(version),
        SortKey::Request(user, key.clone()),
        SortKey::SignUp(key),
        SortKey::Session(Some(user), "ab".repeat(32)),
        SortKey::Session(None, "ab".repeat(32)),
        SortKey::SignIn,
        SortKey::SignUpLink,
        SortKey::Tries,
        SortKey::Forgotten(CustomerId::from_bytes([9; 16]), user),
        SortKey::Token(user, "ab".repeat(32)),
        SortKey::Event("1768464000000.0123456789abcdef".parse().unwrap()),
        SortKey::Login,
        SortKey::Member(CustomerId::from_bytes([9; 16]), user),
        SortKey::Reset("ab".repeat(32)),
        SortKey::Card(user),
        SortKey::Invitation(InvitationId::from_bytes([4; 16])),
        SortKey::Invitee(InvitationId::from_bytes([4; 16])),
        SortKey::ShortName,
        SortKey::Suspended,
        SortKey::attempts(Timestamp::from_millis(1_768_464_000_000)),
        SortKey::BackupRun(Timestamp::from_millis(1_768_464_000_000)),
        SortKey::BackupJob("4f3c-9a".to_owned()),
        SortKey::Verification(Timestamp::from_millis(1_768_464_000_000), "b-1".to_owned()),
        SortKey::Link(Timestamp::from_millis(1_768_464_000_000), "acknowledged".to_owned()),
        SortKey::Restore(Timestamp::from_millis(1_768_464_000_000)),
        SortKey::Policy("backup".to_owned()),
        SortKey::crashes(Timestamp::from_millis(1_768_464_000_000)),
        SortKey::Crash,
        SortKey::Resolved("7".to_owned()),
        SortKey::Deleted("7".to_owned()),
    ];
    for kind in Kind::ALL {
        assert!(kinds.iter().any(|key| key.kind() == *kind), "{kind:?} is not listed here");
    }
    kinds
}

#[test]
fn every_key_round_trips() {
    for key in every_kind() {
        assert_eq!(key.to_string().parse(), Ok(key.clone()), "{key}");
    }
}

#[test]
fn counts_of_an_earlier_release_are_read() {
    for key in ["ATTEMPTS#192.0.2.7", "ATTEMPTS#2001:db8:1:2::", "CRASHES#192.0.2.7"] {
        assert_eq!(key.parse::<SortKey>().map(|read| read.to_string()), Ok(key.to_owned()));
    }
}

#[test]
fn every_key_is_spelled_as_it_is_stored() {
    let keys: Vec<String> = every_kind().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(keys.join("\n"));
}

#[test]
fn no_two_kinds_share_a_prefix_that_is_queried() {
    let keys: Vec<String> = every_kind().iter().map(ToString::to_string).collect();
    let records = keys.iter().filter(|key| key.starts_with(RECORD_PREFIX));
    assert_eq!(records.count(), 1);
    let record = RecordId::from_bytes([2; 16]);
    let appendices = keys.iter().filter(|key| key.starts_with(&appendices_prefix(record)));
    assert_eq!(appendices.count(), 2);
    let revisions = revisions_prefix(&SortKey::Record(record));
    assert_eq!(keys.iter().filter(|key| key.starts_with(&revisions)).count(), 1);
}

#[test]
fn versions_sort_as_text_like_numbers() {
    let key = |n: u64| SortKey::Customer.revision(n.try_into().unwrap()).to_string();
    assert!(key(9) < key(10) && key(99_999) < key(100_000));
}

#[test]
fn an_idempotency_key_cannot_reach_into_another_key() {
    for text in ["", "a#b", "a b", "å", "a\n", &"a".repeat(65)] {
        assert!(text.parse::<IdempotencyKey>().is_err(), "{text:?}");
    }
}
