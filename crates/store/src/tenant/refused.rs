//! Sources that were refused a moment ago, in the memory of this process: while somebody floods us, most of it is
//! answered without asking anybody.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;

/// So long it is believed: meanwhile others may have taken a right log-in off the source's count.
const BELIEVED_FOR: Duration = Duration::from_secs(10);
/// More than one sandbox meets; then all are forgotten, and asked for again.
const REMEMBERED_MAX: usize = 1000;

/// Who was refused, and until when that is believed.
#[derive(Default)]
pub(crate) struct Refused(Mutex<HashMap<String, Timestamp>>);

impl Refused {
    pub(crate) fn is(&self, who: &str, now: Timestamp) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(who).is_some_and(|until| now < *until)
    }

    pub(crate) fn note(&self, who: String, now: Timestamp, ends_at: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(who, ends_at.min(now.after(BELIEVED_FOR)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_for_a_while_and_no_longer_than_the_window() {
        let (refused, at) = (Refused::default(), Timestamp::from_millis);
        refused.note("a".to_owned(), at(0), at(900_000));
        refused.note("b".to_owned(), at(0), at(4_000));
        assert!(refused.is("a", at(9_999)) && !refused.is("a", at(10_000)));
        assert!(refused.is("b", at(3_999)) && !refused.is("b", at(4_000)));
        assert!(!refused.is("c", at(0)));
        for n in 0..REMEMBERED_MAX {
            refused.note(n.to_string(), at(0), at(900_000));
        }
        assert!(refused.0.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
