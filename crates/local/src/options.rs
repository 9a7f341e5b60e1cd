//! What a local cloud is started with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::hosts::PublicUrl;
use crate::schedules::Due;
use crate::template::Template;
use crate::{LocalError, time, whole_file};

/// What to run, where.
#[derive(Clone, Debug)]
pub struct Options {
    /// template.yaml.
    pub template: PathBuf,
    /// Parameters of the template that are not to have their default.
    pub parameters: BTreeMap<String, String>,
    /// Where all state is kept.
    pub data: PathBuf,
    /// Where the API listens; port 0 takes any.
    pub address: SocketAddr,
    /// Where uploads and downloads of appendices go; port 0 takes any.
    pub objects_address: SocketAddr,
    /// Built binaries to run behind the Runtime API; without it, functions run in this process.
    pub binaries: Option<PathBuf>,
    /// Where others find it, through a proxy on this machine.
    pub public_url: Option<PublicUrl>,
    /// Where the built web client is.
    pub web: PathBuf,
    /// Whether the links in letters are printed, for who sits in front of it.
    pub prints_letters: bool,
}

/// The parameter that says which tables are in use, and the file that keeps it.
const RESTORED_AS: &str = "RestoredAs";
const RESTORED_AS_FILE: &str = "restored-as";

/// The domain that letters are sent from, unless somebody says another one, or none.
const MAIL_DOMAIN: (&str, &str) = ("MailDomain", "outbox.example");
/// The built web client, in the repository.
const WEB: &str = "web/dist";

impl Options {
    /// The template of a repository on any free ports, with no parameters, in this process.
    pub fn new(repository: &Path, data: &Path) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            template: repository.join("template.yaml"),
            parameters: BTreeMap::new(),
            data: data.to_owned(),
            address: any,
            objects_address: any,
            binaries: None,
            public_url: None,
            web: repository.join(WEB),
            prints_letters: false,
        }
    }

    /// The same with a parameter of the template.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    /// Uses what was restored from the next start on: what `sam deploy` does with the parameter.
    pub fn remember_restored(&self, restored_as: &str) -> Result<(), LocalError> {
        let path = self.data.join(RESTORED_AS_FILE);
        whole_file::write(&path, restored_as.as_bytes())
            .map_err(|source| LocalError::File { path, source })
    }

    /// What is done when next.
    pub fn schedule(&self) -> Result<Vec<Due>, LocalError> {
        Due::all(&Template::read(&self.template)?.with_parameters(&self.all_parameters()?)?)
    }

    /// The time is this machine's from the next start on, or that of the last evening.
    pub fn forget_time(&self) -> Result<(), LocalError> {
        time::forget(&self.data)
    }

    /// The parameters, with what was restored last where they do not say. Not to know would be to use
    /// the tables from before the restore.
    pub(crate) fn all_parameters(&self) -> Result<BTreeMap<String, String>, LocalError> {
        let mut parameters = self.parameters.clone();
        let (name, domain) = MAIL_DOMAIN;
        parameters.entry(name.to_owned()).or_insert_with(|| domain.to_owned());
        if parameters.contains_key(RESTORED_AS) {
            return Ok(parameters);
        }
        let path = self.data.join(RESTORED_AS_FILE);
        match std::fs::read_to_string(&path) {
            Ok(restored_as) if restored_as.is_empty() => {
                let source = std::io::Error::other("it is empty");
                return Err(LocalError::File { path, source });
            }
            Ok(restored_as) => {
                parameters.insert(RESTORED_AS.to_owned(), restored_as);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(LocalError::File { path, source }),
        }
        Ok(parameters)
    }
}
