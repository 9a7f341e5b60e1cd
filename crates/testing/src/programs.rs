//! A program that works in customer A's name.

use std::time::Duration;

use domain::{ApiToken, Revision, Role, Scope};
use store::{Machine, UserProfile};

use crate::people::Person;
use crate::world::World;

/// What a program of customer A's shows, whose id is in events/.
pub fn machine_token() -> ApiToken {
    let user = "01KEZ00000TKENTKENTKENTKEN".parse().unwrap();
    ApiToken::new(Person::A.customer(), user, [b't'; 32])
}

impl World {
    /// Customer A has let a program in, whose token is [`machine_token`].
    pub async fn let_program_in(&self, role: Role, scopes: &[Scope]) -> ApiToken {
        let (session, token) = (self.session(Person::A).await, machine_token());
        let machine = Machine {
            name: "ERP".to_owned().try_into().unwrap(),
            token_hash: token.hash().to_string(),
            scopes: scopes.to_vec(),
            expires_at: self.now.after(Duration::from_secs(24 * 60 * 60)),
        };
        let profile = UserProfile::of_machine(role, machine.clone());
        let profile = Revision::first(profile, session.user, self.now);
        let remember = self.remember("world-machine");
        let of = (&profile, &machine);
        self.store.create_machine(&session, token.user, of, &remember).await.unwrap();
        token
    }
}
