//! Makes what lets somebody set a password, once the operator knows who it is that asks. For an operator, by IAM; nothing
//! of the API leads here. It is good for a day, once.

use domain::{Entropy, ResetToken, SignInName, Timestamp, entropy};
use runtime::{EventError, EventFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use store::{EventKind, Store};

use super::let_reset::GOOD_FOR;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    sign_in_name: SignInName,
}

#[derive(Serialize)]
pub struct Outcome {
    token: String,
    expires_at: Timestamp,
}

pub const FUNCTION: EventFunction<Store, Event, Outcome> = EventFunction {
    name: "make-reset-token",
    build: |env| env.store(),
    handle: |store, event| {
        Box::pin(async move { handle(store, &event, &OsEntropy, runtime::now()).await })
    },
};

async fn handle(
    store: &Store,
    event: &Event,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    let login = store.login(&event.sign_in_name).await?.ok_or("nobody logs in with this name")?;
    let token = ResetToken::new(login.id(), entropy::bytes(entropy));
    let expires_at = now.after(GOOD_FOR);
    store.keep_reset(&login, &token, None, expires_at).await?;
    let made = store::Event::new(EventKind::PasswordResetMade, None);
    store.tell_of(Some(&login), &made, now).await;
    tracing::warn!(login = %login.id(), "somebody may set a password");
    Ok(Outcome { token: token.expose(), expires_at })
}
