//! What the client is made of: in the function where it is built for AWS, in a folder on one machine.

use std::borrow::Cow;
use std::path::Path;

use domain::Digest;
use runtime::{ConfigError, Env};

/// One file, as it is and packed.
pub struct Asset {
    pub name: Cow<'static, str>,
    pub plain: Cow<'static, [u8]>,
    pub brotli: Cow<'static, [u8]>,
    pub gzip: Cow<'static, [u8]>,
    pub digest: String,
}

/// All of them.
pub struct Assets(Vec<Asset>);

/// The name of each, and its bytes: plain, brotli, gzip. build.rs puts them here in a release.
type Embedded = &'static [(&'static str, &'static [u8], &'static [u8], &'static [u8])];
const EMBEDDED: Embedded = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Assets {
    pub fn build(env: &Env<'_>) -> Result<Self, ConfigError> {
        let embedded = EMBEDDED.iter().map(|(name, plain, brotli, gzip)| {
            let of = |bytes: &&'static [u8]| Cow::Borrowed(*bytes);
            Asset::new(Cow::Borrowed(name), of(plain), of(brotli), of(gzip))
        });
        match env.optional("WEB_FOLDER") {
            Some(folder) => Ok(Self(read(Path::new(&folder)))),
            None => Ok(Self(embedded.collect())),
        }
    }

    pub fn find(&self, name: &str) -> Option<&Asset> {
        self.0.iter().find(|asset| asset.name == name)
    }
}

/// What is in a folder, and packed beside. What cannot be read is not there.
fn read(folder: &Path) -> Vec<Asset> {
    let mut assets = Vec::new();
    for (prefix, folder) in [("", folder.to_owned()), ("assets/", folder.join("assets"))] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let packed = |end: &str| {
                std::fs::read(
                    path.with_file_name(format!("{}.{end}", entry.file_name().to_string_lossy())),
                )
            };
            if let (Ok(plain), Ok(brotli), Ok(gzip)) =
                (std::fs::read(&path), packed("br"), packed("gz"))
            {
                assets.push(Asset::new(name.into(), plain.into(), brotli.into(), gzip.into()));
            }
        }
    }
    assets
}

impl Asset {
    fn new(
        name: Cow<'static, str>,
        plain: Cow<'static, [u8]>,
        brotli: Cow<'static, [u8]>,
        gzip: Cow<'static, [u8]>,
    ) -> Self {
        let digest = Digest::of(&[&plain]).to_string();
        Self { name, plain, brotli, gzip, digest }
    }

    pub fn content_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("webmanifest") => "application/manifest+json",
            _ => "application/octet-stream",
        }
    }
}
