//! How the store fails.

use std::error::Error;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use domain::Version;

use crate::Earlier;

/// Nothing the caller could have done otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store did not answer as it should")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    #[error("the store stayed busy with other changes of the same thing")]
    Busy,
    /// More was asked of it at once than it takes; retries did not help.
    #[error("the store was asked for too much at once")]
    Throttled(#[source] Box<dyn Error + Send + Sync>),
    /// The item is there but is not what we wrote.
    #[error("a stored item cannot be read: {what} at {key}")]
    Damaged { key: String, what: &'static str },
}

/// What DynamoDB and S3 call it when they are asked for too much at once.
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottlingException",
    "TransactionInProgressException",
];

impl StoreError {
    /// A request that failed otherwise than its caller expected.
    pub(crate) fn unavailable(
        source: impl Error + ProvideErrorMetadata + Send + Sync + 'static,
    ) -> Self {
        if source.code().is_some_and(|code| THROTTLED.contains(&code)) {
            return Self::Throttled(Box::new(source));
        }
        Self::Unavailable(Box::new(source))
    }

    /// An answer that broke off, or a request that cannot be made.
    pub(crate) fn broken(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Box::new(source))
    }
}

/// Why a change was not made. Except for `Store`, these are expected answers.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("it exists already")]
    Exists,
    /// Nobody works at this company for now.
    #[error("the company is suspended")]
    Suspended,
    /// Another company is called so.
    #[error("the short name is taken")]
    ShortNameTaken,
    /// The thing is at another version than the caller saw; `None` where it is gone.
    #[error("it was changed by someone else")]
    Stale { current: Option<Version> },
    /// This very request was made before.
    #[error("the request was made before")]
    Repeated(Earlier),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// There is no such thing, or none any more: the two look alike from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such thing")]
pub struct Missing;

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::query::QueryError;

    use super::*;

    #[test]
    fn what_is_asked_for_too_much_is_not_broken() {
        let error = |code: &str| {
            let metadata = ErrorMetadata::builder().code(code).build();
            StoreError::unavailable(QueryError::generic(metadata))
        };
        for code in THROTTLED {
            assert!(matches!(error(code), StoreError::Throttled(_)), "{code}");
        }
        assert!(matches!(error("ValidationException"), StoreError::Unavailable(_)));
    }
}
