//! What a request may do: of one customer's things, in the scope that a session gives it; and of what
//! belongs to no customer, a log-in that is tried, a crash that is reported, a promise that is read.

mod accounts;
mod answers;
mod appendices;
mod changes;
mod comments;
mod crashes;
mod events;
mod feed_place;
mod find;
mod find_words;
mod follow;
mod inbox;
mod invitations;
mod links;
mod logins;
mod overview;
mod passwords;
mod people;
mod policy;
mod reads;
mod records;
mod refused;
mod revisions;
mod sessions;
mod sign_ups;
mod tokens;
mod tries;
mod types;
mod usage;

pub use accounts::{CardKey, Company, CustomerKey, OwnCard, SignUp};
pub use answers::{AnswerKey, AnswerOfPeople};
pub use appendices::{
    AppendixHistory, AppendixKey, AppendixPage, ListAppendices, ReadAppendix, Reservation,
};
pub use changes::{ChangePage, Changed, Topic};
pub use comments::{CommentChange, CommentKey, CommentPage, ListComments};
pub use crashes::CrashBucket;
pub use events::{EventPage, ListEvents};
pub use feed_place::{Ends, FeedPlace, FollowersOf, LaneEnds, ReadersOf};
pub use find::{Filter, FindRecords, RecordPage, Source};
pub use inbox::{InboxPage, ReadInbox, WantsMail};
pub use invitations::{
    ComesAs, InvitationKey, Invited, ListInvitations, ListedInvitation, Newcomer,
};
pub use links::{DOWNLOAD_VALID_FOR, Download, UPLOAD_VALID_FOR, Upload};
pub use logins::{Attempt, Login, Membership};
pub use overview::{Count, Overview};
pub use passwords::LetBy;
pub use people::{ListPeople, Person, PersonRefusal, UserKey, Users};
pub use reads::{Ask, Lookup, Nothing, Read, Reader};
pub use records::{RecordKey, RevisionKey};
pub use revisions::{ListRevisions, RevisionPage};
pub use sessions::{
    NewSession, Opened, OwnSession, SESSION_LIFETIME, Session, Shown, USE_NOTED_EVERY,
};
pub use sign_ups::LetterAsked;
pub use tokens::{ListMachines, ListedMachine};
pub use tries::{Place, Tries};
pub use types::{ListTypes, PinnedTypeKey, TypeCount, TypeKey};
pub use usage::{Standing, UsageKey};

use std::sync::Arc;

use refused::Refused;

use crate::tables::Database;
use crate::{DynamoClient, Tables};

/// The database, as a request has it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) database: Database,
    refused: Arc<Refused>,
}

impl Store {
    pub fn new(dynamo: DynamoClient, tables: Tables) -> Self {
        Self { database: Database::new(dynamo, tables), refused: Arc::default() }
    }
}
