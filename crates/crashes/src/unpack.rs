//! The body of a request, as it was before it was compressed.

use std::borrow::Cow;
use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::bufread::GzDecoder;
use flate2::read::ZlibDecoder;

/// What an envelope may be when unpacked. Sentry takes more, for attachments, which are not passed on.
const UNPACKED_BYTES_MAX: usize = 20 * 1024 * 1024;

/// RFC 1952 lets a file have any number of members, each of which costs something, even an empty one.
const MEMBERS_MAX: usize = 64;
/// Of what is unpacked at once.
const BUFFER_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    #[error("Content-Encoding must be gzip, deflate, br or absent")]
    Unknown,
    #[error("it does not unpack by the Content-Encoding that is named")]
    Broken,
    #[error("it must have at most {MEMBERS_MAX} members")]
    TooManyMembers,
    #[error("unpacked, it must have at most {UNPACKED_BYTES_MAX} bytes")]
    TooLarge,
}

/// Undoes one `Content-Encoding` (RFC 9110 8.4). Reads no further than what is allowed, however well
/// it was compressed.
pub fn unpack<'a>(encoding: Option<&str>, body: &'a [u8]) -> Result<Cow<'a, [u8]>, UnpackError> {
    match encoding.unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "" | "identity" if body.len() <= UNPACKED_BYTES_MAX => Ok(Cow::Borrowed(body)),
        "" | "identity" => Err(UnpackError::TooLarge),
        "gzip" | "x-gzip" => members(body),
        "deflate" => read(ZlibDecoder::new(body), Vec::new()).map(Cow::Owned),
        // What Sentry's Python SDK sends where it finds brotli.
        "br" => read(Decompressor::new(body, BUFFER_BYTES), Vec::new()).map(Cow::Owned),
        _ => Err(UnpackError::Unknown),
    }
}

/// All members of a gzip file.
fn members(mut packed: &[u8]) -> Result<Cow<'static, [u8]>, UnpackError> {
    let mut unpacked = Vec::new();
    for _ in 0..MEMBERS_MAX {
        let mut member = GzDecoder::new(packed);
        unpacked = read(&mut member, unpacked)?;
        packed = member.into_inner();
        if packed.is_empty() {
            return Ok(Cow::Owned(unpacked));
        }
    }
    Err(UnpackError::TooManyMembers)
}

/// What is unpacked, behind what was before.
fn read(unpacking: impl Read, mut unpacked: Vec<u8>) -> Result<Vec<u8>, UnpackError> {
    let most = (UNPACKED_BYTES_MAX + 1 - unpacked.len()) as u64;
    unpacking.take(most).read_to_end(&mut unpacked).map_err(|_| UnpackError::Broken)?;
    if unpacked.len() > UNPACKED_BYTES_MAX {
        return Err(UnpackError::TooLarge);
    }
    Ok(unpacked)
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
            // Written by another implementation.
            (Some("br"), vec![0x0b, 0x01, 0x80, b'{', b'}', b'\n', 0x03]),
        ] {
            assert_eq!(unpack(encoding, &body).as_deref(), Ok(&b"{}\n"[..]), "{encoding:?}");
        }
    }

    #[test]
    fn what_does_not_unpack_is_refused() {
        let whole = gzip(b"{}\n");
        let cut = &whole[..whole.len() - 3];
        for (encoding, body, error) in [
            ("br", &whole[..], UnpackError::Broken),
            ("zstd", &whole, UnpackError::Unknown),
            ("gzip, gzip", &whole, UnpackError::Unknown),
            ("gzip", cut, UnpackError::Broken),
            ("gzip", b"{}\n", UnpackError::Broken),
            ("deflate", &whole, UnpackError::Broken),
        ] {
            assert_eq!(unpack(Some(encoding), body).unwrap_err(), error, "{encoding}");
        }
    }

    #[test]
    fn many_members_that_are_empty_are_refused_at_once() {
        let many = gzip(b"").repeat(220_000);
        assert_eq!(unpack(Some("gzip"), &many), Err(UnpackError::TooManyMembers));
        let some = [gzip(b"").repeat(MEMBERS_MAX - 1), gzip(b"{}\n")].concat();
        assert_eq!(unpack(Some("gzip"), &some).as_deref(), Ok(&b"{}\n"[..]));
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
