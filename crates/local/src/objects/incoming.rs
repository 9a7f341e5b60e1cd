//! Bytes on their way in: unseen until they are whole.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use crate::hex::hex;

/// A file that bytes are being received into; gone when dropped before it was stored.
pub(crate) struct Incoming {
    path: PathBuf,
    file: File,
    bytes: u64,
    sha256: Sha256,
    md5: Md5,
}

/// What was received.
pub(crate) struct Sums {
    pub(crate) bytes: u64,
    /// As S3's `x-amz-checksum-sha256` writes it.
    pub(crate) sha256: String,
    /// What S3 makes an entity tag of.
    pub(crate) md5: String,
}

impl Incoming {
    pub(super) async fn create(path: PathBuf) -> std::io::Result<Self> {
        let file = File::create(&path).await?;
        Ok(Self { path, file, bytes: 0, sha256: Sha256::new(), md5: Md5::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn write(&mut self, part: &[u8]) -> std::io::Result<()> {
        self.sha256.update(part);
        self.md5.update(part);
        self.bytes += part.len() as u64;
        self.file.write_all(part).await
    }

    /// Of what was written until now.
    pub(crate) fn sums(&self) -> Sums {
        Sums {
            bytes: self.bytes,
            sha256: BASE64_STANDARD.encode(self.sha256.clone().finalize()),
            md5: hex(&self.md5.clone().finalize()),
        }
    }

    /// For others to see, should the power not go.
    pub(crate) async fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush().await
    }

    /// Makes it last. Of the last part that was written, only a flush tells whether there was room for it.
    pub(crate) async fn sync(&mut self) -> std::io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await
    }
}

/// How many bytes a file has, and their SHA-256 as S3 writes it.
pub(super) fn sums_of(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let length = std::io::Read::read(&mut file, &mut part)?;
        if length == 0 {
            return Ok((bytes, BASE64_STANDARD.encode(hash.finalize())));
        }
        hash.update(&part[..length]);
        bytes += length as u64;
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Not there any more where it was stored.
        let _ = std::fs::remove_file(&self.path);
    }
}
