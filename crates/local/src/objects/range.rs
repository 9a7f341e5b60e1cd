//! Parts of objects, as HTTP has them.

use hyper::Request;
use hyper::header::{CONTENT_RANGE, RANGE};
use hyper::http::HeaderValue;
use s3s::{S3Error, s3_error};

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
