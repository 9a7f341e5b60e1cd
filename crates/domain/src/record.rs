//! Records: service orders, deviations, inspections, and whatever else a customer keeps.

use serde::{Deserialize, Serialize};

use crate::{Fields, RecordTitle, RecordType};

/// What a person writes in a record. Who wrote it and when is in its revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(rename = "type")]
    pub record_type: RecordType,
    pub title: RecordTitle,
    #[serde(default)]
    pub fields: Fields,
}
