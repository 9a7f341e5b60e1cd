//! How the store fails.

use std::error::Error;

use domain::Version;

use crate::Earlier;

/// Nothing the caller could have done otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store did not answer as it should")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    #[error("the store stayed busy with other changes of the same thing")]
    Busy,
    /// The item is there but is not what we wrote.
    #[error("a stored item cannot be read: {what} at {key}")]
    Damaged { key: String, what: &'static str },
}

impl StoreError {
    pub(crate) fn unavailable(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Box::new(source))
    }
}

/// Why a change was not made. Except for `Store`, these are expected answers.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("it exists already")]
    Exists,
    /// The thing is at another version than the caller saw; `None` where it is gone.
    #[error("it was changed by someone else")]
    Stale { current: Option<Version> },
    /// This very request was made before.
    #[error("the request was made before")]
    Repeated(Earlier),
    #[error(transparent)]
    Store(#[from] StoreError),
}
