//! What somebody could do who has got hold of the access key of one function: written to the data of a customer
//! who has nothing to do with it, each function's key against each kind of forgery. What is not refused is
//! worthless, or it is the function's very work and stands below, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue::{self, N, S};
use domain::{SessionToken, VersionNumber};
use local::template::Function;
use runtime::HttpClient;
use store::ObjectKey;

use crate::forged::{DONE, openers};
use testing::world::{Call, Person, World, appendix_id, record_id};

/// One forgery.
struct Forgery {
    what: &'static str,
    how: How,
}

enum How {
    /// An item put anew, or over another: the table, its key and more.
    Put(&'static str, [String; 2], Vec<(&'static str, AttributeValue)>),
    /// Attributes set of an item, which is made where it is not there.
    Update(&'static str, [String; 2], Vec<(&'static str, AttributeValue)>),
    Delete(&'static str, [String; 2]),
    /// An object over another: the variable that names the bucket, and the key.
    Overwrite(&'static str, String),
    Hide(&'static str, String),
}

const RECORDS: &str = "RECORDS_TABLE";
const ACCOUNTS: &str = "ACCOUNTS_TABLE";
const LOGINS: &str = "LOGINS_TABLE";
const SESSIONS: &str = "SESSIONS_TABLE";
const LEDGER: &str = "LEDGER_TABLE";
const INDEX: &str = "INDEX_TABLE";

/// A token of the other customer's owner that nobody has handed out.
fn made_up(letter: u8) -> SessionToken {
    SessionToken::new(Person::B.customer(), Person::B.user(), [letter; 32])
}

fn text(value: impl ToString) -> AttributeValue {
    S(value.to_string())
}

fn number(value: i64) -> AttributeValue {
    N(value.to_string())
}

/// All of them, against the other customer.
fn forgeries(now: i64, object: &str) -> Vec<Forgery> {
    let customer = Person::B.customer().to_string();
    let key = |sort: String| [customer.clone(), sort];
    let session = |letter| format!("SESSION#{}", made_up(letter).hash());
    let whole = || {
        vec![
            ("user_id", text(Person::B.user())),
            ("created_at_ms", number(now)),
            ("used_at_ms", number(now)),
            ("expires_at", number(now / 1000 + 1_000_000)),
        ]
    };
    let times = || vec![("created_at_ms", number(now)), ("used_at_ms", number(now))];
    let used = || vec![("used_at_ms", number(now))];
    let one = |pk: &str, sk: &str| [pk.to_owned(), sk.to_owned()];
    let marked = || vec![("noted_at_ms", number(now)), ("document", text("{}"))];
    let digest = "0".repeat(64);
    let place = format!("LIST#changed#0000000000001#{}", record_id());
    let lane = |sk: &str| one(&format!("{}#lane#0", Person::A.customer()), sk);
    let all = vec![
        ("a session", How::Put(SESSIONS, key(session(b'f')), whole())),
        ("a session, by an update", How::Update(SESSIONS, key(session(b'g')), whole())),
        ("a session of times alone", How::Update(SESSIONS, key(session(b'h')), times())),
        ("that a session was used", How::Update(SESSIONS, key(session(b'i')), used())),
        (
            "the end of a session",
            How::Delete(SESSIONS, key(format!("SESSION#{}", Person::B.token().hash()))),
        ),
        (
            "more tries of a source",
            How::Update(
                SESSIONS,
                one("SOURCE#192.0.2.7", "ATTEMPTS#1"),
                vec![("count", number(0))],
            ),
        ),
        (
            "a token",
            How::Put(
                SESSIONS,
                key(format!("TOKEN#{}#{digest}", Person::B.user())),
                vec![("token_of", text(Person::B.user())), ("expires_at", number(now))],
            ),
        ),
        (
            "a link to sign up",
            How::Put(SESSIONS, one("LINK#0", "LINK"), vec![("email", text("a@example.com"))]),
        ),
        ("a record", How::Put(RECORDS, key(format!("RECORD#{}", record_id())), marked())),
        (
            "a record, by an update",
            How::Update(RECORDS, key(format!("RECORD#{}", record_id())), marked()),
        ),
        ("the end of a record", How::Delete(RECORDS, key(format!("RECORD#{}", record_id())))),
        ("a user", How::Put(ACCOUNTS, key(format!("USER#{}", Person::B.user())), marked())),
        (
            "a user, by an update",
            How::Update(ACCOUNTS, key(format!("USER#{}", Person::B.user())), marked()),
        ),
        ("the end of a user", How::Delete(ACCOUNTS, key(format!("USER#{}", Person::B.user())))),
        ("a login", How::Put(LOGINS, one("LOGIN#x", "LOGIN"), vec![("password_hash", text("x"))])),
        (
            "another's login, by an update",
            How::Update(
                LOGINS,
                one("LOGIN#x", "LOGIN"),
                vec![("customer_id", text(Person::B.customer()))],
            ),
        ),
        (
            "a password, by an update",
            How::Update(LOGINS, one("LOGIN#y", "LOGIN"), vec![("password_hash", text("x"))]),
        ),
        ("the end of a login", How::Delete(LOGINS, one("LOGIN#x", "LOGIN"))),
        (
            "an erasure",
            How::Put(
                LEDGER,
                [format!("ERASED#{customer}"), format!("RECORD#{}", record_id())],
                marked(),
            ),
        ),
        (
            "how the policy is kept",
            How::Put(LEDGER, one("POLICY", "POLICY#verified-backup"), marked()),
        ),
        ("a place in a list", How::Put(INDEX, key(place.clone()), vec![])),
        ("the end of a place in a list", How::Delete(INDEX, key(place))),
        ("a pointer of the feed", How::Put(INDEX, lane("POINTER#000000000000001"), marked())),
        ("the end of a lane", How::Update(INDEX, lane("LANE#0"), vec![("last", number(0))])),
        ("an evening", How::Put(LEDGER, one("BACKUPS", "RUN#1"), marked())),
        ("a link of the chain", How::Put(LEDGER, one("BACKUPS", "CHAIN#1#acknowledged"), marked())),
        ("a restore", How::Put(LEDGER, one("RESTORES", "RESTORE#1"), marked())),
        ("crashes deleted", How::Put(LEDGER, one("ISSUES", "DELETED#1"), marked())),
        ("the end of a row of the ledger", How::Delete(LEDGER, one("BACKUPS", "RUN#2"))),
        ("a row of the ledger changed", How::Update(LEDGER, one("BACKUPS", "RUN#2"), marked())),
        ("other bytes of an appendix", How::Overwrite("APPENDICES_BUCKET", object.to_owned())),
        ("an appendix hidden", How::Hide("APPENDICES_BUCKET", object.to_owned())),
        ("a manifest", How::Overwrite("EVIDENCE_BUCKET", format!("manifests/{digest}.json"))),
        ("a manifest hidden", How::Hide("EVIDENCE_BUCKET", format!("manifests/{digest}.json"))),
    ];
    all.into_iter().map(|(what, how)| Forgery { what, how }).collect()
}

/// The clients of a function.
struct Key<'a> {
    function: &'a Function,
    tables: BTreeMap<&'static str, String>,
    dynamo: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
}

impl<'a> Key<'a> {
    fn of(world: &World, function: &'a Function) -> Self {
        let variable = |name: &str| function.environment[name].clone();
        let credentials = aws_sdk_dynamodb::config::Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "stolen",
        );
        let region = "eu-central-1";
        let dynamo = aws_sdk_dynamodb::config::Builder::new()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(aws_sdk_dynamodb::config::Region::new(region))
            .credentials_provider(credentials.clone())
            .endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB"))
            .http_client(HttpClient::plain())
            .build();
        let s3 = aws_sdk_s3::config::Builder::new()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(region))
            .credentials_provider(credentials)
            .endpoint_url(variable("AWS_ENDPOINT_URL_S3"))
            .force_path_style(true)
            .http_client(HttpClient::plain())
            .build();
        let names = [
            RECORDS,
            ACCOUNTS,
            LOGINS,
            SESSIONS,
            LEDGER,
            INDEX,
            "APPENDICES_BUCKET",
            "EVIDENCE_BUCKET",
        ];
        let environment = world.cloud.operator_environment();
        Self {
            function,
            tables: names.map(|name| (name, environment[name].clone())).into(),
            dynamo: aws_sdk_dynamodb::Client::from_conf(dynamo),
            s3: aws_sdk_s3::Client::from_conf(s3),
        }
    }

    /// Whether it was done.
    async fn tries(&self, how: &How) -> bool {
        let keyed = |[pk, sk]: &[String; 2]| [("pk", text(pk)), ("sk", text(sk))];
        let name = |name: &str| self.tables[name].clone();
        match how {
            How::Put(table, key, more) => {
                let mut put = self.dynamo.put_item().table_name(name(table));
                for (attribute, value) in keyed(key).into_iter().chain(more.iter().cloned()) {
                    put = put.item(attribute, value);
                }
                put.send().await.is_ok()
            }
            How::Update(table, key, more) => {
                let mut update = self.dynamo.update_item().table_name(name(table));
                for (attribute, value) in keyed(key) {
                    update = update.key(attribute, value);
                }
                let mut sets = Vec::new();
                for (n, (attribute, value)) in more.iter().enumerate() {
                    sets.push(format!("#n{n} = :v{n}"));
                    update = update
                        .expression_attribute_names(format!("#n{n}"), *attribute)
                        .expression_attribute_values(format!(":v{n}"), value.clone());
                }
                update.update_expression(format!("SET {}", sets.join(", "))).send().await.is_ok()
            }
            How::Delete(table, key) => {
                let mut delete = self.dynamo.delete_item().table_name(name(table));
                for (attribute, value) in keyed(key) {
                    delete = delete.key(attribute, value);
                }
                delete.send().await.is_ok()
            }
            How::Overwrite(bucket, key) => {
                let put = self.s3.put_object().bucket(name(bucket)).key(key);
                put.body(b"forged".to_vec().into()).send().await.is_ok()
            }
            How::Hide(bucket, key) => {
                self.s3.delete_object().bucket(name(bucket)).key(key).send().await.is_ok()
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_key_of_a_function_cannot_do_to_a_stranger_is_refused_or_worthless() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let session = world.session(Person::A).await;
    let object =
        ObjectKey::new(&session.customer, record_id(), appendix_id(), VersionNumber::FIRST)
            .to_string();
    let (mut done, mut cells) = (BTreeMap::<&str, BTreeSet<&str>>::new(), 0);
    let forgeries = forgeries(world.now.millis(), &object);
    for function in world.cloud.functions() {
        let key = Key::of(&world, function);
        for forgery in &forgeries {
            cells += 1;
            if key.tries(&forgery.how).await {
                done.entry(forgery.what).or_default().insert(&key.function.binary);
            }
        }
    }
    println!("{cells} cells");
    let mut expected: BTreeMap<&str, BTreeSet<&str>> =
        DONE.iter().map(|(what, by, _)| (*what, by.iter().copied().collect())).collect();
    expected.insert("that a session was used", openers());
    assert_eq!(done, expected);
    // Only what a log-in writes opens anything; of all the others, at least one was written.
    for (letter, status) in [(b'g', 401), (b'h', 401), (b'i', 401)] {
        let token = format!("Bearer {}", made_up(letter).expose());
        let ask = Call::to("GET /v1/session").header("authorization", &token);
        assert_eq!(world.send(ask).await.status(), status, "{}", letter as char);
    }
}
