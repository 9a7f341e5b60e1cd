//! Crashes on their way to Sentry, and out of it: the envelopes that its SDKs send, what of them is
//! nobody's personal data, the requests to Sentry, and the webhook by which it says that an issue is
//! resolved. It reads no clock and no environment, and must never know the store or an endpoint.

mod api;
mod envelope;
mod hook;
mod keep;
mod kinds;
mod known;
mod scrub;
mod sentry;
mod unpack;

pub use api::{Api, ApiError, Issue, IssueId, Token};
pub use envelope::{Address, Envelope, EnvelopeError};
pub use hook::HookKey;
pub use known::KnownProjects;
pub use scrub::scrub;
pub use sentry::{Answer, Limits, Sentry, Unreachable};
pub use unpack::{UnpackError, unpack};

pub use sentry_types::{Dsn, ProjectId};
