//! What is backed up, by the ARNs that AWS Backup names it with.

use store::{Evidence, Kept, Objects, Store};

/// One thing that is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Table(Kept),
    Appendices,
    Evidence,
}

impl Resource {
    /// All that a run has to prove.
    pub const ALL: [Self; 7] = [
        Self::Table(Kept::Records),
        Self::Table(Kept::Accounts),
        Self::Table(Kept::Logins),
        Self::Table(Kept::Sessions),
        Self::Table(Kept::Ledger),
        Self::Appendices,
        Self::Evidence,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Table(kept) => kept.name(),
            Self::Appendices => backup::APPENDICES,
            Self::Evidence => backup::EVIDENCE,
        }
    }

    /// Which of ours an ARN names.
    pub fn of(store: &Store, objects: &Objects, evidence: &Evidence, arn: &str) -> Option<Self> {
        let name = name_of(arn);
        if name == objects.bucket() {
            return Some(Self::Appendices);
        }
        if name == evidence.bucket() {
            return Some(Self::Evidence);
        }
        store.kept(name).map(Self::Table)
    }
}

/// The name of the table or bucket that an ARN ends in.
pub fn name_of(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or_default()
}
