//! Appendices: files kept with a record, every version of them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{FileName, FromStored, RecordId, RuleError, hex, stored};

/// 1 GiB: a long video from a phone. S3 itself takes 5 GB in one PUT.
pub const APPENDIX_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// All versions of one appendix must fit one page of a listing.
pub const APPENDIX_VERSIONS_MAX: u32 = 500;

/// A file with a name, in the form that it is stored in; its bytes are in its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appendix {
    pub record_id: RecordId,
    #[serde(deserialize_with = "stored")]
    pub name: FileName,
    /// The highest version number given out so far, uploaded or not.
    #[serde(deserialize_with = "stored")]
    pub last_version: VersionNumber,
}

/// One version of an appendix, in the form that it is stored in: what its bytes were declared to be, and
/// whether they arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendixVersion {
    #[serde(deserialize_with = "stored")]
    pub content_type: ContentType,
    #[serde(deserialize_with = "stored")]
    pub bytes: AppendixBytes,
    pub sha256: Sha256,
    pub state: UploadState,
}

impl AppendixVersion {
    /// A version whose bytes are still to come.
    pub fn pending(declared: Declared) -> Self {
        let Declared { content_type, bytes, sha256 } = declared;
        Self { content_type, bytes, sha256, state: UploadState::Pending }
    }

    pub fn declared(&self) -> Declared {
        let Self { content_type, bytes, sha256, state: _ } = self.clone();
        Declared { content_type, bytes, sha256 }
    }
}

/// What an uploader declares before sending bytes; only exactly those bytes are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub content_type: ContentType,
    pub bytes: AppendixBytes,
    pub sha256: Sha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Reserved; the bytes have not been seen.
    Pending,
    /// The bytes are in the bucket, of the declared size, type and hash.
    Stored,
}

/// The number of a version of an appendix: 1, 2, 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct VersionNumber(u32);

impl VersionNumber {
    pub const FIRST: Self = Self(1);

    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number after this one, or `None` at [`APPENDIX_VERSIONS_MAX`].
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0.saturating_add(1)).ok()
    }
}

impl TryFrom<u32> for VersionNumber {
    type Error = RuleError;

    fn try_from(number: u32) -> Result<Self, RuleError> {
        if (1..=APPENDIX_VERSIONS_MAX).contains(&number) {
            return Ok(Self(number));
        }
        Err(RuleError::new(format!("must be a number from 1 to {APPENDIX_VERSIONS_MAX}")))
    }
}

impl FromStored for VersionNumber {
    type Form = u32;

    fn from_stored(number: u32) -> Self {
        Self(number)
    }
}

impl FromStr for VersionNumber {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        text.parse().unwrap_or(0).try_into()
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many bytes a version has: 1 to [`APPENDIX_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct AppendixBytes(u64);

impl AppendixBytes {
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for AppendixBytes {
    type Error = RuleError;

    fn try_from(bytes: u64) -> Result<Self, RuleError> {
        if (1..=APPENDIX_BYTES_MAX).contains(&bytes) {
            return Ok(Self(bytes));
        }
        Err(RuleError::new(format!("must be from 1 to {APPENDIX_BYTES_MAX}")))
    }
}

impl FromStored for AppendixBytes {
    type Form = u64;

    fn from_stored(bytes: u64) -> Self {
        Self(bytes)
    }
}

/// A media type without parameters, `image/jpeg`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ContentType(String);

impl ContentType {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContentType {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let token = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let fits = text.len() <= 127
            && matches!(text.split_once('/'), Some((kind, subtype)) if token(kind) && token(subtype));
        if !fits {
            return Err(RuleError::new("must be a media type like image/jpeg, without parameters"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl FromStored for ContentType {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

/// The SHA-256 of an appendix's bytes: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As S3's `x-amz-checksum-sha256` writes it.
    pub fn to_base64(self) -> String {
        BASE64_STANDARD.encode(self.0)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        hex::read(text)
            .map(Self)
            .ok_or_else(|| RuleError::new("must be a SHA-256 as 64 hexadecimal digits"))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_has_no_parameters_and_one_spelling() {
        assert_eq!(ContentType::try_from("Image/JPEG".to_owned()).unwrap().as_str(), "image/jpeg");
        assert!(ContentType::try_from("application/vnd.ms-excel.sheet+xml".to_owned()).is_ok());
        for text in ["", "image", "image/", "/png", "text/html; charset=utf-8", "a/b/c", "a/b\r\nx"]
        {
            assert!(ContentType::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_sha256_round_trips_and_refuses_everything_else() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(hex.parse::<Sha256>().unwrap().to_string(), hex);
        for text in ["", &hex[1..], &hex.replace('9', "g"), &hex.replace("9f", "å")] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }

    #[test]
    fn version_numbers_start_at_one_and_end() {
        for text in ["0", "-1", "501", "x", "", "4294967297"] {
            assert!(text.parse::<VersionNumber>().is_err(), "{text}");
        }
        assert_eq!("500".parse::<VersionNumber>().unwrap().next(), None);
        assert_eq!(VersionNumber::FIRST.next().unwrap().get(), 2);
    }
}
