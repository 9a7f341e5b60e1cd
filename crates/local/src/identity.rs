//! IAM, as far as functions meet it: who calls (an access key each), proof of it (Signature Version
//! 4), and what the template lets them do. A function that asks for more than its policy says is
//! refused here as it would be on AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::conditions::Facts;
use crate::hex::hex;
use crate::template::{Function, Permission};

/// The access key of the local cloud itself, and of tests that set a stage. It may do anything.
pub(crate) const OPERATOR: &str = "operator";

/// Who is known, and what each may do.
pub(crate) struct Identities {
    secret: String,
    functions: BTreeMap<String, Vec<Granted>>,
    usage: Mutex<Usage>,
    counts_units: AtomicBool,
}

/// What a function may do, and whether it has.
struct Granted {
    permission: Permission,
    used: AtomicBool,
}

impl From<&Permission> for Granted {
    fn from(permission: &Permission) -> Self {
        Self { permission: permission.clone(), used: AtomicBool::default() }
    }
}

/// What functions have asked AWS for since the cloud started, by the name of their binary.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The permissions that were used, as the template spells them.
    pub used: BTreeSet<(String, Permission)>,
    /// What was asked for without a permission: by whom, the action and the resource.
    pub refused: BTreeSet<(String, String, String)>,
    /// How many requests were made of each operation. A batch or a transaction is one.
    pub requests: BTreeMap<(String, String), u64>,
    /// What DynamoDB would count of each operation, in units of capacity, once somebody asks for it.
    pub units: BTreeMap<(String, String), f64>,
}

impl Identities {
    pub(crate) fn new(secret: String, template: &[Function]) -> Self {
        let granted = |it: &Function| it.permissions.iter().map(Granted::from).collect();
        let functions = template.iter().map(|it| (it.binary.clone(), granted(it)));
        Self {
            secret,
            functions: functions.collect(),
            usage: Mutex::default(),
            counts_units: AtomicBool::default(),
        }
    }

    /// Has units of capacity counted from now on.
    pub(crate) fn count_units(&self) {
        self.counts_units.store(true, Ordering::Relaxed);
    }

    pub(crate) fn counts_units(&self) -> bool {
        self.counts_units.load(Ordering::Relaxed)
    }

    pub(crate) fn add_units(&self, caller: &str, operation: &str, units: f64) {
        let key = (caller.to_owned(), operation.to_owned());
        *self.usage_mut().units.entry(key).or_default() += units;
    }

    /// Every access key, with its secret key.
    pub(crate) fn access_keys(&self) -> impl Iterator<Item = (String, String)> {
        let names = self.functions.keys().map(String::as_str).chain([OPERATOR]);
        names.map(|name| (name.to_owned(), self.secret_key(name)))
    }

    /// One secret key per access key, so that no function can sign as another.
    pub(crate) fn secret_key(&self, access_key: &str) -> String {
        hex(&mac(self.secret.as_bytes(), access_key.as_bytes()))
    }

    /// Whether a caller may do `action` on `resource`, an ARN, by a request of which these are the facts. What
    /// functions ask is noted.
    pub(crate) fn allow(
        &self,
        access_key: &str,
        action: &str,
        resource: &str,
        facts: &Facts,
    ) -> bool {
        if access_key == OPERATOR {
            return true;
        }
        let fits = |it: &&Granted| {
            it.permission.action == action
                && fits(&it.permission.resource, resource)
                && it.permission.conditions.iter().all(|condition| condition.holds(facts))
        };
        let granted = self.functions.get(access_key).and_then(|it| it.iter().find(fits));
        match granted {
            Some(granted) => granted.used.store(true, Ordering::Relaxed),
            None => {
                let refused = (access_key.to_owned(), action.to_owned(), resource.to_owned());
                self.usage_mut().refused.insert(refused);
            }
        }
        granted.is_some()
    }

    /// Notes a request, whatever becomes of it.
    pub(crate) fn count(&self, access_key: &str, operation: &str) {
        if access_key != OPERATOR {
            let key = (access_key.to_owned(), operation.to_owned());
            *self.usage_mut().requests.entry(key).or_default() += 1;
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = self.usage_mut().clone();
        for (function, granted) in &self.functions {
            let used = granted.iter().filter(|it| it.used.load(Ordering::Relaxed));
            usage.used.extend(used.map(|it| (function.clone(), it.permission.clone())));
        }
        usage
    }

    fn usage_mut(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The access key that signed a request of the AWS SDK's; `None` where nobody we know did.
    pub(crate) fn caller(&self, parts: &Parts, body: &[u8]) -> Option<String> {
        let header = |name: &str| parts.headers.get(name)?.to_str().ok();
        let authorization = header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part =
            |name: &str| authorization.split(',').find_map(|part| part.trim().strip_prefix(name));
        let (access_key, scope) = part("Credential=")?.split_once('/')?;
        let (signed, signature) = (part("SignedHeaders=")?, part("Signature=")?);
        if !self.functions.contains_key(access_key) && access_key != OPERATOR {
            return None;
        }
        let mut headers = String::new();
        for name in signed.split(';') {
            headers += &format!("{name}:{}\n", header(name)?.trim());
        }
        let body = hex(&Sha256::digest(body));
        // Each segment is encoded once more than in the request; S3 alone does not, and has its own.
        let (method, path) = (parts.method.as_str(), parts.uri.path().replace('%', "%25"));
        let query = parts.uri.query().unwrap_or("");
        let request = format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{body}");
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            header("x-amz-date")?,
            hex(&Sha256::digest(request.as_bytes()))
        );
        if !is_fresh(header("x-amz-date")?) {
            return None;
        }
        let start = format!("AWS4{}", self.secret_key(access_key)).into_bytes();
        let key = scope.split('/').fold(start, |key, part| mac(&key, part.as_bytes()).to_vec());
        let mut expected = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        expected.update(to_sign.as_bytes());
        expected.verify_slice(&unhex(signature)?).ok()?;
        Some(access_key.to_owned())
    }
}

/// A signature counts for a quarter of an hour before and after its time, by this machine's clock.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// Whether this is a time of now, as a signature has it: `20260115T080000Z`.
pub(crate) fn is_fresh(date: &str) -> bool {
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date);
    let signed = signed.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    signed.is_ok_and(|signed| {
        let apart = jiff::Timestamp::now().duration_since(signed.timestamp()).unsigned_abs();
        apart <= FRESH
    })
}

/// Whether a pattern, in which a `*` stands for anything, names a resource.
pub(crate) fn fits(pattern: &str, resource: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == resource };
    let Some(mut left) = resource.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::{fits, is_fresh};

    #[test]
    fn an_old_signature_is_none() {
        let now = jiff::Timestamp::now();
        let at = |minutes: i64| {
            let at = now + jiff::SignedDuration::from_mins(minutes);
            at.strftime("%Y%m%dT%H%M%SZ").to_string()
        };
        assert!(is_fresh(&at(0)) && is_fresh(&at(-14)) && is_fresh(&at(14)));
        assert!(!is_fresh(&at(-16)) && !is_fresh(&at(16)));
        assert!(!is_fresh("20200101T000000Z") && !is_fresh("") && !is_fresh("now"));
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for (pattern, resource, expected) in [
            ("a:b", "a:b", true),
            ("a:b", "a:bc", false),
            ("a:b*", "a:bc", true),
            ("a:b-*/*", "a:b-1/k/2", true),
            ("a:b-*/*", "a:b-1", false),
            ("a:b-*/x*", "a:b-1/y", false),
            ("*", "anything", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
        ] {
            assert_eq!(fits(pattern, resource), expected, "{pattern} {resource}");
        }
    }
}
