//! Tries to log in with a name, from everywhere together. Failures make strangers wait, longer each time; whoever logs in
//! from where they did before waits for nobody else's failures.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Digest, SignInName, Timestamp};

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Store, StoreError};

/// So many failures in [`FAILURES_COUNT_FOR`] make nobody wait: people mistype, and one source has fewer tries.
const FAILURES_FREE: u32 = 20;
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// After this long without a failure, none counts any more.
const FAILURES_COUNT_FOR: Duration = Duration::from_secs(60 * 60);
/// From where somebody logged in is forgotten after this long without a log-in from a new place.
const KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A telephone is in many networks. Beyond so many places, the list begins anew.
const PLACES_MAX: usize = 60;

pub(crate) const FAILURES: &str = "failures";
pub(crate) const FAILED_AT: &str = "failed_at_ms";
/// Networks and devices that the person has logged in from, as digests.
pub(crate) const KNOWN: &str = "known";

/// What is known of tries with a name, whether somebody has it or not.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    failures: u32,
    failed_at: Option<Timestamp>,
    known: BTreeSet<String>,
}

/// Where somebody tries from: the network, and what the client calls itself.
#[derive(Clone, Debug)]
pub struct Place {
    network: String,
    device: String,
}

impl Place {
    pub fn new(name: &SignInName, network: &str, device: &str) -> Self {
        // A browser that was updated is the same device.
        let device: String = device.chars().filter(|c| c.is_alphabetic()).collect();
        let digest = |what: &[u8], it: &str| {
            let digest = Digest::of(&[what, name.as_str().as_bytes(), it.as_bytes()]).to_string();
            digest[..16].to_owned()
        };
        Self { network: digest(b"network", network), device: digest(b"device", &device) }
    }
}

impl Tries {
    pub(super) fn read(item: &Item) -> Self {
        let fields = Fields(item);
        let known = item.get(KNOWN).and_then(|known| known.as_ss().ok());
        Self {
            failures: fields.parse(FAILURES).unwrap_or(0),
            failed_at: fields.time(FAILED_AT).ok(),
            known: known.into_iter().flatten().cloned().collect(),
        }
    }

    /// How long to wait before a try from there; `None` if it may be made.
    pub fn wait(&self, place: &Place, now: Timestamp) -> Option<Duration> {
        let failed_at = self.failed_at.filter(|at| now.since(*at) < FAILURES_COUNT_FOR)?;
        let over = self.failures.checked_sub(FAILURES_FREE)?;
        if self.known.contains(&place.network) {
            return None;
        }
        let wait = WAIT_MAX.min(Duration::from_secs(1 << over.min(16)));
        wait.checked_sub(now.since(failed_at)).filter(|left| !left.is_zero())
    }

    /// Whether the person never used this device, though they used another one.
    pub fn is_new_device(&self, place: &Place) -> bool {
        !self.known.is_empty() && !self.known.contains(&place.device)
    }
}

impl Store {
    /// Counts a failure to log in with a name. As much is done for a name that nobody has.
    pub async fn note_failure(
        &self,
        name: &SignInName,
        tries: &Tries,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let counts = tries.failed_at.is_some_and(|at| now.since(at) < FAILURES_COUNT_FOR);
        let set = "SET #failed_at = :now, #expires_at = :expires_at";
        let expression = match counts {
            true => format!("{set} ADD #failures :one"),
            false => format!("{set}, #failures = :one"),
        };
        let update = self
            .tries_update(name, now)
            .update_expression(expression)
            .expression_attribute_names("#failed_at", FAILED_AT)
            .expression_attribute_names("#failures", FAILURES)
            .expression_attribute_values(":now", items::number(now.millis()))
            .expression_attribute_values(":one", items::number(1));
        update.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Remembers from where somebody has logged in, if that is new.
    pub async fn note_place(
        &self,
        name: &SignInName,
        tries: &Tries,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new: Vec<String> = [&place.network, &place.device]
            .into_iter()
            .filter(|it| !tries.known.contains(*it))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let is_full = tries.known.len() + new.len() > PLACES_MAX;
        let expression = match is_full {
            true => "SET #expires_at = :expires_at, #known = :new",
            false => "SET #expires_at = :expires_at ADD #known :new",
        };
        let update = self
            .tries_update(name, now)
            .update_expression(expression)
            .expression_attribute_names("#known", KNOWN)
            .expression_attribute_values(":new", AttributeValue::Ss(new));
        update.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    fn tries_update(
        &self,
        name: &SignInName,
        now: Timestamp,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        let key = items::key(&keys::sign_in_partition(name), &SortKey::Tries);
        self.database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.logins)
            .set_key(Some(key))
            .expression_attribute_names("#expires_at", items::EXPIRES_AT)
            .expression_attribute_values(
                ":expires_at",
                items::number(now.after(KEPT_FOR).seconds()),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(network: &str, device: &str) -> Place {
        Place::new(&"eva@example.com".to_owned().try_into().unwrap(), network, device)
    }

    #[test]
    fn strangers_wait_longer_after_each_failure_and_a_known_network_never_does() {
        let (now, home) = (Timestamp::from_millis(10_000_000), place("192.0.2.1", "Phone 1"));
        let away = place("198.51.100.1", "Phone 1");
        let known = BTreeSet::from([home.network.clone(), home.device.clone()]);
        let after = |failures| Tries { failures, failed_at: Some(now), known: known.clone() };
        for (failures, seconds) in [(19, 0), (20, 1), (21, 2), (24, 16), (30, 900), (4_000, 900)] {
            let wait = after(failures).wait(&away, now).map_or(0, |wait| wait.as_secs());
            assert_eq!(wait, seconds, "{failures}");
            assert_eq!(after(failures).wait(&home, now), None, "{failures}");
        }
        assert_eq!(after(24).wait(&away, now.after(Duration::from_secs(16))), None);
        assert_eq!(after(4_000).wait(&away, now.after(FAILURES_COUNT_FOR)), None);
    }

    #[test]
    fn an_updated_browser_is_no_new_device_and_the_first_one_is_none() {
        let first = place("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Chrome/155.0");
        let updated = place("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.1");
        let other = place("192.0.2.1", "Mozilla/5.0 (iPhone) Safari");
        assert!(!Tries::default().is_new_device(&first));
        let known = BTreeSet::from([first.device.clone()]);
        let tries = Tries { known, ..Tries::default() };
        assert!(!tries.is_new_device(&updated) && tries.is_new_device(&other));
    }
}
