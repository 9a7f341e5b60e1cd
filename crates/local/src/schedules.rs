//! EventBridge Scheduler: runs functions at the template's times, in the zone that it names.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::template::{Function, Schedule};
use crate::{Invoke, LocalError};

/// A laptop that was asleep wakes up later than its timers think.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// What Scheduler puts the time in place of.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

fn now() -> Zoned {
    Timestamp::now().to_zoned(TimeZone::UTC)
}

/// One schedule: every day at one time.
#[derive(Clone, Debug)]
pub(crate) struct Daily {
    function: String,
    input: String,
    at: Time,
    zone: TimeZone,
}

impl Daily {
    /// Every schedule of the template. Of cron's many forms, only a minute and an hour of each day.
    pub(crate) fn all(template: &[Function]) -> Result<Vec<Self>, LocalError> {
        let schedules = template
            .iter()
            .flat_map(|function| function.schedules.iter().map(|it| (it, &function.binary)));
        schedules.map(|(schedule, binary)| Self::read(schedule, binary)).collect()
    }

    fn read(schedule: &Schedule, binary: &str) -> Result<Self, LocalError> {
        let bad = |what: &str| {
            LocalError::Schedule(format!("{binary} at {}: {what}", schedule.expression))
        };
        let fields = schedule.expression.strip_prefix("cron(").and_then(|it| it.strip_suffix(')'));
        let fields: Vec<&str> = fields.unwrap_or_default().split(' ').collect();
        let [minute, hour, "*", "*", "?", "*"] = fields.as_slice() else {
            return Err(bad("only cron(MINUTE HOUR * * ? *) is run here"));
        };
        let (Ok(minute), Ok(hour)) = (minute.parse(), hour.parse()) else {
            return Err(bad("hour and minute must be numbers"));
        };
        Ok(Self {
            function: binary.to_owned(),
            input: schedule.input.clone(),
            at: Time::new(hour, minute, 0, 0).map_err(|error| bad(&error.to_string()))?,
            zone: TimeZone::get(&schedule.time_zone).map_err(|error| bad(&error.to_string()))?,
        })
    }

    /// The first time after `moment`.
    fn next(&self, moment: &Zoned) -> Result<Zoned, jiff::Error> {
        let local = moment.with_time_zone(self.zone.clone());
        let today = local.date().to_datetime(self.at).to_zoned(self.zone.clone())?;
        if today > local {
            return Ok(today);
        }
        local.date().checked_add(1.day())?.to_datetime(self.at).to_zoned(self.zone.clone())
    }

    fn event(&self, time: &Zoned) -> String {
        let utc = time.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.input.replace(SCHEDULED_TIME, &utc)
    }

    /// Runs the function at each of its times, until dropped. Of the times that passed while
    /// this machine slept, only one is made up for.
    pub(crate) async fn run(self, functions: Arc<dyn Invoke>) {
        let mut due = self.next(&now());
        while let Ok(time) = &due {
            let now = now();
            if now < *time {
                let left = Duration::try_from(time.duration_since(&now)).unwrap_or_default();
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
                continue;
            }
            self.fire(&functions, time).await;
            due = self.next(&now.max(time.clone()));
        }
        tracing::error!(function = self.function, "the calendar ends here");
    }

    async fn fire(&self, functions: &Arc<dyn Invoke>, time: &Zoned) {
        let event = match serde_json::from_str(&self.event(time)) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(function = self.function, %error, "its input is no JSON");
                return;
            }
        };
        match functions.invoke(&self.function, event).await {
            Ok(result) => tracing::info!(function = self.function, %result, "ran on schedule"),
            Err(error) => tracing::error!(function = self.function, %error, "failed on schedule"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(expression: &str, zone: &str) -> Result<Daily, LocalError> {
        let schedule = Schedule {
            expression: expression.to_owned(),
            time_zone: zone.to_owned(),
            input: format!("{{\"scheduled_at\": \"{SCHEDULED_TIME}\"}}"),
        };
        Daily::read(&schedule, "open-backup-run")
    }

    #[test]
    fn six_in_the_evening_is_six_in_summer_and_in_winter() {
        let evening = daily("cron(0 18 * * ? *)", "Europe/Stockholm").unwrap();
        let mut now: Zoned = "2026-03-28T12:00:00Z[UTC]".parse().unwrap();
        let mut events = Vec::new();
        for _ in 0..2 {
            now = evening.next(&now).unwrap();
            events.push(evening.event(&now));
        }
        // Summer time begins in the night between.
        let expected = ["2026-03-28T17:00:00Z", "2026-03-29T16:00:00Z"];
        assert_eq!(events, expected.map(|time| format!("{{\"scheduled_at\": \"{time}\"}}")));
    }

    #[test]
    fn what_is_no_daily_time_is_refused_and_named() {
        for (expression, zone, what) in [
            ("rate(1 hour)", "UTC", "only cron(MINUTE HOUR * * ? *)"),
            ("cron(0 18 ? * MON *)", "UTC", "only cron(MINUTE HOUR * * ? *)"),
            ("cron(x 18 * * ? *)", "UTC", "must be numbers"),
            ("cron(0 25 * * ? *)", "UTC", "hour"),
            ("cron(0 18 * * ? *)", "Europe/Atlantis", "Atlantis"),
        ] {
            let error = daily(expression, zone).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("open-backup-run"), "{error}");
        }
    }
}
