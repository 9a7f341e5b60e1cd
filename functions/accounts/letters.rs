//! Letters that anybody may ask for, to an address: how often, and without telling whose it is.

use std::time::{Duration, Instant};

use am_http::{Problem, Request, Who};
use domain::Email;
use passwords::Passwords;
use serde::de::DeserializeOwned;
use store::Store;
use store::tenant::LetterAsked;

use crate::post::Post;

/// What was asked for, where letters are sent at all.
pub fn asked<B: DeserializeOwned>(request: &Request, post: &Post) -> Result<B, Problem> {
    request.refuse_other_sites()?;
    let body = request.json()?;
    post.mailer()?;
    Ok(body)
}

/// Counts the letter, as a try of the address.
pub async fn not_too_often(
    store: &Store,
    passwords: &Passwords,
    request: &Request,
    email: &Email,
) -> Result<LetterAsked, Problem> {
    let (source, now) = (request.source(), request.now());
    request.note(Who::Stranger {
        account: passwords.pseudonym(email.as_str()),
        source: passwords.pseudonym(&source),
    });
    let asked = store.ask_for_letter(email, &source, now).await?;
    match asked.attempt.refused_for(now) {
        Some(wait) => {
            Err(Problem::too_many("Too much was asked for from here. Wait a while.", wait))
        }
        None => Ok(asked),
    }
}

/// The step in which answers come.
const TICK: Duration = Duration::from_millis(100);

/// Answers at the next tick after the work: what little it takes longer where an address has an account does not show.
pub async fn at_a_tick<T>(work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    let ticks = started.elapsed().as_millis() / TICK.as_millis() + 1;
    let until = TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
    tokio::time::sleep(until.saturating_sub(started.elapsed())).await;
    done
}
