//! The body of a request, as it was before it was compressed.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// What an envelope may be when unpacked. Sentry takes more, for attachments, which are not passed on.
const UNPACKED_BYTES_MAX: usize = 20 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    #[error("Content-Encoding must be gzip, deflate or absent")]
    Unknown,
    #[error("it does not unpack by the Content-Encoding that is named")]
    Broken,
    #[error("unpacked, it must have at most {UNPACKED_BYTES_MAX} bytes")]
    TooLarge,
}

/// Undoes one `Content-Encoding` (RFC 9110 8.4). Reads no further than what is allowed, however well
/// it was compressed.
pub fn unpack<'a>(encoding: Option<&str>, body: &'a [u8]) -> Result<Cow<'a, [u8]>, UnpackError> {
    match encoding.unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "" | "identity" if body.len() <= UNPACKED_BYTES_MAX => Ok(Cow::Borrowed(body)),
        "" | "identity" => Err(UnpackError::TooLarge),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body)),
        "deflate" => read(ZlibDecoder::new(body)),
        _ => Err(UnpackError::Unknown),
    }
}

fn read(unpacking: impl Read) -> Result<Cow<'static, [u8]>, UnpackError> {
    let mut unpacked = Vec::new();
    let most = UNPACKED_BYTES_MAX as u64 + 1;
    unpacking.take(most).read_to_end(&mut unpacked).map_err(|_| UnpackError::Broken)?;
    if unpacked.len() > UNPACKED_BYTES_MAX {
        return Err(UnpackError::TooLarge);
    }
    Ok(Cow::Owned(unpacked))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(bytes).unwrap();
        packing.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_out() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}\n").unwrap();
        for (encoding, body) in [
            (None, b"{}\n".to_vec()),
            (Some("identity"), b"{}\n".to_vec()),
            (Some(" GZIP"), gzip(b"{}\n")),
            (Some("gzip"), [gzip(b"{}"), gzip(b"\n")].concat()),
            (Some("deflate"), zlib.finish().unwrap()),
        ] {
            assert_eq!(unpack(encoding, &body).as_deref(), Ok(&b"{}\n"[..]), "{encoding:?}");
        }
    }

    #[test]
    fn what_does_not_unpack_is_refused() {
        let whole = gzip(b"{}\n");
        let cut = &whole[..whole.len() - 3];
        for (encoding, body, error) in [
            ("br", &whole[..], UnpackError::Unknown),
            ("gzip, gzip", &whole, UnpackError::Unknown),
            ("gzip", cut, UnpackError::Broken),
            ("gzip", b"{}\n", UnpackError::Broken),
            ("deflate", &whole, UnpackError::Broken),
        ] {
            assert_eq!(unpack(Some(encoding), body).unwrap_err(), error, "{encoding}");
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gzip(&vec![0; UNPACKED_BYTES_MAX + 1]);
        assert!(bomb.len() < 200_000);
        assert_eq!(unpack(Some("gzip"), &bomb), Err(UnpackError::TooLarge));
        let most = gzip(&vec![0; UNPACKED_BYTES_MAX]);
        assert_eq!(unpack(Some("gzip"), &most).map(|it| it.len()), Ok(UNPACKED_BYTES_MAX));
    }
}
