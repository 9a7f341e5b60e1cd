//! Crashes reach Sentry: each error that is logged, and each panic of a handler with its stack, with
//! the function, the request and the release, and nothing personal. They are sent before the answer
//! is given: afterwards Lambda may freeze the process.
//!
//! Until something fails, all there is of it is a parsed address: Sentry's client, its list of loaded
//! images and the machine's trusted roots are made when the first crash is.

mod layer;
mod outbox;

use std::collections::BTreeMap;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crashes::{Dsn, scrub};
use sentry::integrations::debug_images::DebugImagesIntegration;
use sentry::protocol::{Addr, Event, Exception, Frame, Level, Stacktrace};
use sentry::{Client, ClientOptions};

pub(crate) use layer::Reporter;
use outbox::Outbox;

use crate::{ConfigError, Env};

/// What crashes are called by: which build they are of.
const RELEASE: &str = concat!("am-service@", env!("CARGO_PKG_VERSION"));
/// Deeper stacks are cut at the far end.
const FRAMES_MAX: usize = 100;

/// The way to Sentry, of one process.
pub(crate) struct Crashes {
    dsn: Dsn,
    function: String,
    client: OnceLock<Client>,
    outbox: Outbox,
    /// The panic that has just unwound, until the error that it became is reported.
    panicked: Mutex<Option<Panic>>,
}

struct Panic {
    message: String,
    stack: Vec<Frame>,
}

/// One error, as it was logged.
#[derive(Debug, Default)]
struct Crash {
    message: String,
    cause: Option<String>,
    tags: BTreeMap<String, String>,
}

impl Crashes {
    /// Keeps the stack of every panic from now on. `None` where no address is configured: then
    /// crashes are logged, and that is all. Lives as long as the process.
    pub(crate) fn start(env: &Env<'_>) -> Result<Option<&'static Self>, ConfigError> {
        let crashes: Option<&'static Self> =
            Self::new(env)?.map(|crashes| &*Box::leak(Box::new(crashes)));
        if let Some(crashes) = crashes {
            crashes.watch_panics();
        }
        Ok(crashes)
    }

    fn new(env: &Env<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(dsn) = env.optional("SENTRY_DSN") else { return Ok(None) };
        let dsn = dsn.parse().map_err(|_| ConfigError::Invalid {
            name: "SENTRY_DSN",
            rule: "must be empty or a Sentry DSN: https://KEY@HOST/PROJECT".to_owned(),
        })?;
        Ok(Some(Self {
            dsn,
            function: env.optional("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(),
            client: OnceLock::new(),
            outbox: Outbox::default(),
            panicked: Mutex::new(None),
        }))
    }

    fn watch_panics(&'static self) {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            print(info);
            *self.panicked() = Some(Panic { message: describe(info), stack: stack() });
        }));
    }

    /// Sends what was reported since the last time. A failure is logged: nobody waits for Sentry.
    pub(crate) async fn flush(&self) {
        // A panic that nobody logged is nobody else's.
        *self.panicked() = None;
        self.outbox.send(&self.dsn).await;
    }

    fn report(&self, crash: Crash) {
        let mut exceptions = vec![Exception {
            ty: scrub(&crash.message),
            value: crash.cause.as_deref().map(scrub),
            ..Exception::default()
        }];
        // The newest comes last, in Sentry's order: it is what the report is called by.
        exceptions.extend(self.panicked().take().map(|panic| Exception {
            ty: "panic".to_owned(),
            value: Some(scrub(&panic.message)),
            stacktrace: Some(Stacktrace { frames: panic.stack, ..Stacktrace::default() }),
            ..Exception::default()
        }));
        let event = Event {
            level: Level::Error,
            transaction: Some(self.function.clone()),
            exception: exceptions.into(),
            tags: crash.tags.into_iter().map(|(name, value)| (name, scrub(&value))).collect(),
            ..Event::default()
        };
        self.client().capture_event(event, None);
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            // Nothing is integrated by default, nor is the sandbox's name sent, which says nothing.
            let mut options = ClientOptions::new()
                .release(RELEASE)
                .default_integrations(false)
                .add_integration(DebugImagesIntegration::new())
                .transport(self.outbox.clone());
            options.dsn = Some(self.dsn.clone());
            Client::with_options(options)
        })
    }

    fn panicked(&self) -> MutexGuard<'_, Option<Panic>> {
        self.panicked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    match info.location() {
        Some(location) => format!("{message} ({location})"),
        None => message.to_owned(),
    }
}

/// The addresses of the stack, the newest last, as Sentry wants them. They become lines there, by the
/// symbols that a release uploads: the binaries carry none.
fn stack() -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::trace(|frame| {
        let instruction_addr = Some(Addr(frame.ip() as u64));
        frames.push(Frame { instruction_addr, ..Frame::default() });
        frames.len() < FRAMES_MAX
    });
    frames.reverse();
    frames
}
