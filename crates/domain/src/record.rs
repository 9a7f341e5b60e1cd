//! Records: service orders, deviations, inspections, and whatever else a customer keeps.

use serde::{Deserialize, Serialize};

use crate::{Fields, RecordTitle, RecordType, stored};

/// What a person writes in a record, in the form that it is stored in. Who wrote it and when is in its
/// revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "RecordContent"))]
pub struct Record {
    #[serde(rename = "type", deserialize_with = "stored")]
    pub record_type: RecordType,
    #[serde(deserialize_with = "stored")]
    pub title: RecordTitle,
    #[serde(default, deserialize_with = "stored")]
    pub fields: Fields,
}
