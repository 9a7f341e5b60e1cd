//! Sessions: the door to everything else. One batched read fetches the session, its user and the
//! thing asked for; nothing is given out before the session is verified.

use std::time::Duration;

use domain::{
    ApiToken, CustomerId, Revision, Role, Scope, SessionToken, Timestamp, TokenHash, UserId,
};

use super::reads::{Ask, Reader, Wanted};
use super::{Login, Membership, Read};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{
    Customer, Event, Machine, Remember, Store, StoreError, TableKind, UserProfile, WriteError,
};

/// A session ends this long after its log-in, whatever happens.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A session ends when it was not used for this long.
pub const SESSION_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Use is noted at most this often: one write an hour, not one a request.
pub const USE_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

const CREATED_AT: &str = "created_at_ms";
pub(super) const USED_AT: &str = "used_at_ms";
/// So many sessions are ended at the same time.
const ENDED_AT_ONCE: usize = 16;
/// What the client calls itself.
const DEVICE: &str = "device";
/// By which password it was started: the digest of its hash.
const STARTED_BY: &str = "started_by";

/// A verified session: who asks, and for which customer.
#[derive(Clone, Debug)]
pub struct Session {
    pub customer: Customer,
    pub user: UserId,
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Where a program shows a token: what it may do, beside its role. `None`: a person.
    pub scopes: Option<Vec<Scope>>,
    /// By which password it was started; absent of an earlier release.
    started_by: Option<String>,
}

/// What a client shows.
#[derive(Debug)]
pub enum Shown {
    Session(SessionToken),
    Token(ApiToken),
}

impl Shown {
    const fn customer(&self) -> CustomerId {
        match self {
            Self::Session(token) => token.customer,
            Self::Token(token) => token.customer,
        }
    }

    const fn user(&self) -> UserId {
        match self {
            Self::Session(token) => token.user,
            Self::Token(token) => token.user,
        }
    }
}

impl Session {
    /// A program's, as long as its token is good.
    pub(super) fn of_machine(
        customer: Customer,
        user: UserId,
        role: Role,
        machine: &Machine,
        created_at: Timestamp,
    ) -> Self {
        let (expires_at, scopes) = (machine.expires_at, Some(machine.scopes.clone()));
        Self { customer, user, role, created_at, expires_at, scopes, started_by: None }
    }

    /// Whether the person's password is still the one that the session was started by.
    pub fn is_of_password(&self, login: &Login) -> bool {
        self.started_by.as_ref() == Some(&login.password_digest())
    }
}

/// A verified session, and what was read together with it.
#[derive(Clone, Debug)]
pub struct Opened<F> {
    pub session: Session,
    pub user: Revision<UserProfile>,
    pub found: F,
}

/// A session that starts.
#[derive(Clone, Copy)]
pub struct NewSession<'a> {
    /// Of its token.
    pub hash: &'a TokenHash,
    /// What the client calls itself.
    pub device: &'a str,
    /// When the person logged in: of a session that another one hands on, earlier than now.
    pub created_at: Timestamp,
    pub now: Timestamp,
    /// What the customer is told.
    pub event: Option<&'a Event>,
}

/// A session, as the person sees it whose it is.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// The hash of its token: it opens nothing.
    pub id: String,
    /// What the client called itself.
    pub device: String,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Why a read beside a session ended early.
enum Ended {
    NoSession,
    Failed(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// When a user's session was started, and used last. An error: a log-in has not written this. Many functions may
/// note that a session was used, and so make an item that has no more than that.
fn started(fields: Fields<'_>, user: UserId) -> Result<(Timestamp, Timestamp), StoreError> {
    if fields.parse::<UserId>(items::USER_ID)? != user {
        return Err(fields.damaged(items::USER_ID));
    }
    fields.time(items::EXPIRES_AT)?;
    Ok((fields.time(CREATED_AT)?, fields.time(USED_AT)?))
}

/// Until when a session lasts that was started and used then; `None`: it has ended.
fn lasts_until(created_at: Timestamp, used_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let expires_at = created_at.after(SESSION_LIFETIME);
    (now < expires_at && now.since(used_at) < SESSION_IDLE).then_some(expires_at)
}

impl Store {
    /// Verifies the session, or the API token, and reads what is wanted with it, in one round trip; `question` is
    /// asked in the meantime. `None`: there is no such session, or it has ended.
    pub async fn open<R: Read, Q: Ask>(
        &self,
        shown: &Shown,
        now: Timestamp,
        wanted: R,
        question: Q,
    ) -> Result<Option<(Opened<R::Found>, Q::Answer)>, StoreError> {
        let verify = async {
            let opened = match shown {
                Shown::Session(token) => self.verify(token, now, wanted).await?,
                Shown::Token(token) => self.verify_token(token, now, wanted).await?,
            };
            opened.ok_or(Ended::NoSession)
        };
        let answer = async {
            let (customer, user) = (Customer::new(shown.customer()), shown.user());
            let reader = Reader { store: self, customer, user };
            question.ask(reader).await.map_err(Ended::from)
        };
        // Ends as soon as the session is found wanting: how long a forged token is refused says
        // nothing about another customer's data.
        match tokio::try_join!(verify, answer) {
            Ok(both) => Ok(Some(both)),
            Err(Ended::NoSession) => Ok(None),
            Err(Ended::Failed(error)) => Err(error),
        }
    }

    async fn verify<R: Read>(
        &self,
        token: &SessionToken,
        now: Timestamp,
        wanted: R,
    ) -> Result<Option<Opened<R::Found>>, StoreError> {
        let partition = keys::customer_partition(token.customer);
        let session_key = SortKey::session(token.user, &token.hash());
        let user_key = SortKey::User(token.user);
        let mut items = Wanted::new(&self.database, token.customer, token.user);
        items.item(TableKind::Sessions, session_key.clone());
        items.item(TableKind::Accounts, user_key.clone());
        wanted.ask(&mut items);
        let found = items.read(now).await?;

        let Some(item) = found.item(&session_key) else {
            return Ok(None);
        };
        let Ok((created_at, used_at)) = started(Fields(item), token.user) else {
            tracing::error!("a session that lacks what a log-in writes opens nothing");
            return Ok(None);
        };
        let Some(expires_at) = lasts_until(created_at, used_at, now) else { return Ok(None) };
        let Ok(user) = found.thing::<UserProfile>(&user_key)?.existing() else {
            return Ok(None);
        };
        if now.since(used_at) >= USE_NOTED_EVERY {
            self.note_use(&partition, &session_key, now).await;
        }
        let session = Session {
            customer: Customer::new(token.customer),
            user: token.user,
            role: user.content.role,
            created_at,
            expires_at,
            scopes: None,
            started_by: Fields(item).text(STARTED_BY).ok().map(str::to_owned),
        };
        Ok(Some(Opened { session, user, found: wanted.find(&found)? }))
    }

    /// Notes that a session or a token was used. A failure costs nothing but the note; what has ended
    /// is not brought back.
    pub(super) async fn note_use(&self, partition: &str, used: &SortKey, now: Timestamp) {
        let noted = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.sessions)
            .set_key(Some(items::key(partition, used)))
            .update_expression("SET #used_at = :now")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#used_at", USED_AT)
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_values(":now", items::number(now.millis()))
            .send()
            .await;
        if let Err(error) = noted {
            tracing::warn!(error = &error as &dyn std::error::Error, "use not noted");
        }
    }

    /// Starts a session of somebody whose password was right, at one of their companies. The token is known by its
    /// hash. A session that another one hands on is as old as that one.
    ///
    /// # Errors
    /// `Stale`: the password is another one by now, or the person does not belong there any more. `Suspended`: nobody
    /// works there for now.
    pub async fn start_session(
        &self,
        login: &Login,
        member: &Membership,
        new: &NewSession<'_>,
        remember: Option<&Remember>,
    ) -> Result<(), WriteError> {
        let partition = keys::customer_partition(member.customer.id());
        let NewSession { hash, device, created_at, now, event } = *new;
        let expires_at = created_at.after(SESSION_LIFETIME);
        let mut item = items::key(&partition, &SortKey::session(member.user, hash));
        item.insert(items::USER_ID.to_owned(), items::text(member.user));
        item.insert(items::LOGIN_ID.to_owned(), items::text(login.id));
        item.insert(DEVICE.to_owned(), items::text(device));
        item.insert(STARTED_BY.to_owned(), items::text(login.password_digest()));
        item.insert(CREATED_AT.to_owned(), items::number(created_at.millis()));
        item.insert(USED_AT.to_owned(), items::number(now.millis()));
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at.seconds()));
        let mut change = Transaction::new(&self.database)
            .put_new(Step::Create, TableKind::Sessions, item)
            .require(&member.customer, &SortKey::User(member.user))
            .require_password(login.key.clone(), &login.password)
            .require_at_work(&member.customer);
        if let Some(event) = event {
            let event = Event { by: Some(member.user), ..event.clone() };
            change = change.tell(&member.customer, &event, now);
        }
        if let Some(remember) = remember {
            let sort = remember.sort_key(member.user);
            change = change.remember(TableKind::Sessions, &partition, &sort, remember);
        }
        change.commit().await.map_err(WriteError::from)
    }

    /// The sessions of whoever asks, at this company, that have not ended; the newest use first.
    pub async fn sessions(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Vec<OwnSession>, StoreError> {
        let items = self.session_items(&session.customer, session.user).await?;
        let mut sessions = Vec::new();
        for item in &items {
            let fields = Fields(item);
            let SortKey::Session(_, id) = fields.sort_key()? else { continue };
            let Ok((created_at, used_at)) = started(fields, session.user) else { continue };
            let Some(expires_at) = lasts_until(created_at, used_at, now) else { continue };
            let device = fields.text(DEVICE).unwrap_or_default().to_owned();
            sessions.push(OwnSession { id, device, created_at, used_at, expires_at });
        }
        sessions.sort_by_key(|it| std::cmp::Reverse(it.used_at));
        Ok(sessions)
    }

    /// Ends a session of whoever asks, by its id. One that is not there has ended.
    pub async fn end_session_by_id(
        &self,
        session: &Session,
        id: &TokenHash,
    ) -> Result<(), StoreError> {
        let partition = keys::customer_partition(session.customer.id());
        let key = items::key(&partition, &SortKey::session(session.user, id));
        self.database.delete(&self.database.tables.sessions, key).await
    }

    /// Ends all sessions of a person, at every company, but the one of this token.
    pub async fn end_sessions(
        &self,
        login: &Login,
        but: Option<&TokenHash>,
    ) -> Result<(), StoreError> {
        for member in &login.memberships {
            self.end_sessions_at(&member.customer, member.user, but).await?;
        }
        Ok(())
    }

    /// The same at one company.
    pub async fn end_sessions_at(
        &self,
        customer: &Customer,
        user: UserId,
        but: Option<&TokenHash>,
    ) -> Result<(), StoreError> {
        let kept = but.map(|hash| SortKey::session(user, hash).to_string());
        // Until none is found: one may have started while others were ended.
        loop {
            let mut ended = 0;
            let found = self.session_items(customer, user).await?;
            let others = found.iter().filter_map(|item| {
                let key = Fields(item).key().ok()?;
                (Some(&key.sort) != kept.as_ref()).then(|| key.item())
            });
            let others: Vec<Item> = others.collect();
            for some in others.chunks(ENDED_AT_ONCE) {
                let table = &self.database.tables.sessions;
                let ends = some.iter().map(|key| self.database.delete(table, key.clone()));
                futures_util::future::try_join_all(ends).await?;
                ended += some.len();
            }
            if ended == 0 {
                return Ok(());
            }
        }
    }

    async fn session_items(
        &self,
        customer: &Customer,
        user: UserId,
    ) -> Result<Vec<Item>, StoreError> {
        let partition = keys::customer_partition(customer.id());
        let prefix = keys::sessions_prefix(user);
        self.database.rows(&self.database.tables.sessions, &partition, &prefix).await
    }

    /// Ends the session of `token`, which was verified before.
    pub async fn end_session(&self, token: &SessionToken) -> Result<(), StoreError> {
        let partition = keys::customer_partition(token.customer);
        let key = items::key(&partition, &SortKey::session(token.user, &token.hash()));
        self.database.delete(&self.database.tables.sessions, key).await
    }
}
