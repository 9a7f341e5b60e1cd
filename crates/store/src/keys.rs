//! Every key string, in one place. docs/DATA.md has the table of who reads which.
//!
//! The partition key of all that a customer owns is the customer's id, so one query finds all of
//! it and no key of another customer's can be named by mistake.

use std::fmt;
use std::str::FromStr;

use domain::{
    AppendixId, CustomerId, Digest, Email, RecordId, RuleError, Timestamp, TokenHash, UserId,
    Version, VersionNumber,
};

/// A client's name for one attempt to do something, so that a repeated POST is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl FromStr for IdempotencyKey {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
        if !fits {
            return Err(RuleError::new("must be 1 to 64 of A-Z, a-z, 0-9, '-', '_', '.' and ':'"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one item is, as its sort key below a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    Customer,
    User(UserId),
    Record(RecordId),
    Appendix(RecordId, AppendixId),
    AppendixVersion(RecordId, AppendixId, VersionNumber),
    /// One revision of the thing that the inner key names.
    Revision(Box<SortKey>, Version),
    /// The answer to a user's request.
    Request(UserId, IdempotencyKey),
    /// The answer to a sign-up, below [`sign_up_partition`].
    SignUp(IdempotencyKey),
    Session(String),
    /// The one item below [`login_partition`].
    Login,
    /// Attempts to log in and to sign up, of one window, below [`source_partition`]. A text, since
    /// an earlier release had the source there, as of crashes.
    Attempts(String),
    /// The backup run of one evening, in the ledger; what became of its jobs and of its restored
    /// copies is below the same partition.
    BackupRun(Timestamp),
    /// How a backup job ended.
    BackupJob(String),
    /// What was found in a restored copy of what one run has backed up, by the restore's job.
    Verification(Timestamp, String),
    /// A restore of the whole service to a moment: of two to the same, one is at work at a time.
    Restore(Timestamp),
    /// How one thing that the policy promises stands.
    Policy(String),
    /// Crashes, of one window, below [`source_partition`].
    Crashes(String),
    /// The one item below [`crash_partition`].
    Crash,
    /// An issue in Sentry that is resolved, and whose crashes are to be deleted.
    Resolved(String),
    /// The same in the ledger, once they are.
    Deleted(String),
}

impl SortKey {
    pub(crate) fn session(hash: &TokenHash) -> Self {
        Self::Session(hash.to_string())
    }

    /// Of the window that begins at `start`.
    pub(crate) fn attempts(start: Timestamp) -> Self {
        Self::Attempts(format!("{:013}", start.millis()))
    }

    /// Of the window that begins at `start`.
    pub(crate) fn crashes(start: Timestamp) -> Self {
        Self::Crashes(format!("{:013}", start.millis()))
    }

    pub(crate) fn revision(self, version: Version) -> Self {
        Self::Revision(Box::new(self), version)
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("CUSTOMER"),
            Self::User(user) => write!(f, "USER#{user}"),
            Self::Record(record) => write!(f, "RECORD#{record}"),
            Self::Appendix(record, appendix) => write!(f, "APPENDIX#{record}#{appendix}"),
            Self::AppendixVersion(record, appendix, number) => {
                write!(f, "APPENDIX#{record}#{appendix}#{:04}", number.get())
            }
            Self::Revision(of, version) => write!(f, "REVISION#{of}#{:010}", version.get()),
            Self::Request(user, key) => write!(f, "REQUEST#{user}#{key}"),
            Self::SignUp(key) => write!(f, "SIGNUP#{key}"),
            Self::Session(hash) => write!(f, "SESSION#{hash}"),
            Self::Login => f.write_str("LOGIN"),
            Self::Attempts(window) => write!(f, "ATTEMPTS#{window}"),
            // Thirteen digits of milliseconds sort as text until the year 2286.
            Self::BackupRun(scheduled_at) => write!(f, "RUN#{:013}", scheduled_at.millis()),
            Self::BackupJob(id) => write!(f, "JOB#{id}"),
            Self::Verification(run, job) => write!(f, "VERIFIED#{:013}#{job}", run.millis()),
            Self::Restore(to) => write!(f, "RESTORE#{:013}", to.millis()),
            Self::Policy(what) => write!(f, "POLICY#{what}"),
            Self::Crashes(window) => write!(f, "CRASHES#{window}"),
            Self::Crash => f.write_str("CRASH"),
            Self::Resolved(issue) => write!(f, "RESOLVED#{issue}"),
            Self::Deleted(issue) => write!(f, "DELETED#{issue}"),
        }
    }
}

impl FromStr for SortKey {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (kind, rest) = text.split_once('#').unwrap_or((text, ""));
        let parts: Vec<&str> = rest.split('#').collect();
        let key = match (kind, parts.as_slice()) {
            ("CUSTOMER", [""]) => Self::Customer,
            ("LOGIN", [""]) => Self::Login,
            ("USER", [user]) => Self::User(user.parse()?),
            ("RECORD", [record]) => Self::Record(record.parse()?),
            ("APPENDIX", [record, appendix]) => Self::Appendix(record.parse()?, appendix.parse()?),
            ("APPENDIX", [record, appendix, number]) => {
                Self::AppendixVersion(record.parse()?, appendix.parse()?, number.parse()?)
            }
            ("REVISION", [.., _]) => {
                let (of, version) = rest.rsplit_once('#').ok_or_else(unknown_key)?;
                Self::Revision(Box::new(of.parse()?), version.parse()?)
            }
            ("REQUEST", [user, key]) => Self::Request(user.parse()?, key.parse()?),
            ("SIGNUP", [key]) => Self::SignUp(key.parse()?),
            ("SESSION", [hash]) => Self::Session((*hash).to_owned()),
            ("ATTEMPTS", [window]) => Self::Attempts((*window).to_owned()),
            ("RUN", [millis]) => Self::BackupRun(time(millis)?),
            ("JOB", [id]) => Self::BackupJob((*id).to_owned()),
            ("VERIFIED", [run, job]) => Self::Verification(time(run)?, (*job).to_owned()),
            ("RESTORE", [millis]) => Self::Restore(time(millis)?),
            ("POLICY", [what]) => Self::Policy((*what).to_owned()),
            ("CRASHES", [window]) => Self::Crashes((*window).to_owned()),
            ("CRASH", [""]) => Self::Crash,
            ("RESOLVED", [issue]) => Self::Resolved((*issue).to_owned()),
            ("DELETED", [issue]) => Self::Deleted((*issue).to_owned()),
            _ => return Err(unknown_key()),
        };
        Ok(key)
    }
}

fn time(millis: &str) -> Result<Timestamp, RuleError> {
    millis.parse().map(Timestamp::from_millis).map_err(|_| unknown_key())
}

fn unknown_key() -> RuleError {
    RuleError::new("is no sort key of ours")
}

/// The partition of all that a customer owns.
pub(crate) fn customer_partition(customer: CustomerId) -> String {
    customer.to_string()
}

/// The partition of one e-mail address's login. The address is hashed: keys are named in logs.
pub(crate) fn login_partition(email: &Email) -> String {
    format!("LOGIN#{}", email_hash(email))
}

/// Sign-ups happen before there is a customer.
pub(crate) fn sign_up_partition(email: &Email) -> String {
    format!("SIGNUP#{}", email_hash(email))
}

/// The partition of what is counted of one source.
pub(crate) fn source_partition(source: &str) -> String {
    format!("SOURCE#{source}")
}

/// The attribute that counts the attempts to log in with one address, beside those of others. A
/// quarter of the hash tells the few hundred apart that one item can have, and keeps it small.
pub(crate) fn account_attempts(email: &Email) -> String {
    let hash = email_hash(email).to_string();
    format!("account_{}", &hash[..hash.len() / 4])
}

fn email_hash(email: &Email) -> Digest {
    Digest::of(&[email.as_str().as_bytes()])
}

/// The partition of the ledger that has the backup runs.
pub(crate) const BACKUPS_PARTITION: &str = "BACKUPS";

/// The partition of the ledger that has the restores of the service.
pub(crate) const RESTORES_PARTITION: &str = "RESTORES";

/// The partition of the ledger that says how the policy is kept.
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

/// What the sort keys of all backup runs start with.
pub(crate) const RUN_PREFIX: &str = "RUN#";

/// What the sort keys of a run's verifications start with.
pub(crate) fn verifications_prefix(run: Timestamp) -> String {
    format!("VERIFIED#{:013}#", run.millis())
}

/// What the sort keys of all revisions start with.
pub(crate) const REVISION_PREFIX: &str = "REVISION#";

/// What the sort keys of all records start with.
pub(crate) const RECORD_PREFIX: &str = "RECORD#";

/// What the sort keys of a record's appendices, and of their versions, start with.
pub(crate) fn appendices_prefix(record: RecordId) -> String {
    format!("APPENDIX#{record}#")
}

/// What the sort keys of one appendix and of its versions start with.
pub(crate) fn appendix_prefix(record: RecordId, appendix: AppendixId) -> String {
    SortKey::Appendix(record, appendix).to_string()
}

/// What the sort keys of a thing's revisions start with.
pub(crate) fn revisions_prefix(of: &SortKey) -> String {
    format!("REVISION#{of}#")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_kind() -> Vec<SortKey> {
        let user = UserId::from_bytes([1; 16]);
        let record = RecordId::from_bytes([2; 16]);
        let appendix = AppendixId::from_bytes([3; 16]);
        let number = VersionNumber::try_from(12).unwrap();
        let key: IdempotencyKey = "a-B_9.:".parse().unwrap();
        let version = Version::try_from(70).unwrap();
        let kinds = vec![
            SortKey::Customer,
            SortKey::User(user),
            SortKey::Record(record),
            SortKey::Appendix(record, appendix),
            SortKey::AppendixVersion(record, appendix, number),
            SortKey::Record(record).revision(version),
            SortKey::Customer.revision(version),
            SortKey::User(user).revision(version),
            SortKey::Appendix(record, appendix).revision(version),
            SortKey::AppendixVersion(record, appendix, number).revision(version),
            SortKey::Request(user, key.clone()),
            SortKey::SignUp(key),
            SortKey::Session("ab".repeat(32)),
            SortKey::Login,
            SortKey::attempts(Timestamp::from_millis(1_768_464_000_000)),
            SortKey::BackupRun(Timestamp::from_millis(1_768_464_000_000)),
            SortKey::BackupJob("4f3c-9a".to_owned()),
            SortKey::Verification(Timestamp::from_millis(1_768_464_000_000), "b-1".to_owned()),
            SortKey::Restore(Timestamp::from_millis(1_768_464_000_000)),
            SortKey::Policy("backup".to_owned()),
            SortKey::crashes(Timestamp::from_millis(1_768_464_000_000)),
            SortKey::Crash,
            SortKey::Resolved("7".to_owned()),
            SortKey::Deleted("7".to_owned()),
        ];
        // Fails to compile when a kind is added and not listed above.
        for kind in &kinds {
            match kind {
                SortKey::Customer
                | SortKey::User(_)
                | SortKey::Record(_)
                | SortKey::Appendix(..)
                | SortKey::AppendixVersion(..)
                | SortKey::Revision(..)
                | SortKey::Request(..)
                | SortKey::SignUp(_)
                | SortKey::Session(_)
                | SortKey::Login
                | SortKey::Attempts(_)
                | SortKey::BackupRun(_)
                | SortKey::BackupJob(_)
                | SortKey::Verification(..)
                | SortKey::Restore(_)
                | SortKey::Policy(_)
                | SortKey::Crashes(_)
                | SortKey::Crash
                | SortKey::Resolved(_)
                | SortKey::Deleted(_) => {}
            }
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
}
