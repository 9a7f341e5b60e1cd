//! The people of a company, and how others come to be of them.

pub mod accept;
pub mod change;
pub mod forget;
pub mod invite;
pub mod join;
pub mod let_reset;
pub mod list;
pub mod list_invitations;
pub mod make_reset;
pub mod preview_invitation;
pub mod remove;
pub mod withdraw_invitation;

use am_http::{ChangeRefusal, Code, Once, Problem, Request, Response, StatusCode, Who, json};
use domain::{InvitationToken, Revision, SignInName, Timestamp, UserId};
use passwords::{Password, Passwords};
use serde::{Deserialize, Serialize};
use store::tenant::{ComesAs, Invited, Login, Newcomer, PersonRefusal, Place, Tries};
use store::{Invitation, InvitationState, PersonCard, Store, UserProfile, WriteError, begun_with};

use crate::accounts::device;
use crate::shapes::{CustomerView, UserView};

const OWNERS_ONLY: Code = Code::new(
    StatusCode::FORBIDDEN,
    "owners_only",
    "Only an owner may make somebody an owner, or change or remove one.",
);
const LAST_OWNER: Code = Code::new(
    StatusCode::CONFLICT,
    "last_owner",
    "A company has an owner: make somebody else one first.",
);
const INVITATION_ENDED: Code = Code::new(
    StatusCode::CONFLICT,
    "invitation_ended",
    "The invitation was accepted or withdrawn, or is too old.",
);
const NAME_TAKEN: Code = Code::new(
    StatusCode::CONFLICT,
    "name_taken",
    "Somebody of the company logs in with this name.",
);

fn refused(refusal: PersonRefusal) -> ChangeRefusal {
    match refusal {
        PersonRefusal::LastOwner => {
            Problem::new(LAST_OWNER, "This is the only owner. Make somebody else one first.").into()
        }
        PersonRefusal::Write(error) => error.into(),
    }
}

/// A program is no person: it has endpoints of its own.
fn refuse_machine(user: &UserProfile) -> Result<(), Problem> {
    if user.machine.is_some() { Err(Problem::not_found()) } else { Ok(()) }
}

/// The company and who has come in: log in next.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Accepted {
    customer: CustomerView,
    user: UserView,
}

/// Somebody who wants to come in by an invitation.
struct Entry<'a> {
    store: &'a Store,
    passwords: &'a Passwords,
    request: &'a Request,
    once: Once,
    name: SignInName,
    tries: Tries,
}

impl<'a> Entry<'a> {
    /// Counts the try as one to log in, before anything is done for it; whose name it is.
    async fn count(
        store: &'a Store,
        passwords: &'a Passwords,
        request: &'a Request,
        token: &InvitationToken,
        card: &PersonCard,
    ) -> Result<(Self, Option<Login>), Problem> {
        let (source, name) = (request.source(), card.sign_in.clone());
        let parts = [&token.hash().to_string(), card.name.as_str(), name.as_str()];
        let once = Once::without_password(request, &parts)?;
        request.note(Who::Stranger {
            account: passwords.pseudonym(name.as_str()),
            source: passwords.pseudonym(&source),
        });
        let now = request.now();
        let place = Place::new(&name, &source, &device(request));
        let (attempt, login, tries) = store.attempt_login(&name, &source, &place, now).await?;
        if let Some(wait) = attempt.refused_for(now) {
            return Err(Problem::too_many("Too many attempts from here. Wait a while.", wait));
        }
        Ok((Self { store, passwords, request, once, name, tries }, login))
    }

    /// Counts that the password was wrong.
    async fn failed(&self) -> Result<(), Problem> {
        Ok(self.store.note_failure(&self.name, &self.tries, self.request.now()).await?)
    }

    /// Comes in, and uses the invitation up.
    async fn come_in(
        &self,
        invited: &Invited,
        user: UserId,
        card: PersonCard,
        comes_as: ComesAs<'_>,
        password: Password,
    ) -> Result<Response, Problem> {
        let (now, invitation) = (self.request.now(), &invited.invitation);
        let login = match &comes_as {
            ComesAs::New(_) => begun_with(user),
            ComesAs::Known(login) => login.id,
        };
        let profile = UserProfile::new(invitation.content.role, login);
        let profile = Revision::first(profile, user, now);
        let content = Invitation { state: InvitationState::Accepted, ..invitation.content.clone() };
        let accepted = invitation.changed(content, user, now);
        let view = Accepted {
            customer: CustomerView::new(invited.customer_id(), &invited.company),
            user: UserView::new(user, &profile.content, Some(card.clone())),
        };
        let newcomer = Newcomer { user, profile: &profile, card: &card };
        let remember = self.once.remember(&view);
        let came =
            self.store.accept_invitation(invited, &accepted, &newcomer, &comes_as, &remember).await;
        match came {
            Ok(()) => Ok(json(StatusCode::CREATED, &view)),
            Err(WriteError::Repeated(_) | WriteError::Stale { .. }) => self.again(password).await,
            Err(WriteError::Exists) => {
                Err(Problem::new(NAME_TAKEN, "Somebody has this name. Take another one."))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The answer to this very request, where it was made before and its answer was lost: for who knows the
    /// password. Otherwise the invitation has ended.
    async fn again(&self, password: Password) -> Result<Response, Problem> {
        let (store, now) = (self.store, self.request.now());
        let earlier = store.earlier_acceptance(&self.name, self.once.key(), now).await?;
        let earlier = earlier.ok_or_else(invitation_ended)?;
        let view: Accepted = self.once.answer(&earlier)?;
        let stored = store.login(&self.name).await?.map(|login| login.password);
        let proof = self.passwords.verify(password, stored).await.map_err(Problem::busy)?;
        proof.ok_or_else(Problem::key_reused)?;
        Ok(json(StatusCode::CREATED, &view))
    }
}

fn is_open(invitation: &Invitation, now: Timestamp) -> bool {
    invitation.state == InvitationState::Open && invitation.expires_at > now
}

fn invitation_ended() -> Problem {
    let detail = "This invitation was used, withdrawn or is too old. Ask for a new one.";
    Problem::new(INVITATION_ENDED, detail)
}
