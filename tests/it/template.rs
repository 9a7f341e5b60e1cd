//! template.yaml: what it allows, and that it names what there is.

use std::collections::BTreeSet;

use local::template::{Permission, Template};
use serde_json::json;

use store::TableKind;
use testing::world::repository;

fn template() -> Template {
    Template::read(&repository().join("template.yaml")).unwrap()
}

/// A widened permission shows as a line of this snapshot's diff.
#[test]
fn the_permission_matrix() {
    let mut lines = Vec::new();
    for function in template().functions().unwrap() {
        lines.push(function.binary.clone());
        let permissions = function.permissions.iter();
        lines.extend(permissions.map(|it| {
            let Permission { action, resource, conditions } = it;
            let conditions = conditions.iter().map(|it| format!("  where {it}"));
            format!("  {action:<24} {resource}{}", conditions.collect::<String>())
        }));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

const NO_RESOURCE: [&str; 7] = [
    "backup:DescribeRegionSettings",
    "backup:DescribeRestoreJob",
    "backup:ListBackupJobs",
    "backup:ListCopyJobs",
    "backup:ListRecoveryPointsByResource",
    "backup:ListRestoreJobs",
    "backup:PutRestoreValidationResult",
];

#[test]
fn no_permission_has_a_wildcard_but_for_objects_of_the_bucket() {
    for function in template().functions().unwrap() {
        let needs_nothing = ["answer-unknown", "get-app", "get-openapi", "get-requirements"]
            .contains(&function.binary.as_str());
        assert_eq!(function.permissions.is_empty(), needs_nothing, "{}", function.binary);
        for Permission { action, resource, .. } in function.permissions {
            assert!(!action.contains('*'), "{action}");
            // Calls that IAM knows no resource for; and what restores make, whose names begin so.
            if NO_RESOURCE.contains(&action.as_str()) {
                assert_eq!(resource, "*", "{action}");
                continue;
            }
            let bare = resource.strip_suffix("/*").unwrap_or(&resource);
            let bare = bare.strip_suffix("-*").unwrap_or(bare);
            let bare = bare.strip_suffix("recovery-point:*").unwrap_or(bare);
            assert!(!bare.contains('*') && bare.starts_with("arn:aws:"), "{resource}");
        }
    }
}

/// What is done with a table, without seeing what is in it.
const OF_TABLES: [&str; 2] = ["dynamodb:ListTagsOfResource", "dynamodb:RestoreTableToPointInTime"];

#[test]
fn password_hashes_are_for_sign_up_and_log_in_alone() {
    let readers: Vec<String> = template()
        .functions()
        .unwrap()
        .into_iter()
        .filter(|it| {
            let mut of_logins =
                it.permissions.iter().filter(|it| it.resource.contains("LoginsTable"));
            of_logins.any(|Permission { action, .. }| {
                !action.starts_with("dynamodb:Describe") && !OF_TABLES.contains(&action.as_str())
            })
        })
        .map(|function| function.binary)
        .collect();
    // What is restored is copied by AWS in the operator's name, hashes too.
    // Others only look whose login a name leads to, or whether somebody has one still.
    let without_pepper = [
        "forget-person",
        "let-reset-password",
        "make-reset-token",
        "restore-service",
        "switch-company",
    ];
    let (without, known): (Vec<&str>, Vec<&str>) =
        readers.iter().map(String::as_str).partition(|it| without_pepper.contains(it));
    assert_eq!(without, without_pepper);
    let with = [
        "accept-invitation",
        "ask-for-reset",
        "ask-to-sign-up",
        "change-password",
        "create-customer",
        "create-session",
        "join-company",
        "reset-password",
    ];
    assert_eq!(known, with);
    let with_pepper = template().functions().unwrap().into_iter();
    let with_pepper = with_pepper.filter(|it| it.environment.contains_key("PEPPERS"));
    assert_eq!(with_pepper.map(|it| it.binary).collect::<Vec<_>>(), known);
}

#[test]
fn nothing_kept_can_be_lost() {
    let template = template();
    let tables = template.resources("AWS::DynamoDB::Table").unwrap();
    assert_eq!(tables.len(), 6);
    for table in tables {
        let it = &table.properties;
        let recovery = &it["PointInTimeRecoverySpecification"];
        // What is made from the others is made again.
        let is_derived = table.name.ends_with("IndexTable");
        assert_eq!(recovery["PointInTimeRecoveryEnabled"], !is_derived, "{}", table.name);
        assert!(is_derived || recovery["RecoveryPeriodInDays"] == 35, "{}", table.name);
        assert_eq!(it["DeletionProtectionEnabled"], true, "{}", table.name);
        assert_eq!(it["SSESpecification"], json!({"SSEEnabled": true, "SSEType": "KMS"}));
    }
    let buckets = template.resources("AWS::S3::Bucket").unwrap();
    assert_eq!(buckets.len(), 4);
    for bucket in &buckets {
        let it = &bucket.properties;
        let public = it["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(public.len() == 4 && public.values().all(|blocked| blocked == true));
        let versioned = it["VersioningConfiguration"]["Status"] == "Enabled";
        let rule = &it["LifecycleConfiguration"]["Rules"][0];
        // Crashes and lines on who used a link are to go, for good; nothing else is.
        let days = if bucket.name.ends_with("crashesbucket") {
            Some(8)
        } else if bucket.name.ends_with("accesslogsbucket") {
            Some(90)
        } else {
            None
        };
        assert_eq!(versioned, days.is_none(), "{}", bucket.name);
        let expires = days.map(|days| (json!("Enabled"), json!(days)));
        let found =
            rule.is_object().then(|| (rule["Status"].clone(), rule["ExpirationInDays"].clone()));
        assert_eq!(found, expires, "{}", bucket.name);
    }
    let appendices = buckets.iter().find(|it| it.name.ends_with("appendicesbucket")).unwrap();
    let it = &appendices.properties;
    assert!(it["LoggingConfiguration"]["DestinationBucketName"].is_string(), "who used a link");
    let announced = &it["NotificationConfiguration"]["EventBridgeConfiguration"];
    assert_eq!(announced["EventBridgeEnabled"], true);
    let policies = template.resources("AWS::S3::BucketPolicy").unwrap();
    assert_eq!(policies.len(), buckets.len());
    for policy in policies {
        let statements = policy.properties["PolicyDocument"]["Statement"].to_string();
        assert!(statements.contains("aws:SecureTransport"), "{}", policy.name);
        let of_crashes = ["CrashesBucketPolicy", "AccessLogsBucketPolicy"]
            .iter()
            .any(|it| policy.name.ends_with(it));
        assert_eq!(statements.contains("s3:DeleteObjectVersion"), !of_crashes, "{}", policy.name);
    }
    let text = std::fs::read_to_string(repository().join("infra/storage.yaml")).unwrap();
    assert_eq!(text.matches("  DeletionPolicy: Retain").count(), 14);
    assert_eq!(text.matches("  UpdateReplacePolicy: Retain").count(), 14);
}

/// docs/runbooks/restore.md, step 1. A function that it forgets would write to the old tables, and nobody
/// would find that again.
#[test]
fn a_restore_by_the_docs_stops_every_function_that_reaches_what_is_restored() {
    // It notes what has arrived, and its events must not be lost; what an operator alone uses; and what notes nothing but
    // on which day a mail was sent.
    let goes_on = [
        "BuildIndex",
        "ForgetPerson",
        "RestoreService",
        "SendDailyMail",
        "SetQuota",
        "StoreAppendix",
        "SuspendCustomer",
    ];
    let functions = template().functions().unwrap();
    let restored: Vec<String> =
        TableKind::all_from_the_past().map(|kind| format!("{}table", kind.name())).collect();
    let reaches = |permission: &Permission, actions: &[&str]| {
        let (action, resource) = (&permission.action, permission.resource.to_ascii_lowercase());
        restored.iter().any(|table| resource.ends_with(table))
            && actions.iter().any(|it| action.ends_with(it))
    };
    let reads = ["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"];
    let expected: BTreeSet<&str> = functions
        .iter()
        .filter(|function| !function.routes.is_empty())
        .filter(|function| function.permissions.iter().any(|it| reaches(it, &reads)))
        .map(|function| function.name.as_str())
        .collect();
    let path = repository().join("docs/runbooks/restore.md");
    let mut runbook = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = runbook.split_once("functions='").unwrap();
    let (_, after) = rest.split_once('\'').unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let list = expected.iter().copied().collect::<Vec<_>>().join("\n      ");
        runbook = format!("{before}functions='{list}'{after}");
        std::fs::write(&path, &runbook).unwrap();
    }
    let (_, rest) = runbook.split_once("functions='").unwrap();
    let stopped: BTreeSet<&str> = rest.split('\'').next().unwrap().split_whitespace().collect();
    assert_eq!(stopped, expected, "run UPDATE_DOCS=1 cargo test --test it docs");
    let writes = ["PutItem", "UpdateItem", "DeleteItem", "WriteItem"];
    for function in &functions {
        let writes = function.permissions.iter().any(|it| reaches(it, &writes));
        let name = function.name.as_str();
        assert!(!writes || stopped.contains(name) || goes_on.contains(&name), "{name} writes on");
    }
}

#[test]
fn no_two_functions_share_a_route() {
    let functions = template().functions().unwrap();
    let routes: Vec<_> = functions.iter().flat_map(|it| &it.routes).collect();
    let unique: BTreeSet<_> = routes.iter().map(|it| (&it.method, &it.path)).collect();
    assert_eq!(unique.len(), routes.len());
}
