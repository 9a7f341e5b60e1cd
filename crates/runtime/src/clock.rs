//! The service's time. It never goes back: what was committed after an evening's cut must not say that it is
//! from before.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// By so much, the clocks of two machines may differ.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock::new(machine_now));

/// The time: for events, which carry no time of their own that counts, and for the local gateway.
pub fn now() -> Timestamp {
    CLOCK.now()
}

/// Nothing is issued from before this any more, in this process.
pub fn not_before(time: Timestamp) {
    CLOCK.not_before(time);
}

/// By how much the machine's clock is behind the service's time: it was set back, or was ahead.
pub fn behind() -> Duration {
    CLOCK.behind()
}

fn machine_now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// Goes with the machine's clock, which may be set forward at any time. Where that is set back, it goes on
/// from where it was, at the same pace, until the machine's clock has caught up.
pub struct Clock {
    machine: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// A time, and when it was that.
    anchor: Mutex<(Timestamp, Instant)>,
}

impl Clock {
    pub fn new(machine: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let anchor = Mutex::new((machine(), Instant::now()));
        Self { machine: Box::new(machine), anchor }
    }

    pub fn now(&self) -> Timestamp {
        self.later_of((self.machine)())
    }

    pub fn not_before(&self, time: Timestamp) {
        self.later_of(time);
    }

    pub fn behind(&self) -> Duration {
        self.now().since((self.machine)())
    }

    fn later_of(&self, time: Timestamp) -> Timestamp {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = anchor.0.after(anchor.1.elapsed());
        if time < steady {
            return steady;
        }
        *anchor = (time, Instant::now());
        time
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A clock on a machine whose clock says what it is told.
    fn clock(at: i64) -> (Clock, Arc<AtomicI64>) {
        let machine = Arc::new(AtomicI64::new(at));
        let told = machine.clone();
        (Clock::new(move || Timestamp::from_millis(told.load(Ordering::Relaxed))), machine)
    }

    /// Whether it is that time, but for how long a test may be held up.
    fn is(clock: &Clock, millis: i64) -> bool {
        (millis..millis + 100_000).contains(&clock.now().millis())
    }

    #[test]
    fn it_goes_forward_with_the_machine_and_never_back() {
        let (clock, machine) = clock(1_000_000);
        assert!(is(&clock, 1_000_000));
        machine.store(5_000_000, Ordering::Relaxed);
        assert!(is(&clock, 5_000_000));
        machine.store(2_000_000, Ordering::Relaxed);
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(3));
        let after = clock.now();
        assert!(before.millis() >= 5_000_000 && after > before, "{before} {after}");
        assert!(clock.behind() >= Duration::from_millis(3_000_000));
        // It has caught up.
        machine.store(9_000_000, Ordering::Relaxed);
        assert!(is(&clock, 9_000_000) && clock.behind() < Duration::from_secs(100));
    }

    #[test]
    fn what_was_there_before_this_process_counts() {
        let (clock, _) = clock(1_000_000);
        clock.not_before(Timestamp::from_millis(3_000_000));
        assert!(clock.now().millis() >= 3_000_000);
        clock.not_before(Timestamp::from_millis(2_000_000));
        assert!(clock.now().millis() >= 3_000_000);
    }
}
