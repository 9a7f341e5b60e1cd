//! Invitations: what lets somebody into a company, once.

use std::collections::HashMap;

use domain::{
    Email, FromStored as _, InvitationId, InvitationToken, Revision, Role, SignInName, Timestamp,
    UserId,
};
use passwords::StoredHash;

use super::logins::{login_item, member_item};
use super::{Ask, Login, Lookup, Reader, Session};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{
    Customer, CustomerProfile, Earlier, Event, EventKind, IdempotencyKey, Invitation, PersonCard,
    Remember, Store, StoreError, TableKind, UserProfile, WriteError, begun_with,
};

/// All invitations of the customer, the newest first.
pub struct ListInvitations;

impl Ask for ListInvitations {
    type Answer = Vec<ListedInvitation>;

    async fn ask(self, reader: Reader<'_>) -> Result<Self::Answer, StoreError> {
        let items = reader.store.accounts_of(&reader.customer, keys::INVITATIONS_PREFIX).await?;
        let (mut invitations, mut invitees) = (Vec::new(), HashMap::new());
        for item in items.iter().rev() {
            match Fields(item).sort_key()? {
                SortKey::Invitation(id) => invitations.push((id, items::read_revision(item)?)),
                SortKey::Invitee(id) => {
                    invitees.insert(id, read_invitee(item)?);
                }
                _ => return Err(Fields(item).damaged("an invitation's key")),
            }
        }
        let listed =
            |(id, invitation)| ListedInvitation { id, invitation, sent_to: invitees.remove(&id) };
        Ok(invitations.into_iter().map(listed).collect())
    }
}

/// An invitation, as those see it who may invite.
#[derive(Clone, Debug)]
pub struct ListedInvitation {
    pub id: InvitationId,
    pub invitation: Revision<Invitation>,
    /// Where it was sent, while that is kept.
    pub sent_to: Option<Email>,
}

const EMAIL: &str = "email";

fn read_invitee(item: &Item) -> Result<Email, StoreError> {
    Ok(Email::from_stored(Fields(item).text(EMAIL)?.to_owned()))
}

/// One invitation of the customer's.
pub struct InvitationKey(pub InvitationId);

impl super::Read for InvitationKey {
    type Found = Lookup<Invitation>;

    fn ask(&self, items: &mut super::reads::Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Invitation(self.0));
    }

    fn find(self, items: &super::reads::FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Invitation(self.0))
    }
}

/// An invitation, as who has its token sees it.
#[derive(Clone, Debug)]
pub struct Invited {
    customer: Customer,
    id: InvitationId,
    pub invitation: Revision<Invitation>,
    pub company: Revision<CustomerProfile>,
    /// The address that it was sent to: whoever has the token has read a letter there.
    pub sent_to: Option<Email>,
    /// Whether who has made it may make such a one still.
    pub is_backed: bool,
}

/// Somebody who comes in.
pub struct Newcomer<'a> {
    pub user: UserId,
    pub profile: &'a Revision<UserProfile>,
    pub card: &'a PersonCard,
}

/// By what somebody logs in who comes in.
pub enum ComesAs<'a> {
    /// A person who has no account yet: under this name, with this password.
    New(&'a StoredHash),
    /// A person who has one.
    Known(&'a Login),
}

impl Store {
    pub async fn create_invitation(
        &self,
        session: &Session,
        id: InvitationId,
        revision: &Revision<Invitation>,
        sent_to: Option<&Email>,
        remember: &Remember,
    ) -> Result<(), WriteError> {
        let partition = keys::customer_partition(session.customer.id());
        let mut change = Transaction::new(&self.database);
        if let Some(email) = sent_to {
            // An address is personal: it is in no revision, and goes by itself.
            let mut invitee = items::key(&partition, &SortKey::Invitee(id));
            let expires_at = revision.content.expires_at.seconds();
            invitee.insert(EMAIL.to_owned(), items::text(email.as_str()));
            invitee.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
            change = change.put_new(Step::Create, TableKind::Accounts, invitee);
        }
        change
            .create(&session.customer, &SortKey::Invitation(id), revision)
            .tell(
                &session.customer,
                &Event::new(EventKind::PersonInvited, Some(session.user)),
                revision.changed_at,
            )
            .remember(TableKind::Accounts, &partition, &remember.sort_key(session.user), remember)
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// Replaces an invitation by its next revision: it is withdrawn.
    pub async fn withdraw_invitation(
        &self,
        session: &Session,
        id: InvitationId,
        revision: &Revision<Invitation>,
    ) -> Result<(), WriteError> {
        let event = Event::new(EventKind::InvitationWithdrawn, Some(session.user));
        Transaction::new(&self.database)
            .replace(&session.customer, &SortKey::Invitation(id), revision)
            .tell(&session.customer, &event, revision.changed_at)
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// The invitation that a token is of, whatever its state; `None` where there is none.
    pub async fn invited(&self, token: &InvitationToken) -> Result<Option<Invited>, StoreError> {
        let partition = keys::customer_partition(token.customer);
        let mut batch = crate::batch::Batch::default();
        let sort = SortKey::Invitation(token.invitation);
        for sort in [&sort, &SortKey::Invitee(token.invitation), &SortKey::Customer] {
            batch.add(&self.database.tables.accounts, &partition, sort);
        }
        let (mut invitation, mut company, mut sent_to) = (None, None, None);
        for item in batch.read(&self.database.dynamo).await? {
            match Fields(&item).sort_key()? {
                SortKey::Customer => company = Some(items::read_revision(&item)?),
                SortKey::Invitee(_) => sent_to = Some(read_invitee(&item)?),
                _ => invitation = Some(items::read_revision::<Invitation>(&item)?),
            }
        }
        let (Some(invitation), Some(company)) = (invitation, company) else { return Ok(None) };
        if invitation.content.token_hash != token.hash().to_string() {
            return Ok(None);
        }
        let (customer, id) = (Customer::new(token.customer), token.invitation);
        let by = self.role_of(&customer, invitation.created_by).await?;
        let is_for_owner = invitation.content.role == Role::Owner;
        let least = if is_for_owner { Role::Owner } else { Role::Admin };
        let is_backed = by.is_some_and(|by| by >= least);
        Ok(Some(Invited { customer, id, invitation, company, sent_to, is_backed }))
    }

    /// Lets somebody in, and uses the invitation up. `Stale`: it is used up, or the password was changed.
    /// `Exists`: somebody has this name.
    pub async fn accept_invitation(
        &self,
        invited: &Invited,
        accepted: &Revision<Invitation>,
        newcomer: &Newcomer<'_>,
        comes_as: &ComesAs<'_>,
        remember: &Remember,
    ) -> Result<(), WriteError> {
        let Newcomer { user, profile, card } = newcomer;
        let customer = &invited.customer;
        let change = match comes_as {
            ComesAs::New(password) => {
                let login = login_item(customer, *user, password);
                let change = self.begin_login(&card.sign_in, begun_with(*user));
                change.put_new(Step::Login, TableKind::Logins, login)
            }
            ComesAs::Known(login) => self.join(login, customer, *user),
        };
        let sign_ups = keys::sign_up_partition(&card.sign_in);
        change
            .replace(customer, &SortKey::Invitation(invited.id), accepted)
            .create(customer, &SortKey::User(*user), profile)
            .put_card(customer, *user, card)
            .tell(customer, &Event::new(EventKind::PersonJoined, Some(*user)), profile.changed_at)
            .remember(
                TableKind::Accounts,
                &sign_ups,
                &SortKey::SignUp(remember.key.clone()),
                remember,
            )
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// The answer to an earlier acceptance under this name with this key.
    pub async fn earlier_acceptance(
        &self,
        name: &SignInName,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Earlier>, StoreError> {
        let key = items::key(&keys::sign_up_partition(name), &SortKey::SignUp(key.clone()));
        let found = self.database.item(&self.database.tables.accounts, key).await?;
        found.map_or(Ok(None), |item| Earlier::read_unexpired(&item, now))
    }

    /// Begins a change in which a person joins one more customer.
    fn join(&self, login: &Login, customer: &Customer, user: UserId) -> Transaction<'_> {
        let member = member_item(login.id, customer, user);
        let change = Transaction::new(&self.database);
        let change = change.put_new(Step::Login, TableKind::Logins, member);
        if login.is_earlier() {
            change.mark_joined(login.key.clone())
        } else {
            change.require_password(login.key.clone(), &login.password)
        }
    }
}

impl Invited {
    pub const fn customer_id(&self) -> domain::CustomerId {
        self.customer.id()
    }

    pub const fn id(&self) -> InvitationId {
        self.id
    }
}
