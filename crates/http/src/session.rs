//! The door: no handler sees data before its session is verified and its role suffices.

use std::ops::Deref;

use domain::{Role, Scope};
use store::Store;
use store::tenant::{Ask, Nothing, Opened, Read, Session};

use crate::{Code, Problem, Request, Who};

/// A request to an endpoint that demands a session, of at least the role that the endpoint declares.
#[derive(Clone, Copy)]
pub struct SessionRequest<'a> {
    request: &'a Request,
    least: Role,
}

impl Deref for SessionRequest<'_> {
    type Target = Request;

    fn deref(&self) -> &Request {
        self.request
    }
}

/// Whose log-in a client means. What comes with another one is answered as if there was none.
const AM_USER: &str = "am-user";

impl<'a> SessionRequest<'a> {
    pub(crate) const fn new(request: &'a Request, least: Role) -> Self {
        Self { request, least }
    }

    /// A program does what its token was made for; everything else is for people.
    fn refuse_other_scopes(&self, session: &Session) -> Result<(), Problem> {
        let Some(scopes) = &session.scopes else { return Ok(()) };
        let path = self.route().split_once(' ').map_or("", |(_, path)| path);
        match Scope::of(path) {
            Some(scope) if scopes.contains(&scope) => Ok(()),
            Some(scope) => {
                let detail = format!("This token is not for {}.", scope.name());
                Err(Problem::new(Code::NOT_IN_SCOPE, detail))
            }
            None => {
                let detail = "This is for people: log in with a password.";
                Err(Problem::new(Code::NOT_IN_SCOPE, detail))
            }
        }
    }

    /// Verifies the session, demands the role, and reads what is wanted, in one round trip.
    pub async fn open<R: Read>(
        &self,
        store: &Store,
        wanted: R,
    ) -> Result<Opened<R::Found>, Problem> {
        self.open_and(store, wanted, Nothing).await.map(|(opened, ())| opened)
    }

    /// Like [`SessionRequest::open`], asking a question of the customer's data in the meantime.
    pub async fn open_and<R: Read, Q: Ask>(
        &self,
        store: &Store,
        wanted: R,
        question: Q,
    ) -> Result<(Opened<R::Found>, Q::Answer), Problem> {
        let shown = self.shown()?;
        let (opened, answer) = store
            .open(&shown, self.now(), wanted, question)
            .await?
            .ok_or_else(Problem::no_session)?;
        let Session { customer, user, .. } = opened.session;
        self.note(Who::User { customer: customer.id(), user });
        // Of several people who share a browser, the cookie is of the last: a page says whose it is.
        if self.header(AM_USER).is_some_and(|whose| whose != user.to_string()) {
            return Err(Problem::no_session());
        }
        if opened.session.role < self.least {
            let detail = format!("This needs the role {} or higher.", self.least);
            return Err(Problem::new(Code::ROLE_TOO_LOW, detail));
        }
        self.refuse_other_scopes(&opened.session)?;
        Ok((opened, answer))
    }
}
