//! Reading what was stored once. A value is held against the rules of the day when it is sent; what was
//! taken then is read for ever, even where a later release has stricter rules. So the rules are in the
//! types' own `Deserialize`, for bodies of requests, and what is stored is read with [`stored`].

use serde::{Deserialize, Deserializer};

/// A value whose rules are checked when it is sent, and not when it is read again.
pub trait FromStored: Sized {
    /// What it is stored as.
    type Form;

    fn from_stored(form: Self::Form) -> Self;
}

/// What may be absent.
impl<T: FromStored> FromStored for Option<T> {
    type Form = Option<T::Form>;

    fn from_stored(form: Self::Form) -> Self {
        form.map(T::from_stored)
    }
}

/// Reads a stored value by its form alone: `#[serde(deserialize_with = "stored")]`.
pub fn stored<'de, D: Deserializer<'de>, T: FromStored<Form: Deserialize<'de>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::Form::deserialize(deserializer).map(T::from_stored)
}

/// Members of stored content that this release does not know: a later one wrote them. They are written
/// back as they were, to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownMembers(pub Vec<(String, String)>);
