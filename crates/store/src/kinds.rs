//! Every kind of item: in which tables it lives, and what becomes of it. Whatever treats items by their
//! kind - scans, manifests, restores, exports - reads it here; a kind that does not say both does not
//! compile.

#![deny(clippy::wildcard_enum_match_arm)]

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A thing as it is now. It changes by revisions, each of which stays.
    Revised,
    /// Written once and never again: what has lasted is in the proof.
    Lasting,
    /// Made from revisions, and can be made from them again: in no proof.
    Derived,
    /// Here today and gone tomorrow, or overwritten at will: in no proof.
    Transient,
}

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKind {
    /// Records, appendices and their revisions.
    Records,
    /// Customers, users and their revisions.
    Accounts,
    /// Which address opens which account.
    Logins,
    /// Sessions, counters, and other things that are soon over.
    Sessions,
    /// What was erased, backed up, verified and restored.
    Ledger,
    /// The order of lists. All of it can be made from the records again.
    Index,
}

/// What a restore of the service does with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It is filled with what it held at the moment that is restored.
    FromThePast,
    /// It starts empty: what was ended since would live again.
    Empty,
    /// It goes on, and has a part of its own that is made from the restored records.
    Rebuilt,
    /// It goes on as it is: it has to know what was erased since.
    None,
}

impl TableKind {
    pub const ALL: [Self; 6] =
        [Self::Records, Self::Accounts, Self::Logins, Self::Sessions, Self::Ledger, Self::Index];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Accounts => "accounts",
            Self::Logins => "logins",
            Self::Sessions => "sessions",
            Self::Ledger => "ledger",
            Self::Index => "index",
        }
    }

    /// Whether items of the table expire.
    pub const fn expires(self) -> bool {
        match self {
            Self::Records | Self::Accounts | Self::Logins | Self::Sessions | Self::Index => true,
            Self::Ledger => false,
        }
    }

    pub const fn restoration(self) -> Restoration {
        match self {
            Self::Records | Self::Accounts | Self::Logins => Restoration::FromThePast,
            Self::Sessions => Restoration::Empty,
            Self::Index => Restoration::Rebuilt,
            Self::Ledger => Restoration::None,
        }
    }

    /// The table whose lasting items say what this one has to hold: itself as a rule. What is known of a
    /// login without its table is in the first revision of its user. Nothing is promised of sessions.
    pub const fn proven_by(self) -> Option<Self> {
        match self {
            Self::Records | Self::Accounts | Self::Ledger => Some(self),
            Self::Logins => Some(Self::Accounts),
            Self::Sessions | Self::Index => None,
        }
    }

    /// Whether the table is backed up each evening. What can be made again need not be.
    pub fn is_backed_up(self) -> bool {
        self.restoration() != Restoration::Rebuilt
    }

    /// Whether things live here that change by revisions.
    pub fn has_revisions(self) -> bool {
        let revised = |kind: &Kind| kind.nature() == Nature::Revised;
        Kind::ALL.iter().filter(|kind| revised(kind)).any(|kind| kind.lives_in(self))
    }

    /// The tables where things live that change by revisions.
    pub fn all_with_revisions() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|table| table.has_revisions())
    }

    /// The tables that are backed up each evening.
    pub fn all_backed_up() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|table| table.is_backed_up())
    }

    /// The tables that a restore fills from the past.
    pub fn all_from_the_past() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|table| table.restoration() == Restoration::FromThePast)
    }
}

/// Declares every kind of key: how its sort key starts, in which tables it lives, and what becomes of it.
///
/// ```
/// use store::{Nature, TableKind};
/// store::kinds! {
///     /// A drawing.
///     Drawing: "DRAWING" in [Records], Revised;
/// }
/// assert_eq!(Kind::Drawing.nature(), Nature::Revised);
/// ```
///
/// A kind that does not say what becomes of it does not compile:
///
/// ```compile_fail
/// use store::{Nature, TableKind};
/// store::kinds! {
///     /// A drawing.
///     Drawing: "DRAWING" in [Records];
/// }
/// ```
///
/// Nor does one that does not say where it lives:
///
/// ```compile_fail
/// use store::{Nature, TableKind};
/// store::kinds! {
///     /// A drawing.
///     Drawing: "DRAWING", Revised;
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $prefix:literal in [$($table:ident),+], $nature:ident;)+) => {
        /// What an item is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What its sort keys start with, before the first `#`.
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$kind => $prefix,)+ }
            }

            pub const fn nature(self) -> Nature {
                match self { $(Self::$kind => Nature::$nature,)+ }
            }

            /// The table that it lives in, or the first one.
            pub const fn home(self) -> TableKind {
                match self { $(Self::$kind => [$(TableKind::$table),+][0],)+ }
            }

            pub fn lives_in(self, table: TableKind) -> bool {
                match self { $(Self::$kind => [$(TableKind::$table),+].contains(&table),)+ }
            }
        }
    };
}

kinds! {
    /// A customer.
    Customer: "CUSTOMER" in [Accounts], Revised;
    /// A person of a customer's.
    User: "USER" in [Accounts], Revised;
    /// What is personal of a person of a customer's.
    Card: "CARD" in [Accounts], Transient;
    /// What lets somebody into a company.
    Invitation: "INVITATION" in [Accounts], Revised;
    /// Whom an invitation was sent to.
    Invitee: "INVITEE" in [Accounts], Transient;
    /// That nobody works at a company for now.
    Suspended: "SUSPENDED" in [Accounts], Derived;
    /// Which company has a short name.
    ShortName: "SHORT" in [Accounts], Derived;
    /// What the records of one type look like.
    Type: "TYPE" in [Accounts], Revised;
    /// A record.
    Record: "RECORD" in [Records], Revised;
    /// An appendix of a record.
    Appendix: "APPENDIX" in [Records], Revised;
    /// One version of an appendix.
    AppendixVersion: "APPENDIX" in [Records], Revised;
    /// What somebody says about a record.
    Comment: "COMMENT" in [Records], Revised;
    /// One revision of any of these.
    Revision: "REVISION" in [Records, Accounts], Lasting;
    /// How much a customer keeps.
    Usage: "USAGE" in [Records], Derived;
    /// Who has chosen to be told of a record's changes, and who not to be.
    Followers: "FOLLOWERS" in [Records], Transient;
    /// How many numbers the records of one type have been given.
    Counter: "COUNTER" in [Records], Derived;
    /// Where a record stands in a list.
    Listed: "LIST" in [Index], Derived;
    /// That a record has words that begin alike.
    Word: "WORD" in [Index], Derived;
    /// That words are to be written yet.
    Unindexed: "UNINDEXED" in [Index], Derived;
    /// What somebody is told: that a record is theirs to work on, what was said, what has changed.
    Notice: "NOTICE" in [Index], Derived;
    /// Where a lane of a customer's feed ends.
    Lane: "LANE" in [Index], Derived;
    /// That something was changed, in a lane of the feed.
    Pointer: "POINTER" in [Index], Derived;
    /// That the index was made from all records that there were.
    IndexBuilt: "BUILT" in [Index], Derived;
    /// The answer to a request.
    Request: "REQUEST" in [Records, Accounts, Sessions], Transient;
    /// The answer to a sign-up.
    SignUp: "SIGNUP" in [Accounts], Transient;
    /// That somebody wants a mail each day.
    Daily: "DAILY" in [Accounts], Transient;
    /// Who logs in with an e-mail address, and the password hash.
    Login: "LOGIN" in [Logins], Lasting;
    /// Who logs in with a name.
    SignIn: "NAME" in [Logins], Derived;
    /// That a person belongs to one more company.
    Member: "MEMBER" in [Logins], Lasting;
    /// What lets somebody sign up under an address.
    SignUpLink: "LINK" in [Sessions], Transient;
    /// What lets somebody set a password.
    Reset: "RESET" in [Sessions], Transient;
    /// That an API token is good. Like a session, it ends with a restore.
    Token: "TOKEN" in [Sessions], Transient;
    /// What happened to the security of a customer.
    Event: "EVENT" in [Sessions], Transient;
    /// How often somebody failed to log in with a name, and from where they did not.
    Tries: "TRIES" in [Logins], Transient;
    /// A session.
    Session: "SESSION" in [Sessions], Transient;
    /// How often one source has tried to log in or to sign up.
    Attempts: "ATTEMPTS" in [Sessions], Transient;
    /// How many crashes one source has sent.
    Crashes: "CRASHES" in [Sessions], Transient;
    /// That a crash was taken.
    Crash: "CRASH" in [Sessions], Transient;
    /// An issue in Sentry whose crashes are to be deleted.
    Resolved: "RESOLVED" in [Sessions], Transient;
    /// That they were.
    Deleted: "DELETED" in [Ledger], Lasting;
    /// The backup run of one evening.
    BackupRun: "RUN" in [Ledger], Lasting;
    /// How a backup job ended.
    BackupJob: "JOB" in [Ledger], Lasting;
    /// What was found in a restored copy.
    Verification: "VERIFIED" in [Ledger], Lasting;
    /// Why the chain of evenings goes on from another figure.
    Link: "CHAIN" in [Ledger], Lasting;
    /// That a person was forgotten.
    Forgotten: "FORGOTTEN" in [Ledger], Lasting;
    /// How far a restore of the service has come.
    Restore: "RESTORE" in [Ledger], Transient;
    /// How one promise of the policy stands.
    Policy: "POLICY" in [Ledger], Transient;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_kinds_and_every_proof_its_revisions() {
        for table in TableKind::ALL {
            assert!(Kind::ALL.iter().any(|kind| kind.lives_in(table)), "{table:?}");
        }
        let revised: Vec<_> = TableKind::all_with_revisions().collect();
        assert_eq!(revised, [TableKind::Records, TableKind::Accounts]);
        for table in revised {
            assert!(Kind::Revision.lives_in(table), "{table:?} keeps the revisions of its things");
        }
    }
}
