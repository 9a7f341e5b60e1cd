//! Conditional requests, and parts of objects, as HTTP has them.

use hyper::Request;
use hyper::header::{CONTENT_RANGE, ETAG, RANGE};
use hyper::http::HeaderValue;
use s3s::dto::{ETag, ETagCondition, GetObjectInput, HeadObjectInput, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

/// RFC 9110, 14.2: a range that is none, or several of them, is as good as none.
pub(super) fn ignore_strange_range<B>(request: &mut Request<B>) {
    let range = request.headers().get(RANGE);
    let is_strange = |range: &HeaderValue| {
        range.to_str().is_ok_and(|range| s3s::dto::Range::parse(range).is_err())
    };
    if range.is_some_and(is_strange) {
        request.headers_mut().remove(RANGE);
    }
}

/// 416, with how much there is.
pub(super) fn beyond(bytes: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange);
    let size = HeaderValue::from_str(&format!("bytes */{bytes}"));
    error.set_headers(size.into_iter().map(|size| (CONTENT_RANGE, size)).collect());
    error
}

/// What a client asks for under which conditions.
pub(super) struct Conditions<'a> {
    if_match: Option<&'a ETagCondition>,
    if_none_match: Option<&'a ETagCondition>,
    if_modified_since: Option<&'a Timestamp>,
    if_unmodified_since: Option<&'a Timestamp>,
}

impl<'a> From<&'a GetObjectInput> for Conditions<'a> {
    fn from(input: &'a GetObjectInput) -> Self {
        Self {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        }
    }
}

impl<'a> From<&'a HeadObjectInput> for Conditions<'a> {
    fn from(input: &'a HeadObjectInput) -> Self {
        Self {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        }
    }
}

impl Conditions<'_> {
    /// RFC 9110, 13.2.2: in this order, a tag before a time. 412 where the client wants another state than this
    /// one, 304 where it has this one. HTTP's times have no fractions of a second.
    pub(super) fn check(&self, etag: &ETag, stored_at_ms: i64) -> S3Result<()> {
        let seconds = std::time::Duration::from_secs(stored_at_ms.unsigned_abs() / 1000);
        let stored_at = Timestamp::from(std::time::UNIX_EPOCH + seconds);
        let is_match = match (self.if_match, self.if_unmodified_since) {
            (Some(ETagCondition::Any), _) => true,
            (Some(ETagCondition::ETag(seen)), _) => seen.strong_cmp(etag),
            (None, Some(time)) => stored_at <= *time,
            (None, None) => true,
        };
        if !is_match {
            return Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            ));
        }
        let is_seen = match (self.if_none_match, self.if_modified_since) {
            (Some(ETagCondition::Any), _) => true,
            (Some(ETagCondition::ETag(seen)), _) => seen.weak_cmp(etag),
            (None, Some(time)) => stored_at <= *time,
            (None, None) => false,
        };
        if !is_seen {
            return Ok(());
        }
        let mut error = s3_error!(NotModified);
        let tag = etag.to_http_header().ok();
        error.set_headers(tag.into_iter().map(|tag| (ETAG, tag)).collect());
        Err(error)
    }
}
