//! A data folder that an earlier release made opens, with its history intact; its next evening verifies,
//! and the service can be restored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use local::{Cloud, Options};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Digest as _;

use testing::forge::text;
use testing::operator;
use testing::world::{options, repository};

/// What is in a folder of tests/fixtures.
#[derive(Deserialize)]
struct Contents {
    password: String,
    customers: Vec<Customer>,
}

#[derive(Deserialize)]
struct Customer {
    company: String,
    owner: String,
    records: Vec<Record>,
    deleted: Vec<String>,
    /// Every revision of these, newest first, as the release before has stored them.
    histories: BTreeMap<String, Value>,
    /// A record and an appendix of it whose bytes never came.
    pending_appendix: (String, String),
}

#[derive(Deserialize)]
struct Record {
    id: String,
    version: u64,
    appendices: Vec<Appendix>,
}

#[derive(Deserialize)]
struct Appendix {
    id: String,
    /// The SHA-256 of the bytes of each.
    versions: Vec<String>,
}

/// A person who is logged in.
struct Owner {
    http: Client,
    api: String,
    token: String,
}

impl Owner {
    async fn log_in(cloud: &Cloud, email: &str, password: &str) -> Self {
        let (http, api) = (Client::new(), format!("http://{}", cloud.address()));
        let body = json!({ "email": email, "password": password });
        let request = http.post(format!("{api}/v1/sessions")).json(&body);
        let key = format!("log-in-{}", runtime::now().millis());
        let answer = request.header("idempotency-key", key).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{email}");
        let answer: Value = answer.json().await.unwrap();
        let token = answer["token"].as_str().unwrap().to_owned();
        Self { http, api, token }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.api)).bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Reads all that the folder is said to have.
    async fn find(&self, customer: &Customer) {
        let session = self.get("/v1/session").await.1;
        assert_eq!(session["customer"]["name"], customer.company);
        for record in &customer.records {
            let path = format!("/v1/records/{}", record.id);
            let (status, found) = self.get(&path).await;
            assert_eq!((status, &found["version"]), (200, &json!(record.version)), "{path}");
            for appendix in &record.appendices {
                self.find_bytes(&format!("{path}/appendices/{}", appendix.id), appendix).await;
            }
        }
        for id in &customer.deleted {
            assert_eq!(self.get(&format!("/v1/records/{id}")).await.0, 404, "{id}");
        }
        let listed = self.get("/v1/records?order=changed&limit=100").await.1;
        let listed = listed["records"].as_array().unwrap().iter();
        let listed: BTreeSet<&str> = listed.map(|it| it["id"].as_str().unwrap()).collect();
        for record in &customer.records {
            assert!(listed.contains(record.id.as_str()), "{} is in no list", record.id);
        }
        assert!(customer.deleted.iter().all(|id| !listed.contains(id.as_str())));
        for (id, stored) in &customer.histories {
            let (status, history) = self.get(&format!("/v1/records/{id}/revisions")).await;
            assert_eq!((status, &history["revisions"]), (200, stored), "{id}");
        }
        let (record, appendix) = &customer.pending_appendix;
        let pending = self.get(&format!("/v1/records/{record}/appendices/{appendix}")).await;
        assert_eq!((pending.0, &pending.1["code"]), (409, &json!("appendix_not_stored")));
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.api)).bearer_auth(&self.token);
        let key = format!("post-{}", runtime::now().millis());
        let answer = request.header("idempotency-key", key).json(body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        answer.json().await.unwrap()
    }

    /// Takes a starter over, and opens a deviation about a record of before.
    async fn begin_with_types(&self, about: &str) -> String {
        let types = self.get("/v1/types").await.1;
        assert_eq!(types["types"], json!([]));
        let starters = types["starters"].as_array().unwrap();
        let starter = starters.iter().find(|it| it["type"] == "deviation").unwrap();
        self.post("/v1/types", starter).await;
        let body = json!({
            "type": "deviation", "title": "Vobbling", "about": about, "due": "2026-12-24",
            "fields": { "severity": "high" },
        });
        let made = self.post("/v1/records", &body).await;
        assert_eq!((&made["number"], &made["open"]), (&json!("DEV-1"), &json!(true)));
        let id = made["id"].as_str().unwrap();
        let said = json!({ "text": "Kullagret glappar" });
        self.post(&format!("/v1/records/{id}/comments"), &said).await;
        id.to_owned()
    }

    /// Finds it by every list that it is in.
    async fn find_deviation(&self, id: &str, about: &str) {
        for query in [
            "type=deviation&state=reported",
            "type=deviation&state=open",
            &format!("about={about}"),
            "due_before=2026-12-25",
            "assignee=nobody&state=open",
            "words=vobb",
            "words=vobb%20kullag",
        ] {
            let found = self.get(&format!("/v1/records?{query}")).await.1;
            let ids: Vec<&str> = found["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].as_str().unwrap())
                .collect();
            assert!(ids.contains(&id), "{query}: {ids:?}");
        }
    }

    async fn find_bytes(&self, path: &str, appendix: &Appendix) {
        for (number, sha256) in (1..).zip(&appendix.versions) {
            let link = self.get(&format!("{path}?version={number}")).await.1;
            let url = link["download"]["url"].as_str().unwrap();
            let bytes = self.http.get(url).send().await.unwrap().bytes().await.unwrap();
            let found = sha2::Sha256::digest(&bytes);
            let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, *sha256, "{path} {number}");
        }
    }
}

async fn find_everything(cloud: &Cloud, contents: &Contents) {
    for customer in &contents.customers {
        let owner = Owner::log_in(cloud, &customer.owner, &contents.password).await;
        owner.find(customer).await;
    }
}

async fn verify_an_evening(cloud: &Cloud) {
    let evening = cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.failed.is_empty(), "{evening:?}");
    let sound = evening.verdicts.iter().all(|(_, verdict)| verdict == "SUCCESSFUL");
    assert!(sound && evening.verdicts.len() == 7, "{evening:?}");
    assert!(evening.chain_holds, "{evening:?}");
}

/// The digests of the runs and of what the chain was said to go on from, oldest first.
async fn digests(cloud: &Cloud) -> Vec<String> {
    let rows = operator::items(cloud, "LEDGER_TABLE").await;
    let mut runs: Vec<_> = rows.iter().filter(|row| text(row, "sk").starts_with("RUN#")).collect();
    runs.sort_by_key(|row| text(row, "sk"));
    runs.into_iter().map(|row| text(row, "digest")).collect()
}

/// Restores the service to the second that has just begun, and switches to what was restored.
async fn restore(cloud: Cloud, options: &Options) -> Cloud {
    let second = runtime::now().seconds() + 1;
    while runtime::now().seconds() <= second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let to = domain::Timestamp::from_millis(second * 1000);
    let order = json!({ "to": to, "reason": "drill", "execute": true });
    let restored = loop {
        let outcome = cloud.invoke("restore-service", order.clone()).await.unwrap();
        if outcome["wait"] == false {
            break outcome;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(restored["state"], "ready", "{restored}");
    options.remember_restored(restored["restore"]["restored_as"].as_str().unwrap()).unwrap();
    drop(cloud);
    let cloud = Cloud::start_again(options).await.unwrap();
    let finished = cloud.invoke("restore-service", order).await.unwrap();
    assert_eq!(finished["state"], "done", "{finished}");
    cloud
}

fn unpack(name: &str, folder: &Path) {
    let archive = repository().join(format!("tests/fixtures/{name}.tar.gz"));
    let unpacked =
        Command::new("python3").args(["-m", "tarfile", "-e"]).arg(archive).arg(folder).status();
    assert!(unpacked.unwrap().success(), "{name}");
}

#[tokio::test]
async fn a_data_folder_of_an_earlier_release_goes_on() {
    for name in ["data-5df3eb0"] {
        let contents = repository().join(format!("tests/fixtures/{name}.json"));
        let contents: Contents = serde_json::from_slice(&std::fs::read(contents).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        unpack(name, folder.path());
        let options = options(&folder.path().join("data"));
        let cloud = Cloud::start(&options).await.unwrap();
        find_everything(&cloud, &contents).await;
        let customer = &contents.customers[0];
        let about = &customer.records[0].id;
        let owner = Owner::log_in(&cloud, &customer.owner, &contents.password).await;
        let deviation = owner.begin_with_types(about).await;
        owner.find_deviation(&deviation, about).await;
        let before = digests(&cloud).await;
        assert!(!before.is_empty() && before.iter().all(|it| !it.contains(':')), "{before:?}");
        // The first evening goes on from what the release before has added up by its own rule; the
        // second stands on the new one.
        verify_an_evening(&cloud).await;
        verify_an_evening(&cloud).await;
        let after = digests(&cloud).await;
        let new = &after[before.len()..];
        assert!(new.len() == 2 && new.iter().all(|it| it.starts_with("lthash:")), "{after:?}");
        let cloud = restore(cloud, &options).await;
        find_everything(&cloud, &contents).await;
        let owner = Owner::log_in(&cloud, &customer.owner, &contents.password).await;
        owner.find_deviation(&deviation, about).await;
        // It goes on from the last evening before the moment that was restored, and says so.
        verify_an_evening(&cloud).await;
        let links = operator::documents(&cloud, "BACKUPS", "CHAIN#").await;
        assert_eq!((links.len(), &links[0]["reason"]), (1, &json!("restored")));
        assert_eq!(links[0]["new"], json!(after.last().unwrap()));
        verify_an_evening(&cloud).await;
        lose_something_that_the_release_before_has_added_up(name, &contents).await;
    }
}

async fn lose_something_that_the_release_before_has_added_up(name: &str, contents: &Contents) {
    let folder = tempfile::tempdir().unwrap();
    unpack(name, folder.path());
    let cloud = Cloud::start(&options(&folder.path().join("data"))).await.unwrap();
    let record = &contents.customers[0].records[0].id;
    let rows = operator::items(&cloud, "RECORDS_TABLE").await;
    let first =
        rows.iter().find(|row| text(row, "sk").contains(&format!("REVISION#RECORD#{record}#")));
    let first = first.unwrap();
    let (customer, sort) = (text(first, "pk"), text(first, "sk"));
    operator::delete_item(&cloud, "RECORDS_TABLE", &customer, &sort).await;
    let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
    let chain = cloud.invoke("open-backup-run", event).await.unwrap()["chain"].clone();
    assert_eq!(chain["holds"], false, "{chain}");
}
