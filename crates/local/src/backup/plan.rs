//! The template's backup plan and restore tests.

use serde_json::Value;

use crate::LocalError;
use crate::schedules::Calendar;
use crate::template::Template;
use crate::values::text;

/// What is backed up when, and restored when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) rules: Vec<Rule>,
    /// The ARNs of what is backed up.
    pub(crate) resources: Vec<String>,
    pub(crate) role: String,
    pub(crate) tests: Vec<RestoreTest>,
    pub(crate) vaults: Vec<Vault>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) calendar: Calendar,
    pub(crate) vault: String,
    pub(crate) days: u32,
    /// The vaults that each recovery point is copied to, and for how many days.
    pub(crate) copies: Vec<(String, u32)>,
}

#[derive(Clone, Debug)]
pub(crate) struct RestoreTest {
    pub(crate) arn: String,
    pub(crate) calendar: Calendar,
    /// The ARNs of what is restored.
    pub(crate) resources: Vec<String>,
    pub(crate) within_days: u32,
    /// The ARNs of the vaults that it restores from.
    pub(crate) vaults: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) air_gapped: bool,
    pub(crate) locked: bool,
    pub(crate) min_days: u64,
    pub(crate) max_days: u64,
}

impl Plan {
    pub(crate) fn read(template: &Template) -> Result<Self, LocalError> {
        let mut plan = Self::default();
        for it in template.resources("AWS::Backup::BackupPlan")? {
            for rule in list(&it.properties["BackupPlan"]["BackupPlanRule"]) {
                let name = text(&rule["RuleName"]);
                let days = &rule["Lifecycle"]["DeleteAfterDays"];
                let vault = text(&rule["TargetBackupVault"]);
                let copies = list(&rule["CopyActions"]);
                let copy = |it: &Value| {
                    let vault = text(&it["DestinationBackupVaultArn"]);
                    let name = vault.rsplit(':').next().unwrap_or_default().to_owned();
                    (name, number(&it["Lifecycle"]["DeleteAfterDays"]))
                };
                plan.rules.push(Rule {
                    calendar: calendar(&rule, &name)?,
                    name,
                    vault,
                    days: number(days),
                    copies: copies.iter().map(copy).collect(),
                });
            }
        }
        for it in template.resources("AWS::Backup::BackupSelection")? {
            let selection = &it.properties["BackupSelection"];
            plan.resources.extend(list(&selection["Resources"]).iter().map(text));
            plan.role = text(&selection["IamRoleArn"]);
        }
        for it in template.resources("AWS::Backup::RestoreTestingPlan")? {
            let selection = &it.properties["RecoveryPointSelection"];
            let tested = template.resources("AWS::Backup::RestoreTestingSelection")?;
            let of_it = |of: &Value| text(&of["RestoreTestingPlanName"]) == it.name;
            let tested = tested.iter().filter(|selection| of_it(&selection.properties));
            let tested = tested.flat_map(|it| list(&it.properties["ProtectedResourceArns"]));
            plan.tests.push(RestoreTest {
                arn: format!(
                    "arn:aws:backup:eu-central-1:000000000000:restore-testing-plan:{}",
                    it.name
                ),
                calendar: calendar(&it.properties, &it.name)?,
                resources: tested.map(|arn| text(&arn)).collect(),
                within_days: number(&selection["SelectionWindowDays"]),
                vaults: list(&selection["IncludeVaults"]).iter().map(text).collect(),
            });
        }
        for (kind, air_gapped) in [
            ("AWS::Backup::BackupVault", false),
            ("AWS::Backup::LogicallyAirGappedBackupVault", true),
        ] {
            for it in template.resources(kind)? {
                let lock = &it.properties["LockConfiguration"];
                let days = if air_gapped { &it.properties } else { lock };
                plan.vaults.push(Vault {
                    name: it.name,
                    air_gapped,
                    locked: air_gapped || lock.is_object(),
                    min_days: number(&days["MinRetentionDays"]).into(),
                    max_days: number(&days["MaxRetentionDays"]).into(),
                });
            }
        }
        Ok(plan)
    }
}

fn calendar(of: &Value, name: &str) -> Result<Calendar, LocalError> {
    let (expression, zone) =
        (text(&of["ScheduleExpression"]), text(&of["ScheduleExpressionTimezone"]));
    Calendar::read(&expression, &zone, name)
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// A number, also where a parameter has made a text of it.
fn number(value: &Value) -> u32 {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.and_then(|number| number.try_into().ok()).unwrap_or(0)
}
