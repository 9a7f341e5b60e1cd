//! A whole evening, now: the manifest, a backup of everything, a restore of everything beside it, and
//! the verification of what was restored. The same functions, jobs and events as on schedule.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::values::text;
use crate::{Cloud, LocalError};

const LOOK_AGAIN: Duration = Duration::from_millis(5);
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// The event of what has ended is there by then.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Events of what has ended are taken by then, or cannot be.
const SETTLED_WITHIN: Duration = Duration::from_secs(15);
/// A verification, or a trace, that does not end within this was lost: its event was given up.
const JUDGED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What has just come to pass.
#[derive(Clone, Debug)]
pub enum Progress {
    Opened {
        cut: String,
        revisions: u64,
        digest: String,
    },
    /// Two times that cannot both be right: the machine's, and one at which somebody looked before.
    Clock {
        machine: String,
        service: String,
    },
    /// Whether all is there that was there the evenings before; if not, what is gone.
    Chained {
        holds: bool,
        since: String,
        gone: Vec<String>,
    },
    /// What is gone from a table, by its key; or why it could not be named.
    Traced {
        table: String,
        gone: Vec<String>,
    },
    BackedUp {
        resource: String,
        state: String,
        items: u64,
    },
    Restored {
        resource: String,
        state: String,
    },
    Judged {
        resource: String,
        verdict: String,
    },
}

/// How an evening ended.
#[derive(Clone, Debug)]
pub struct Evening {
    /// All is there that was there the evenings before.
    pub chain_holds: bool,
    /// What was restored and judged: the resource and the verdict.
    pub verdicts: Vec<(String, String)>,
    /// What was backed up or restored and did not come to that.
    pub failed: Vec<(String, String)>,
    /// What is not as the policy promises, by the audit that follows, and by the manifest.
    pub broken: Vec<String>,
    /// Row 5 of the policy, afterwards.
    pub evidence: Value,
}

impl Evening {
    fn new(chain_holds: bool) -> Self {
        let (verdicts, failed, broken) = (Vec::new(), Vec::new(), Vec::new());
        Self { chain_holds, verdicts, failed, broken, evidence: Value::Null }
    }
}

impl Cloud {
    /// Runs a whole evening, while nobody else writes: what was written a moment ago is in it.
    pub async fn run_evening(
        &self,
        mut progress: impl FnMut(Progress),
    ) -> Result<Evening, LocalError> {
        let evening = self.back_up(&mut progress).await?;
        self.test_restores(evening, &mut progress).await
    }

    /// The first half of it: adds everything up, and backs it up.
    pub async fn back_up(
        &self,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Evening, LocalError> {
        let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
        let opened = self.invoke("open-backup-run", event).await.map_err(failed)?;
        progress(Progress::Opened {
            cut: text(&opened["cut"]),
            revisions: opened["revisions"].as_u64().unwrap_or(0),
            digest: text(&opened["digest"]),
        });
        let clock = &opened["clock"];
        if clock.is_object() {
            let (machine, service) = (text(&clock["machine"]), text(&clock["service"]));
            progress(Progress::Clock { machine, service });
        }
        let chain = &opened["chain"];
        let holds = chain["holds"] == true;
        let listed = chain["findings"]["listed"].as_array().into_iter().flatten();
        let gone = listed.map(|it| format!("{} {}", text(&it["key"]), text(&it["what"])));
        progress(Progress::Chained { holds, since: text(&chain["since"]), gone: gone.collect() });
        self.follow_traces(chain, progress).await?;
        let mut evening = Evening::new(holds);
        if let Some(damaged) = opened["damaged"].as_u64().filter(|damaged| *damaged > 0) {
            let keys = opened["damaged_keys"].as_array().into_iter().flatten().map(text);
            let keys = keys.collect::<Vec<_>>().join(", ");
            let what = format!("{damaged} in use are not as they were written: {keys}");
            evening.broken.push(what);
        }
        self.back_up_into(evening, progress).await
    }

    /// Backs everything up for a run that was opened before.
    pub async fn back_up_opened(
        &self,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Evening, LocalError> {
        self.back_up_into(Evening::new(true), progress).await
    }

    async fn back_up_into(
        &self,
        mut evening: Evening,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Evening, LocalError> {
        let jobs = self.backup.back_everything_up("daily").map_err(failed)?;
        for id in jobs {
            let (resource, state, items) = loop {
                let state = self.backup.backup_state(&id).map_err(failed)?;
                if state.1 != "RUNNING" {
                    break state;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            };
            if state != "COMPLETED" {
                evening.failed.push((resource.clone(), state.clone()));
            }
            progress(Progress::BackedUp { resource, state, items });
        }
        self.settle_within(SETTLED_WITHIN).await;
        Ok(evening)
    }

    /// The second half: restores all of it beside, and has it verified.
    pub async fn test_restores(
        &self,
        mut evening: Evening,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Evening, LocalError> {
        for id in &self.start_restore_test()? {
            self.follow_restore(id, &mut evening, progress).await?;
        }
        self.settle_within(SETTLED_WITHIN).await;
        let audit = self.invoke("audit-backups", json!({})).await.map_err(failed)?;
        evening.broken.extend(audit["broken"].as_array().into_iter().flatten().map(text));
        let request = json!({
            "version": "2.0", "routeKey": "GET /v1/policy", "rawPath": "/v1/policy",
            "rawQueryString": "", "headers": {}, "isBase64Encoded": false,
            "requestContext": {
                "http": { "method": "GET", "path": "/v1/policy", "protocol": "HTTP/1.1",
                          "sourceIp": "127.0.0.1", "userAgent": "" },
                "requestId": "evening", "routeKey": "GET /v1/policy", "stage": "$default",
                "timeEpoch": runtime::now().millis(),
            },
        });
        let policy = self.invoke("get-policy", request).await.map_err(failed)?;
        let policy: Value = serde_json::from_str(&text(&policy["body"])).unwrap_or_default();
        let mut rows = policy["rows"].as_array().into_iter().flatten();
        evening.evidence = rows.find(|row| row["row"] == 5).cloned().unwrap_or_default();
        Ok(evening)
    }

    /// Waits until what is gone has been named.
    async fn follow_traces(
        &self,
        chain: &Value,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), LocalError> {
        if chain["traced"].as_array().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let since = Instant::now();
        let asked = json!({ "run": chain["run"] });
        let mut so_far = Value::Null;
        let mut told: Option<Instant> = None;
        while since.elapsed() < JUDGED_WITHIN {
            so_far = self.invoke("trace-chain", asked.clone()).await.map_err(failed)?;
            if so_far["waiting"].as_array().is_none_or(Vec::is_empty) {
                break;
            }
            // Where all events were taken or given up, nothing more comes.
            if self.is_settled() {
                told.get_or_insert_with(Instant::now);
            } else {
                told = None;
            }
            if told.is_some_and(|told| told.elapsed() > TOLD_WITHIN) {
                break;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
        for trace in so_far["traces"].as_array().into_iter().flatten() {
            let listed = trace["findings"]["listed"].as_array().into_iter().flatten();
            let item = |it: &Value| {
                format!("{} {}: {}", text(&it["cause"]), text(&it["key"]), text(&it["what"]))
            };
            let failed = trace["failed"].as_str().map(str::to_owned);
            let gone = listed.map(item).chain(failed).collect();
            progress(Progress::Traced { table: text(&trace["table"]), gone });
        }
        Ok(())
    }

    /// Starts to restore the newest backup of everything, as the restore test does; the jobs.
    pub fn start_restore_test(&self) -> Result<Vec<String>, LocalError> {
        self.backup.restore_everything().map_err(failed)
    }

    async fn follow_restore(
        &self,
        id: &str,
        evening: &mut Evening,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), LocalError> {
        let mut completed: Option<Instant> = None;
        let since = Instant::now();
        loop {
            let (resource, state, verdict) = self.backup.restore_state(id).map_err(failed)?;
            if state != "RUNNING" && completed.is_none() {
                completed = Some(Instant::now());
                progress(Progress::Restored { resource: resource.clone(), state: state.clone() });
            }
            if let Some(verdict) = verdict {
                progress(Progress::Judged { resource: resource.clone(), verdict: verdict.clone() });
                evening.verdicts.push((resource, verdict));
                return Ok(());
            }
            let waits = completed.is_none_or(|since| since.elapsed() < TOLD_WITHIN);
            let lost = !waits && self.is_settled();
            let ended = !matches!(state.as_str(), "RUNNING" | "COMPLETED");
            if ended || lost || since.elapsed() > JUDGED_WITHIN {
                evening.failed.push((resource, state));
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> LocalError {
    LocalError::Backup(error.into())
}
