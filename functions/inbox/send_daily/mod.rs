//! Every morning: writes to those who want it what they were told since the day before and have not read. Who has read all
//! of it gets no mail, and nobody gets two on one day, however often this is tried.

use std::time::{Duration, Instant};

use domain::{Email, Timestamp};
use futures_util::future::join_all;
use mail::News;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::Reason;
use store::operator::{Operator, Subscriber, Told};

use crate::post::Post;

/// Nobody gets two mails within it: days are not all of the same length, and this may be tried again.
const A_DAY_AT_LEAST: Duration = Duration::from_secs(20 * 60 * 60);
/// What is told in a first mail, and at most in any.
const TOLD_AT_FIRST: Duration = Duration::from_secs(24 * 60 * 60);
const TOLD_AT_MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// So many are written to at once, and no more in a second: SES lets a new account write to fourteen.
const AT_ONCE: usize = 10;

/// What EventBridge Scheduler sends of it: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// How many want a mail.
    wanted: usize,
    /// How many had something to be told, and were.
    sent: usize,
    /// How many mails were not taken: what they told is told with the next day's.
    failed: usize,
}

/// What it takes.
pub struct Context {
    operator: Operator,
    post: Post,
}

enum Done {
    Nothing,
    Sent,
    Failed,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "send-daily-mail",
    build: |env| Ok(Context { operator: env.operator()?, post: Post::build(env)? }),
    handle: |context, _| Box::pin(async move { handle(context, runtime::now()).await }),
};

async fn handle(context: &Context, now: Timestamp) -> Result<Outcome, EventError> {
    if context.post.mailer().is_err() {
        return Ok(Outcome::default());
    }
    let subscribers = context.operator.subscribers().await?;
    let mut outcome = Outcome { wanted: subscribers.len(), ..Outcome::default() };
    for some in subscribers.chunks(AT_ONCE) {
        let started = Instant::now();
        let written = join_all(some.iter().map(|who| write(context, *who, now))).await;
        let mut is_sent = false;
        for done in written {
            match done {
                Ok(Done::Nothing) => {}
                Ok(Done::Sent) => (outcome.sent, is_sent) = (outcome.sent + 1, true),
                Ok(Done::Failed) => outcome.failed += 1,
                Err(error) => {
                    tracing::warn!(error = %error, "what somebody was told cannot be read");
                    outcome.failed += 1;
                }
            }
        }
        if is_sent {
            tokio::time::sleep(Duration::from_secs(1).saturating_sub(started.elapsed())).await;
        }
    }
    Ok(outcome)
}

async fn write(context: &Context, who: Subscriber, now: Timestamp) -> Result<Done, EventError> {
    if who.sent_at.is_some_and(|sent| now.since(sent) < A_DAY_AT_LEAST) {
        return Ok(Done::Nothing);
    }
    let since = who.sent_at.unwrap_or(now.before(TOLD_AT_FIRST)).max(now.before(TOLD_AT_MOST));
    let Some(unread) = context.operator.unread(who, since).await? else {
        return Ok(Done::Nothing);
    };
    let Ok(email) = Email::try_from(unread.card.sign_in.as_str().to_owned()) else {
        return Ok(Done::Nothing);
    };
    // Before it is sent: rather none than two.
    if !context.operator.note_daily_sent(who, now).await? {
        return Ok(Done::Nothing);
    }
    let language = unread.company.language.unwrap_or_default();
    let news: Vec<News<'_>> = unread.told.iter().map(news).collect();
    let letter = mail::daily(language, &unread.company.name, &news, &context.post.page("inbox"));
    match context.post.send(&email, &letter).await {
        Ok(()) => Ok(Done::Sent),
        Err(_) => {
            context.operator.note_daily_failed(who, now).await?;
            Ok(Done::Failed)
        }
    }
}

fn news(Told { notice, record, by }: &Told) -> News<'_> {
    News {
        what: match notice.place.reason {
            Reason::Assigned => mail::What::Assigned,
            Reason::Mentioned => mail::What::Mentioned,
            Reason::Commented => mail::What::Commented,
            Reason::Changed => mail::What::Changed,
        },
        by: by.as_ref().map(|card| card.name.as_str()),
        number: record.number.as_ref().map(domain::RecordNumber::as_str),
        title: record.title.as_str(),
    }
}
