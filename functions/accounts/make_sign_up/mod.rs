//! Makes what lets somebody sign a company up under an address that is theirs, once the operator knows that it is. For an
//! operator, by IAM; nothing of the API leads here. It is good for a day.

use domain::{Email, Entropy, SignUpToken, Timestamp, entropy};
use runtime::{EventError, EventFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use store::Store;

use super::ask_to_sign_up::GOOD_FOR;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    email: Email,
}

#[derive(Serialize)]
pub struct Outcome {
    token: String,
    expires_at: Timestamp,
}

pub const FUNCTION: EventFunction<Store, Event, Outcome> = EventFunction {
    name: "make-sign-up-token",
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
    let token = SignUpToken::new(entropy::bytes(entropy));
    let expires_at = now.after(GOOD_FOR);
    store.keep_sign_up(&token, &event.email, expires_at).await?;
    Ok(Outcome { token: token.expose(), expires_at })
}
