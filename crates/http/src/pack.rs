//! Answers are packed where the client takes that, and where it saves more than it costs.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::Body;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};

use crate::{Request, Response};

/// What is shorter is one packet on the wire either way.
const BYTES_MIN: usize = 1024;

/// Packs what is worth it. The entity tag stays: it names the version, however that is sent.
pub(crate) fn pack(request: &Request, response: &mut Response) {
    let Body::Text(text) = response.body() else { return };
    if text.len() < BYTES_MIN || response.headers().contains_key(CONTENT_ENCODING) {
        return;
    }
    let accepted = request.header(ACCEPT_ENCODING.as_str()).unwrap_or_default();
    if !takes(accepted, "gzip") {
        response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
        return;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Into memory, it does not fail.
    let Ok(packed) = packed.write_all(text.as_bytes()).and_then(|()| packed.finish()) else {
        return;
    };
    *response.body_mut() = Body::Binary(packed);
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
}

/// RFC 9110, 12.5.3: a weight of nothing refuses, and `*` stands for what is not named.
pub fn takes(accepted: &str, coding: &str) -> bool {
    let weight = |wanted: &str| {
        accepted.split(',').find_map(|part| {
            let mut parts = part.split(';').map(str::trim);
            let named = parts.next()?.eq_ignore_ascii_case(wanted);
            let weight = parts.find_map(|it| it.strip_prefix("q=")?.parse::<f32>().ok());
            named.then_some(weight.unwrap_or(1.0))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (accepted, is_taken) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("*, gzip;q=0.0", false),
            ("*;q=0", false),
            ("xgzip", false),
        ] {
            assert_eq!(takes(accepted, "gzip"), is_taken, "{accepted}");
        }
    }
}
