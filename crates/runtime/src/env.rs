//! Configuration. Every name that the template sets is read here and nowhere else.

use std::ops::Deref;
use std::str::FromStr;

use mail::Mailer;
use passwords::{Passwords, Peppers};
use store::operator::{Bucket, Evidence, Operator, WaitingCrashes};
use store::tenant::CrashBucket;
use store::{Objects, Store, Tables};

use crate::clients::{self, BackupClient, HttpClient};

/// A function cannot start: the message names the variable and never shows its value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    #[error("the environment variable {name} {rule}")]
    Invalid { name: &'static str, rule: String },
}

/// The environment of one function: the process's own on Lambda, a map in the local cloud. It yields what
/// a request may use, and nothing that reaches all customers:
///
/// ```compile_fail
/// fn build(env: &runtime::Env<'_>) {
///     let everything = env.operator();
/// }
/// ```
///
/// ```
/// fn build(env: &runtime::OperatorEnv<'_>) {
///     let everything = env.operator();
/// }
/// ```
pub struct Env<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    http: HttpClient,
}

impl<'a> Env<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, http: HttpClient::default() }
    }

    /// Shares connections with other functions of the same process.
    #[must_use]
    pub fn with_http(mut self, http: HttpClient) -> Self {
        self.http = http;
        self
    }

    /// The database, as a request has it.
    pub fn store(&self) -> Result<Store, ConfigError> {
        let tables = self.tables()?;
        Ok(Store::new(clients::dynamo(self)?, tables))
    }

    fn tables(&self) -> Result<Tables, ConfigError> {
        Ok(Tables {
            records: self.required("RECORDS_TABLE")?,
            accounts: self.required("ACCOUNTS_TABLE")?,
            logins: self.required("LOGINS_TABLE")?,
            sessions: self.required("SESSIONS_TABLE")?,
            ledger: self.required("LEDGER_TABLE")?,
            index: self.required("INDEX_TABLE")?,
            restored_as: self.optional("RESTORED_AS").unwrap_or_default(),
        })
    }

    /// The bucket of appendices.
    pub fn objects(&self) -> Result<Objects, ConfigError> {
        let bucket = self.required("APPENDICES_BUCKET")?;
        let objects = Objects::new(clients::s3(self)?, bucket);
        Ok(match self.optional("PUBLIC_OBJECTS_URL") {
            Some(public) => objects.with_links(clients::s3_at(self, public)?),
            None => objects,
        })
    }

    /// The bucket of crashes that Sentry could not take yet.
    pub fn crash_bucket(&self) -> Result<CrashBucket, ConfigError> {
        Ok(CrashBucket::new(clients::s3(self)?, self.required("CRASHES_BUCKET")?))
    }

    /// The password policy with its peppers.
    pub fn passwords(&self) -> Result<Passwords, ConfigError> {
        self.parsed::<Peppers>("PEPPERS").map(Passwords::new)
    }

    /// Who sends mail; `None` where nobody does.
    pub fn mailer(&self) -> Result<Option<Mailer>, ConfigError> {
        let Some(domain) = self.optional("MAIL_DOMAIN") else { return Ok(None) };
        let set = self.required("MAIL_CONFIGURATION_SET")?;
        Ok(Some(Mailer::new(clients::ses(self)?, &domain, set)))
    }

    /// A variable that the template sets for this function alone.
    pub fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.optional(name).ok_or(ConfigError::Missing(name))
    }

    /// Whether a variable is set to something.
    pub fn has(&self, name: &str) -> bool {
        self.optional(name).is_some()
    }

    /// A variable that is set to something.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn http_client(&self) -> &HttpClient {
        &self.http
    }

    /// A variable of a type, which must be set.
    pub fn parsed<T: FromStr<Err: ToString>>(&self, name: &'static str) -> Result<T, ConfigError> {
        self.parsed_if_set(name)?.ok_or(ConfigError::Missing(name))
    }

    /// A variable of a type, which may be left empty.
    pub fn parsed_if_set<T: FromStr<Err: ToString>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        let rule = |rule: T::Err| ConfigError::Invalid { name, rule: rule.to_string() };
        self.optional(name).map(|text| text.parse().map_err(rule)).transpose()
    }
}

/// The environment of a function that no request reaches: it yields what reaches all customers, too.
pub struct OperatorEnv<'a>(Env<'a>);

impl<'a> Deref for OperatorEnv<'a> {
    type Target = Env<'a>;

    fn deref(&self) -> &Env<'a> {
        &self.0
    }
}

impl<'a> OperatorEnv<'a> {
    pub const fn new(env: Env<'a>) -> Self {
        Self(env)
    }

    /// The database, as an operator has it.
    pub fn operator(&self) -> Result<Operator, ConfigError> {
        let tables = self.tables()?;
        Ok(Operator::new(clients::dynamo(self)?, tables))
    }

    /// The bucket of appendices as a whole.
    pub fn bucket(&self) -> Result<Bucket, ConfigError> {
        Ok(Bucket::new(clients::s3(self)?, self.required("APPENDICES_BUCKET")?))
    }

    /// The bucket of manifests and reports.
    pub fn evidence(&self) -> Result<Evidence, ConfigError> {
        Ok(Evidence::new(clients::s3(self)?, self.required("EVIDENCE_BUCKET")?))
    }

    /// The bucket of crashes, with what waits in it.
    pub fn waiting_crashes(&self) -> Result<WaitingCrashes, ConfigError> {
        Ok(WaitingCrashes::new(clients::s3(self)?, self.required("CRASHES_BUCKET")?))
    }

    /// AWS Backup.
    pub fn aws_backup(&self) -> Result<BackupClient, ConfigError> {
        clients::backup(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_configuration_is_named() {
        let env = Env::new(&|_| None);
        assert_eq!(
            env.store().err().map(|error| error.to_string()).as_deref(),
            Some("the environment variable RECORDS_TABLE is not set")
        );
    }

    #[test]
    fn bad_configuration_is_named_and_not_shown() {
        let env = Env::new(&|_| Some("hunter2".to_owned()));
        let error = env.passwords().err().unwrap().to_string();
        assert!(error.starts_with("the environment variable PEPPERS must be"), "{error}");
        assert!(!error.contains("hunter2"));
    }
}
