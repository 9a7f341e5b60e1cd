//! The people on the stage.

use domain::{CustomerId, Email, Role, SessionToken, SignInName, Timestamp, UserId};
use store::tenant::{Attempt, Login, Place};

use crate::world::World;

/// The people of events/. All but B are of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Customer A's owner, whose token the events carry.
    A,
    /// Another customer's owner.
    B,
    Viewer,
    Member,
    Admin,
    /// Who leaves.
    Leaver,
}

impl Person {
    pub const ALL: [Self; 6] =
        [Self::A, Self::B, Self::Viewer, Self::Member, Self::Admin, Self::Leaver];

    const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::Viewer => 'V',
            Self::Member => 'M',
            Self::Admin => 'D',
            Self::Leaver => 'G',
        }
    }

    pub const fn role(self) -> Role {
        match self {
            Self::A | Self::B => Role::Owner,
            Self::Viewer | Self::Leaver => Role::Viewer,
            Self::Member => Role::Member,
            Self::Admin => Role::Admin,
        }
    }

    pub fn with_role(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::A,
        }
    }

    pub fn customer(self) -> CustomerId {
        let letter = if self == Self::B { 'B' } else { 'A' };
        id("01KEZ00000CSTMR", letter).parse().unwrap()
    }

    pub fn user(self) -> UserId {
        id("01KEZ00000PERSN", self.letter()).parse().unwrap()
    }

    pub fn email(self) -> Email {
        format!("{}@example.com", self.letter()).try_into().unwrap()
    }

    pub fn short_name(self) -> &'static str {
        if self == Self::B { "norr" } else { "verkstad" }
    }

    pub fn token(self) -> SessionToken {
        SessionToken::new(self.customer(), self.user(), [self.letter() as u8; 32])
    }
}

fn id(prefix: &str, letter: char) -> String {
    format!("{prefix}{}", letter.to_string().repeat(26 - prefix.len()))
}

impl World {
    /// A try to log in, of somebody who has no device yet.
    pub async fn attempt_login(
        &self,
        name: &SignInName,
        source: &str,
        now: Timestamp,
    ) -> (Attempt, Option<Login>) {
        let place = Place::new(name, source, "");
        let (attempt, login, _) =
            self.store.attempt_login(name, source, &place, now).await.unwrap();
        (attempt, login)
    }
}
