//! Keys of objects: where in a bucket bytes are, and whose they are.

use std::fmt;
use std::str::FromStr;

use domain::{AppendixId, CustomerId, RecordId, RuleError, VersionNumber};

use crate::RowKey;
use crate::keys::{SortKey, customer_partition};

/// Where the bytes of one appendix version are in the bucket. The key is used once and for all:
/// a version's bytes never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectKey {
    pub(crate) customer: CustomerId,
    pub(crate) record: RecordId,
    pub(crate) appendix: AppendixId,
    pub(crate) number: VersionNumber,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.customer, self.record, self.appendix, self.number)
    }
}

/// A key that the bucket has announced. It serves to note what has arrived, and for nothing else: a
/// link is signed for an [`ObjectKey`], and that takes a [`crate::Customer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced(pub(crate) ObjectKey);

impl Announced {
    /// Where the version is that these are the bytes of.
    pub fn version(&self) -> RowKey {
        let ObjectKey { customer, record, appendix, number } = self.0;
        RowKey {
            partition: customer_partition(customer),
            sort: SortKey::AppendixVersion(record, appendix, number).to_string(),
        }
    }
}

impl fmt::Display for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Announced {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let parts: Vec<&str> = text.split('/').collect();
        let [customer, record, appendix, number] = parts.as_slice() else {
            return Err(RuleError::new("is no object key of ours"));
        };
        let key = ObjectKey {
            customer: customer.parse()?,
            record: record.parse()?,
            appendix: appendix.parse()?,
            number: number.parse()?,
        };
        if key.to_string() != text {
            return Err(RuleError::new("is no object key of ours"));
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_key_round_trips_and_has_one_spelling() {
        let key = ObjectKey {
            customer: CustomerId::from_bytes([1; 16]),
            record: RecordId::from_bytes([2; 16]),
            appendix: AppendixId::from_bytes([3; 16]),
            number: VersionNumber::FIRST,
        };
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(Announced(key)));
        for other in [
            format!("{text}1/"),
            format!("/{text}"),
            text.replace("/1", "/01"),
            text.to_lowercase(),
        ] {
            assert!(other.parse::<Announced>().is_err(), "{other}");
        }
    }
}
