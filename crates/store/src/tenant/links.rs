//! Presigned uploads and downloads of appendix bytes, which never pass through a function.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use domain::appendix::Declared;
use domain::{FileName, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{ObjectKey, Objects, StoreError};

/// Long enough for a large file over a factory's network; S3 checks it when the upload starts.
pub const UPLOAD_VALID_FOR: Duration = Duration::from_secs(60 * 60);
/// Long enough to start a download; a link that leaks is soon worth nothing.
pub const DOWNLOAD_VALID_FOR: Duration = Duration::from_secs(5 * 60);

/// A permission to upload exactly the declared bytes, once.
#[derive(Clone, Debug)]
pub struct Upload {
    pub url: String,
    /// To be sent as they are: they are part of the signature.
    pub headers: Vec<(String, String)>,
    pub expires_at: Timestamp,
}

/// A permission to download one version.
#[derive(Clone, Debug)]
pub struct Download {
    pub url: String,
    pub expires_at: Timestamp,
}

impl Objects {
    /// A PUT of the declared bytes: size, type and hash are signed, and so is that nothing may be
    /// there yet. Signing is arithmetic: no request is made.
    pub async fn presign_upload(
        &self,
        key: &ObjectKey,
        declared: &Declared,
        now: Timestamp,
    ) -> Result<Upload, StoreError> {
        let bytes = i64::try_from(declared.bytes.get()).map_err(StoreError::broken)?;
        let signed = self
            .links
            .put_object()
            .bucket(&self.bucket)
            .key(key.to_string())
            .content_length(bytes)
            .content_type(declared.content_type.as_str())
            .checksum_sha256(declared.sha256.to_base64())
            .if_none_match("*")
            .presigned(valid(now, UPLOAD_VALID_FOR)?)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Upload {
            url: signed.uri().to_owned(),
            headers: headers(&signed),
            expires_at: now.after(UPLOAD_VALID_FOR),
        })
    }

    /// A GET that saves the file under its name. It is never shown inline: an appendix may hold
    /// anything, a page with a script in it too.
    pub async fn presign_download(
        &self,
        key: &ObjectKey,
        name: &FileName,
        now: Timestamp,
    ) -> Result<Download, StoreError> {
        let signed = self
            .links
            .get_object()
            .bucket(&self.bucket)
            .key(key.to_string())
            .response_content_disposition(attachment(name))
            // A browser that several people share keeps none of it.
            .response_cache_control("no-store")
            .presigned(valid(now, DOWNLOAD_VALID_FOR)?)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(Download { url: signed.uri().to_owned(), expires_at: now.after(DOWNLOAD_VALID_FOR) })
    }
}

fn valid(from: Timestamp, duration: Duration) -> Result<PresigningConfig, StoreError> {
    let start =
        std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(from.millis()).unwrap_or(0));
    PresigningConfig::builder()
        .start_time(start)
        .expires_in(duration)
        .build()
        .map_err(StoreError::broken)
}

fn headers(signed: &PresignedRequest) -> Vec<(String, String)> {
    let mut headers: Vec<_> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    headers.sort();
    headers
}

/// RFC 6266: an ASCII name for old clients, and the real one in UTF-8.
fn attachment(name: &FileName) -> String {
    const QUOTED: &AsciiSet = &CONTROLS.add(b'"').add(b'\\').add(b'%');
    const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'!')
        .remove(b'#')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b'-')
        .remove(b'.')
        .remove(b'^')
        .remove(b'_')
        .remove(b'`')
        .remove(b'|')
        .remove(b'~');
    let ascii: String = name.as_str().chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let ascii = utf8_percent_encode(&ascii, QUOTED).to_string().replace('%', "_");
    let utf8 = utf8_percent_encode(name.as_str(), ATTR_CHAR);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        let name = |text: &str| FileName::try_from(text.to_owned()).unwrap();
        assert_eq!(
            attachment(&name("läcka \"7\"; x=y.jpg")),
            "attachment; filename=\"l_cka _227_22; x=y.jpg\"; \
             filename*=UTF-8''l%C3%A4cka%20%227%22%3B%20x%3Dy.jpg"
        );
    }
}
