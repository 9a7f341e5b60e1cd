//! Secrets of the local cloud, in place of AWS Secrets Manager: made up once, kept with the data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::{Entropy, entropy};

use crate::hex::hex;
use crate::{LocalError, whole_file};

/// The first secret that is ever made: with which others are derived.
pub(crate) const FIRST: &str = "secret keys";
/// What the secrets belong to.
const DATA: [&str; 3] = ["dynamodb.sqlite", "objects.sqlite", "recovery-points"];

/// Random texts by name, made when first asked for.
pub(crate) struct Secrets {
    path: PathBuf,
    known: BTreeMap<String, String>,
}

impl Secrets {
    /// Where there is data already, there have to be its secrets: with others, no log-in would ever fit again.
    pub(crate) fn open(folder: &Path) -> Result<Self, LocalError> {
        let path = folder.join("secrets.json");
        let has_data = DATA.iter().any(|name| folder.join(name).exists());
        let known = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| LocalError::Template {
                path: path.clone(),
                what: error.to_string(),
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(LocalError::File { path, source }),
        };
        if has_data && !known.contains_key(FIRST) {
            return Err(LocalError::NoSecrets(path));
        }
        Ok(Self { path, known })
    }

    pub(crate) fn get(&mut self, name: &str, entropy: &dyn Entropy) -> Result<String, LocalError> {
        if let Some(secret) = self.known.get(name) {
            return Ok(secret.clone());
        }
        let bytes = entropy::bytes::<32>(entropy);
        let secret = hex(&bytes);
        self.known.insert(name.to_owned(), secret.clone());
        serde_json::to_vec_pretty(&self.known)
            .map_err(std::io::Error::from)
            .and_then(|known| whole_file::write(&self.path, &known))
            .map_err(|source| LocalError::File { path: self.path.clone(), source })?;
        Ok(secret)
    }

    /// `text` with `{{resolve:secretsmanager:NAME}}` replaced, as CloudFormation does on deployment.
    pub(crate) fn resolve(
        &mut self,
        text: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, LocalError> {
        const OPEN: &str = "{{resolve:secretsmanager:";
        let Some((before, rest)) = text.split_once(OPEN) else { return Ok(text.to_owned()) };
        let Some((name, after)) = rest.split_once("}}") else { return Ok(text.to_owned()) };
        let secret = self.get(name, entropy)?;
        Ok(format!("{before}{secret}{}", self.resolve(after, entropy)?))
    }
}
