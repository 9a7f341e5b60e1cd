//! Every morning: writes to those who want it what they were told since the day before and have not read. Who has read all
//! of it gets no mail, and nobody gets two on one day, however often this is tried.

use std::time::Duration;

use domain::{Date, Email, TimeZone, Timestamp};
use futures_util::stream::{self, StreamExt as _};
use mail::News;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::Reason;
use store::operator::{Operator, Subscriber, Told};

use crate::post::Post;

/// What is told in one mail: with an hour more, since no two days begin at the same second.
const TOLD_WITHIN: Duration = Duration::from_secs(25 * 60 * 60);
/// So many are written to at once.
const AT_ONCE: usize = 8;

/// What EventBridge Scheduler sends of it: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// How many want a mail.
    wanted: usize,
    /// How many had something to be told, and were.
    sent: usize,
    /// How many mails were not taken: they are tried again the next day.
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
    let written = subscribers.into_iter().map(|who| async move {
        let done = write(context, who, now).await;
        done.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "what somebody was told cannot be read");
            Done::Failed
        })
    });
    let mut written = stream::iter(written).buffer_unordered(AT_ONCE);
    while let Some(done) = written.next().await {
        match done {
            Done::Nothing => {}
            Done::Sent => outcome.sent += 1,
            Done::Failed => outcome.failed += 1,
        }
    }
    Ok(outcome)
}

async fn write(context: &Context, who: Subscriber, now: Timestamp) -> Result<Done, EventError> {
    let Some(unread) = context.operator.unread(who, now.before(TOLD_WITHIN)).await? else {
        return Ok(Done::Nothing);
    };
    let Ok(email) = Email::try_from(unread.card.sign_in.as_str().to_owned()) else {
        return Ok(Done::Nothing);
    };
    // Before it is sent: rather none than two.
    let day: Date = TimeZone::default().day(now);
    if !context.operator.note_daily_sent(who, &day).await? {
        return Ok(Done::Nothing);
    }
    let language = unread.company.language.unwrap_or_default();
    let news: Vec<News<'_>> = unread.told.iter().map(news).collect();
    let letter = mail::daily(language, &unread.company.name, &news, &context.post.page("inbox"));
    match context.post.send(&email, &letter).await {
        Ok(()) => Ok(Done::Sent),
        Err(_) => Ok(Done::Failed),
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
