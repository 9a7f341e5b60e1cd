//! Partition keys, and what the sort keys of whole groups start with.

use domain::{
    AppendixId, CustomerId, Digest, LoginId, RecordId, ShortName, SignInName, Timestamp, TokenHash,
    UserId,
};

use super::SortKey;
use crate::index::List;
use crate::indexed::Worded;

/// The partition of all that a customer owns.
pub(crate) fn customer_partition(customer: CustomerId) -> String {
    customer.to_string()
}

/// The partition of one name that somebody logs in with. It is hashed: keys are named in logs.
pub(crate) fn sign_in_partition(name: &SignInName) -> String {
    format!("LOGIN#{}", name_hash(name))
}

/// The partition of what opens the accounts of one person.
pub(crate) fn login_partition(login: LoginId) -> String {
    format!("LOGIN#{login}")
}

/// The partition of one short name of a company's.
pub(crate) fn short_name_partition(name: &ShortName) -> String {
    format!("SHORT#{name}")
}

/// What the sort keys of all sessions, and of all counts of what is kept, start with.
pub(crate) const SESSION_PREFIX: &str = "SESSION#";
pub(crate) const USAGE_PREFIX: &str = "USAGE#";

/// What the sort keys of all sessions of a user start with.
pub(crate) fn sessions_prefix(user: UserId) -> String {
    format!("SESSION#{user}#")
}

/// What the sort keys of all events start with.
pub(crate) const EVENT_PREFIX: &str = "EVENT#";

/// What the sort keys of all users and cards start with, and of all invitations and whom they were sent to.
pub(crate) const USER_PREFIX: &str = "USER#";
pub(crate) const CARD_PREFIX: &str = "CARD#";
pub(crate) const INVITATIONS_PREFIX: &str = "INVIT";

/// What the sort keys of a person's further companies start with.
pub(crate) const MEMBER_PREFIX: &str = "MEMBER#";

/// Sign-ups happen before there is a customer.
pub(crate) fn sign_up_partition(name: &SignInName) -> String {
    format!("SIGNUP#{}", name_hash(name))
}

/// The partition of what lets somebody sign up, by the hash of its token.
pub(crate) fn sign_up_link_partition(hash: &TokenHash) -> String {
    format!("LINK#{hash}")
}

/// Letters to an address are counted as if it were a source.
pub(crate) fn letters_source(name: &SignInName) -> String {
    format!("letters-{}", name_hash(name))
}

/// The partition of what is counted of one source.
pub(crate) fn source_partition(source: &str) -> String {
    format!("SOURCE#{source}")
}

/// The attribute that counts the attempts to log in with one address, beside those of others. A
/// quarter of the hash tells the few hundred apart that one item can have, and keeps it small.
pub(crate) fn account_attempts(name: &SignInName) -> String {
    let hash = name_hash(name).to_string();
    format!("account_{}", &hash[..hash.len() / 4])
}

fn name_hash(name: &SignInName) -> Digest {
    Digest::of(&[name.as_str().as_bytes()])
}

/// The partitions of the ledger: of the backup runs, the restores of the service, who was forgotten, and how the
/// policy is kept.
pub(crate) const BACKUPS_PARTITION: &str = "BACKUPS";
pub(crate) const RESTORES_PARTITION: &str = "RESTORES";
pub(crate) const FORGOTTEN_PARTITION: &str = "FORGOTTEN";
pub(crate) const POLICY_PARTITION: &str = "POLICY";

/// The partition of issues in Sentry: of sessions, while their crashes are to be deleted, and of the
/// ledger afterwards.
pub(crate) const ISSUES_PARTITION: &str = "ISSUES";

/// The partition of one crash that a device has sent.
pub(crate) fn crash_partition(id: &str) -> String {
    format!("CRASH#{id}")
}

/// What the partitions of the ledger start with that say what a customer has erased. Their sort
/// keys are those of the things.
pub(crate) const ERASED_PREFIX: &str = "ERASED#";

/// The partition of what a customer has erased.
pub(crate) fn erased_partition(customer: CustomerId) -> String {
    format!("{ERASED_PREFIX}{customer}")
}

/// What the sort keys of all backup runs, links of the chain and verifications start with.
pub(crate) const RUN_PREFIX: &str = "RUN#";
pub(crate) const LINK_PREFIX: &str = "CHAIN#";
pub(crate) const VERIFICATION_PREFIX: &str = "VERIFIED#";

/// What the sort keys of a run's verifications start with.
pub(crate) fn verifications_prefix(run: Timestamp) -> String {
    format!("VERIFIED#{:013}#", run.millis())
}

/// What the sort keys of all revisions start with.
pub(crate) const REVISION_PREFIX: &str = "REVISION#";

/// What the sort keys of all types start with.
pub(crate) const TYPE_PREFIX: &str = "TYPE#";

/// What the sort keys of all records start with.
pub(crate) const RECORD_PREFIX: &str = "RECORD#";

/// What the sort keys of all appendices and their versions start with.
pub(crate) const APPENDIX_PREFIX: &str = "APPENDIX#";

/// What the sort keys of all comments start with.
pub(crate) const COMMENT_PREFIX: &str = "COMMENT#";

/// What the sort keys of one record's comments start with.
pub(crate) fn comments_prefix(record: RecordId) -> String {
    format!("{COMMENT_PREFIX}{record}#")
}

/// The same of one record's.
pub(crate) fn appendices_prefix(record: RecordId) -> String {
    format!("{APPENDIX_PREFIX}{record}#")
}

/// What the sort keys of one appendix and of its versions start with.
pub(crate) fn appendix_prefix(record: RecordId, appendix: AppendixId) -> String {
    SortKey::Appendix(record, appendix).to_string()
}

/// What the sort keys of a thing's revisions start with.
pub(crate) fn revisions_prefix(of: &SortKey) -> String {
    format!("REVISION#{of}#")
}

/// The partition of the index that has a customer's lists, of the service as it was restored last.
pub(crate) fn index_partition(restored_as: &str, customer: CustomerId) -> String {
    of_restored(restored_as, &customer_partition(customer))
}

/// The partition of one list of a customer's.
pub(crate) fn list_partition(restored_as: &str, customer: CustomerId, list: &List) -> String {
    let all = index_partition(restored_as, customer);
    match list {
        List::Changed => all,
        List::Open => format!("{all}#open"),
        List::Type(record_type, standing) => {
            format!("{all}#type#{record_type}#{}", standing.name())
        }
        List::State(record_type, state) => format!("{all}#state#{record_type}#{state}"),
        List::Assignee(user, standing) => format!("{all}#assignee#{user}#{}", standing.name()),
        List::About(record, standing) => format!("{all}#about#{record}#{}", standing.name()),
        List::Unassigned => format!("{all}#unassigned"),
        List::Due => format!("{all}#due"),
        List::Closed => format!("{all}#closed"),
    }
}

/// The partition of a customer's records that have words that begin like this, or of what is said about records. An earlier
/// release knows the first alone.
pub(crate) fn words_partition(
    restored_as: &str,
    customer: CustomerId,
    is_said: bool,
    start: &str,
) -> String {
    let of = if is_said { "said" } else { "word" };
    format!("{}#{of}#{start}", index_partition(restored_as, customer))
}

/// The partition of one lane of a customer's feed.
pub(crate) fn lane_partition(restored_as: &str, customer: CustomerId, lane: u8) -> String {
    format!("{}#lane#{lane}", index_partition(restored_as, customer))
}

/// The partition of what somebody of a customer's is told.
pub(crate) fn inbox_partition(restored_as: &str, customer: CustomerId, user: UserId) -> String {
    format!("{}#inbox#{user}", index_partition(restored_as, customer))
}

/// What the sort keys of all notices start with.
pub(crate) const NOTICE_PREFIX: &str = "NOTICE#";

/// So many partitions have those who want a mail each day: all customers share them.
pub(crate) const DAILY_PARTITIONS: u8 = 16;

/// Which of these partitions somebody is in.
pub(crate) const fn daily_number(user: UserId) -> u8 {
    user.to_bytes()[15] % DAILY_PARTITIONS
}

pub(crate) fn daily_partition(number: u8) -> String {
    format!("DAILY#{number}")
}

/// So many partitions have the records whose words are to be written yet, and as many what was said about them: all
/// customers share them. An earlier release knows those of the records.
const UNINDEXED_PARTITIONS_EACH: u8 = 16;
pub(crate) const UNINDEXED_PARTITIONS: u8 = 2 * UNINDEXED_PARTITIONS_EACH;

/// Which of these partitions a thing is in.
pub(crate) const fn unindexed_number(of: &Worded) -> u8 {
    let number = of.record.to_bytes()[15] % UNINDEXED_PARTITIONS_EACH;
    if of.comment.is_some() { UNINDEXED_PARTITIONS_EACH + number } else { number }
}

/// One of the partitions of things whose words are to be written yet.
pub(crate) fn unindexed_partition(restored_as: &str, number: u8) -> String {
    of_restored(restored_as, &format!("UNINDEXED#{number}"))
}

/// The partition that says whether the index of the service, as it was restored last, was made.
pub(crate) fn index_built_partition(restored_as: &str) -> String {
    of_restored(restored_as, "INDEX")
}

/// The tables from before a restore keep their part of the index, for they may come back.
fn of_restored(restored_as: &str, partition: &str) -> String {
    match restored_as {
        "" => partition.to_owned(),
        suffix => format!("{suffix}#{partition}"),
    }
}

/// The first list there was was that of the newest changes; all are sorted like it.
pub(super) const BY_CHANGE: &str = "changed";

/// What the sort keys of all items of words start with.
pub(crate) const WORD_PREFIX: &str = "WORD#";

/// What the sort keys of all records whose words are to be written yet start with.
pub(crate) const UNINDEXED_PREFIX: &str = "UNINDEXED#";

/// What the sort keys of places in lists start with.
pub(crate) const BY_CHANGE_PREFIX: &str = "LIST#changed#";
