//! The one way in which the domain says no.

use std::borrow::Cow;

/// The rule that a value broke, as a sentence for the person who sent it. It never quotes the
/// value: that may be long, hostile or secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(Cow<'static, str>);

impl RuleError {
    pub fn new(rule: impl Into<Cow<'static, str>>) -> Self {
        Self(rule.into())
    }
}
