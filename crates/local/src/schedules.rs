//! EventBridge Scheduler, and the calendars of AWS Backup: what is done at the template's times, in
//! the zone that it names.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::backup::Plan;
use crate::template::{Function, Schedule, Template};
use crate::{Invoke, LocalError};

/// A laptop that was asleep wakes up later than its timers think.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// What Scheduler puts the time in place of.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";
/// More days than any month has.
const DAYS_AHEAD: i32 = 62;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("SUN", Weekday::Sunday),
    ("MON", Weekday::Monday),
    ("TUE", Weekday::Tuesday),
    ("WED", Weekday::Wednesday),
    ("THU", Weekday::Thursday),
    ("FRI", Weekday::Friday),
    ("SAT", Weekday::Saturday),
];

fn now() -> Zoned {
    let now = Timestamp::from_millisecond(runtime::now().millis());
    now.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC)
}

/// Of cron's many forms, a minute of one hour or of each, of each day or of one of the month or of the week.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    name: String,
    minute: i8,
    hour: Option<i8>,
    day: Option<i8>,
    weekday: Option<Weekday>,
    zone: TimeZone,
}

impl Calendar {
    pub(crate) fn read(expression: &str, zone: &str, name: &str) -> Result<Self, LocalError> {
        let bad = |what: &str| LocalError::Schedule(format!("{name} at {expression}: {what}"));
        let fields = expression.strip_prefix("cron(").and_then(|it| it.strip_suffix(')'));
        let fields: Vec<&str> = fields.unwrap_or_default().split(' ').collect();
        let (minute, hour, day, weekday) = match fields.as_slice() {
            [minute, hour, day, "*", "?", "*"] => (minute, hour, *day, None),
            [minute, hour, "?", "*", weekday, "*"] => {
                let known = WEEKDAYS.iter().find(|(name, _)| name == weekday);
                let known =
                    known.ok_or_else(|| bad("a day of the week must be one of SUN to SAT"))?;
                (minute, hour, "*", Some(known.1))
            }
            _ => {
                return Err(bad(
                    "only cron(MINUTE HOUR|* DAY|* * ? *) and cron(MINUTE HOUR ? * WEEKDAY *) are run here",
                ));
            }
        };
        let each = |field: &str, most: i8| match field {
            "*" => Ok(None),
            number => match number.parse() {
                Ok(number) if (0..=most).contains(&number) => Ok(Some(number)),
                _ => Err(bad("minute, hour and day must be numbers that there are")),
            },
        };
        let (minute, hour, day) = (each(minute, 59)?, each(hour, 23)?, each(day, 31)?);
        let names_a_day = day.is_some() || weekday.is_some();
        let (Some(minute), false) = (minute, names_a_day && hour.is_none()) else {
            return Err(bad("a minute must be named, and an hour where a day is"));
        };
        let zone = TimeZone::get(zone).map_err(|error| bad(&error.to_string()))?;
        Ok(Self { name: name.to_owned(), minute, hour, day, weekday, zone })
    }

    /// The first time after `moment`.
    fn next(&self, moment: &Zoned) -> Result<Zoned, jiff::Error> {
        let local = moment.with_time_zone(self.zone.clone());
        let Some(hour) = self.hour else {
            let minute = local.with().minute(self.minute).second(0).subsec_nanosecond(0).build()?;
            return if minute > local { Ok(minute) } else { minute.checked_add(1.hour()) };
        };
        let fits = |date: &Date| {
            self.day.is_none_or(|day| day == date.day())
                && self.weekday.is_none_or(|weekday| weekday == date.weekday())
        };
        for ahead in 0..DAYS_AHEAD {
            let date = local.date().checked_add(ahead.days())?;
            let time = Time::new(hour, self.minute, 0, 0)?;
            let time = date.to_datetime(time).to_zoned(self.zone.clone())?;
            if fits(&date) && time > local {
                return Ok(time);
            }
        }
        Err(jiff::Error::from_args(format_args!("there is no such day")))
    }

    /// Does something at each of its times, until dropped. Of the times that passed while this
    /// machine slept, only one is made up for.
    pub(crate) async fn run<F: Future<Output = ()>>(self, mut each: impl FnMut(Zoned) -> F) {
        let mut due = self.next(&now());
        while let Ok(time) = &due {
            let now = now();
            if now < *time {
                let left = Duration::try_from(time.duration_since(&now)).unwrap_or_default();
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
                continue;
            }
            each(time.clone()).await;
            due = self.next(&now.max(time.clone()));
        }
        tracing::error!(name = self.name, "the calendar ends here");
    }
}

/// Something that will be done, and when next.
#[derive(Clone, Debug)]
pub struct Due {
    pub what: String,
    /// In the zone that the template names.
    pub at: String,
    /// In how long.
    pub left: Duration,
}

impl Due {
    /// All that a template has done at times, the next first.
    pub(crate) fn all(template: &Template) -> Result<Vec<Self>, LocalError> {
        let plan = Plan::read(template)?;
        let mut calendars = Vec::new();
        for scheduled in Scheduled::all(&template.functions()?)? {
            calendars.push((scheduled.function.clone(), scheduled.calendar));
        }
        for rule in plan.rules {
            calendars.push((format!("a backup of everything ({})", rule.name), rule.calendar));
        }
        for test in plan.tests {
            let what =
                format!("a restore of the newest backup, to verify it ({})", test.resources.len());
            calendars.push((what, test.calendar));
        }
        let now = now();
        let due = |(what, calendar): (String, Calendar)| {
            let bad = |error: jiff::Error| LocalError::Schedule(format!("{what}: {error}"));
            let at = calendar.next(&now).map_err(bad)?;
            let left = Duration::try_from(at.duration_since(&now)).unwrap_or_default();
            let at = at.strftime("%A %Y-%m-%d %H:%M %Q").to_string();
            Ok(Self { what, at, left })
        };
        let mut all: Vec<Self> = calendars.into_iter().map(due).collect::<Result<_, _>>()?;
        all.sort_by_key(|due| due.left);
        Ok(all)
    }
}

/// One schedule of a function.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    function: String,
    input: String,
    calendar: Calendar,
}

impl Scheduled {
    /// Every schedule of the template.
    pub(crate) fn all(template: &[Function]) -> Result<Vec<Self>, LocalError> {
        let schedules = template
            .iter()
            .flat_map(|function| function.schedules.iter().map(|it| (it, &function.binary)));
        schedules.map(|(schedule, binary)| Self::read(schedule, binary)).collect()
    }

    fn read(schedule: &Schedule, binary: &str) -> Result<Self, LocalError> {
        Ok(Self {
            function: binary.to_owned(),
            input: schedule.input.clone(),
            calendar: Calendar::read(&schedule.expression, &schedule.time_zone, binary)?,
        })
    }

    fn event(&self, time: &Zoned) -> String {
        let utc = time.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.input.replace(SCHEDULED_TIME, &utc)
    }

    /// Runs the function at each of its times, until dropped.
    pub(crate) async fn run(self, functions: Arc<dyn Invoke>) {
        let calendar = self.calendar.clone();
        calendar.run(async |time| self.fire(&functions, &time).await).await;
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

    fn scheduled(expression: &str, zone: &str) -> Result<Scheduled, LocalError> {
        let schedule = Schedule {
            expression: expression.to_owned(),
            time_zone: zone.to_owned(),
            input: format!("{{\"scheduled_at\": \"{SCHEDULED_TIME}\"}}"),
        };
        Scheduled::read(&schedule, "open-backup-run")
    }

    fn times(expression: &str, from: &str) -> Vec<String> {
        let scheduled = scheduled(expression, "Europe/Stockholm").unwrap();
        let mut now: Zoned = from.parse().unwrap();
        let mut times = Vec::new();
        for _ in 0..2 {
            now = scheduled.calendar.next(&now).unwrap();
            times.push(now.timestamp().to_string());
        }
        times
    }

    #[test]
    fn six_in_the_evening_is_six_in_summer_and_in_winter() {
        // Summer time begins in the night between.
        let times = times("cron(0 18 * * ? *)", "2026-03-28T12:00:00Z[UTC]");
        assert_eq!(times, ["2026-03-28T17:00:00Z", "2026-03-29T16:00:00Z"]);
        let evening = scheduled("cron(0 18 * * ? *)", "Europe/Stockholm").unwrap();
        let time = "2026-03-28T17:00:00Z[UTC]".parse().unwrap();
        assert_eq!(evening.event(&time), "{\"scheduled_at\": \"2026-03-28T17:00:00Z\"}");
    }

    #[test]
    fn a_day_of_the_month_comes_once_a_month_and_a_minute_every_hour() {
        let monthly = times("cron(0 4 1 * ? *)", "2026-01-01T03:00:00Z[UTC]");
        assert_eq!(monthly, ["2026-02-01T03:00:00Z", "2026-03-01T03:00:00Z"]);
        let weekly = times("cron(0 23 ? * SUN *)", "2026-01-04T22:00:00Z[UTC]");
        assert_eq!(weekly, ["2026-01-11T22:00:00Z", "2026-01-18T22:00:00Z"]);
        let hourly = times("cron(30 * * * ? *)", "2026-01-01T03:30:00Z[UTC]");
        assert_eq!(hourly, ["2026-01-01T04:30:00Z", "2026-01-01T05:30:00Z"]);
    }

    #[test]
    fn what_is_no_time_is_refused_and_named() {
        for (expression, zone, what) in [
            ("rate(1 hour)", "UTC", "only cron("),
            ("cron(0 18 ? * MON-FRI *)", "UTC", "one of SUN to SAT"),
            ("cron(0 * ? * MON *)", "UTC", "an hour where a day is"),
            ("cron(x 18 * * ? *)", "UTC", "must be numbers"),
            ("cron(0 25 * * ? *)", "UTC", "must be numbers"),
            ("cron(* 18 * * ? *)", "UTC", "a minute must be named"),
            ("cron(0 18 * * ? *)", "Europe/Atlantis", "Atlantis"),
        ] {
            let error = scheduled(expression, zone).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("open-backup-run"), "{error}");
        }
    }
}
