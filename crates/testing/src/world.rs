//! The stage of a test: a local cloud in a folder of its own, and customers with one person each,
//! whose ids and tokens are those in events/.

use std::path::{Path, PathBuf};

use domain::appendix::Declared;
use domain::{
    Appendix, AppendixId, AppendixVersion, CustomerId, Email, Record, RecordId, Revision, Role,
    SessionToken, Timestamp, UserId, VersionNumber,
};
use local::{Cloud, Options};
use passwords::{Password, Passwords, StoredHash};
use runtime::{Env, OperatorEnv, OsEntropy};
use serde_json::{Value, json};
use store::operator::{Bucket, Operator};
use store::tenant::{Nothing, Reservation, Session, SignUp};
use store::{CustomerProfile, ObjectKey, Objects, Remember, Store, UserProfile, WriteError};
use tempfile::TempDir;

pub const RECORD: &str = "01KEZ00000RECRDAAAAAAAAAAA";
pub const APPENDIX: &str = "01KEZ00000APPNDXAAAAAAAAAA";
pub const PASSWORD: &str = "two lathes and a mill";
/// The bytes that events/add_appendix declares.
pub const PHOTO: &[u8] = b"a photo of a crack";
/// The bytes that events/add_appendix_version declares.
pub const SHARPER_PHOTO: &[u8] = b"a sharper photo of the crack";

/// The people of events/: each is alone with a customer of the same letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Customer A's owner, whose token the events carry.
    A,
    /// Another customer's owner.
    B,
    Viewer,
    Member,
    Admin,
}

impl Person {
    const ALL: [Self; 5] = [Self::A, Self::B, Self::Viewer, Self::Member, Self::Admin];

    const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::Viewer => 'V',
            Self::Member => 'M',
            Self::Admin => 'D',
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::A | Self::B => Role::Owner,
            Self::Viewer => Role::Viewer,
            Self::Member => Role::Member,
            Self::Admin => Role::Admin,
        }
    }

    pub fn with_role(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::A,
        }
    }

    fn customer(self) -> CustomerId {
        id("01KEZ00000CSTMR", self.letter()).parse().unwrap()
    }

    fn user(self) -> UserId {
        id("01KEZ00000PERSN", self.letter()).parse().unwrap()
    }

    pub fn email(self) -> Email {
        format!("{}@example.com", self.letter()).try_into().unwrap()
    }

    pub fn token(self) -> SessionToken {
        SessionToken::new(self.customer(), self.user(), [self.letter() as u8; 32])
    }
}

fn id(prefix: &str, letter: char) -> String {
    format!("{prefix}{}", letter.to_string().repeat(26 - prefix.len()))
}

pub struct World {
    pub cloud: Cloud,
    pub store: Store,
    pub operator: Operator,
    pub objects: Objects,
    pub passwords: Passwords,
    pub now: Timestamp,
    folder: TempDir,
    binaries: Option<PathBuf>,
}

impl World {
    /// A cloud with every [`Person`], and nothing else.
    pub async fn new() -> Self {
        Self::running(None).await
    }

    /// The same, in which it is that time.
    pub async fn at(now: Timestamp) -> Self {
        Self::open(None, now).await
    }

    /// The same, with the built binaries of a folder where there is one.
    pub async fn running(binaries: Option<PathBuf>) -> Self {
        Self::open(binaries, runtime::now()).await
    }

    async fn open(binaries: Option<PathBuf>, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { binaries: binaries.clone(), ..options(folder.path()) };
        let cloud = Cloud::start(&options).await.unwrap();
        let world = Self { now, ..Self::of(cloud, folder, binaries) };
        // One hash for all: hashing is made to be slow.
        let word = Password::try_from(PASSWORD.to_owned()).unwrap();
        let hash = world.passwords.hash(word, &OsEntropy).await;
        for person in Person::ALL {
            world.admit(person, hash.clone()).await;
        }
        world
    }

    /// A world in which everyone but B has the record and the appendix of events/.
    pub async fn with_record() -> Self {
        let world = Self::new().await;
        world.fill().await;
        world
    }

    /// Gives everyone but B the record and the appendix of events/.
    pub async fn fill(&self) {
        for person in Person::ALL.into_iter().filter(|person| *person != Person::B) {
            self.create_record(person).await;
            self.create_appendix(person).await;
        }
    }

    async fn admit(&self, person: Person, password: StoredHash) {
        let user = person.user();
        let name = "Verkstad AB".to_owned().try_into().unwrap();
        let profile = UserProfile {
            email: person.email(),
            name: "Eva Ek".to_owned().try_into().unwrap(),
            role: person.role(),
        };
        let sign_up = SignUp {
            customer_id: person.customer(),
            customer: Revision::first(CustomerProfile { name }, user, self.now),
            owner_id: user,
            owner: Revision::first(profile, user, self.now),
            password,
        };
        self.store.sign_up(&sign_up, &self.remember("sign-up")).await.unwrap();
        let (_, login) =
            self.store.attempt_login(&person.email(), "world", self.now).await.unwrap();
        let (login, hash) = (login.unwrap(), person.token().hash());
        self.store
            .start_session(&login, &hash, self.now, &self.remember("world-session"))
            .await
            .unwrap();
    }

    /// A person's session, as a handler would have it.
    pub async fn session(&self, person: Person) -> Session {
        let token = person.token();
        let opened = self.store.open(&token, self.now, (), Nothing).await;
        opened.unwrap().expect("the world's sessions are valid").0.session
    }

    async fn create_record(&self, person: Person) {
        let content = json!({"type": "deviation", "title": "Spricka", "fields": {"line": 7}});
        let content: Record = serde_json::from_value(content).unwrap();
        let revision = Revision::first(content, person.user(), self.now);
        let (session, id) = (self.session(person).await, record_id());
        let remember = self.remember("world-record");
        self.store.create_record(&session, id, &revision, &remember).await.unwrap();
    }

    async fn create_appendix(&self, person: Person) {
        let session = self.session(person).await;
        let number = VersionNumber::FIRST;
        let key = ObjectKey::new(&session.customer, record_id(), appendix_id(), number);
        self.reserve(&session, &key).await.unwrap();
    }

    /// Reserves the photo of events/ at `key`, as the first version of a new appendix.
    pub async fn reserve(&self, session: &Session, key: &ObjectKey) -> Result<(), WriteError> {
        let name = "spricka.jpg".to_owned().try_into().unwrap();
        let last_version = VersionNumber::FIRST;
        let appendix = Appendix { record_id: record_id(), name, last_version };
        let version = AppendixVersion::pending(declared(PHOTO));
        let appendix = Revision::first(appendix, session.user, self.now);
        let version = Revision::first(version, session.user, self.now);
        let name = format!("world-{}", key.to_string().split('/').nth(2).unwrap());
        let remember = self.remember(&name);
        let new = Reservation::New;
        self.store.reserve_version(session, new, key, &appendix, &version, &remember).await
    }

    /// Uploads the bytes of A's appendix and waits until they are noted.
    pub async fn upload_photo(&self) {
        let session = self.session(Person::A).await;
        let number = VersionNumber::FIRST;
        let key = ObjectKey::new(&session.customer, record_id(), appendix_id(), number);
        let upload = self.objects.presign_upload(&key, &declared(PHOTO), self.now).await.unwrap();
        let headers: Vec<(String, String)> = upload.headers;
        let answer = put(&upload.url, headers, PHOTO.to_vec()).await;
        assert_eq!(answer.status(), 200);
        self.cloud.settle().await;
    }

    fn remember(&self, key: &str) -> Remember {
        Remember::new(key.parse().unwrap(), "world".to_owned(), &json!(null), self.now)
    }

    /// Feeds an event of events/ to its function.
    pub async fn send(&self, event: Event) -> Answer {
        let event = event.at(self.now);
        let answer = self.cloud.invoke(&event.binary(), event.json).await;
        Answer(answer.expect("handlers always answer"))
    }

    /// Feeds `events/{name}.json` as it is.
    pub async fn send_file(&self, name: &str) -> Answer {
        self.send(Event::load(name)).await
    }

    /// The status of `person`'s record of events/, and its answer.
    pub async fn read_record(&self, person: Person) -> Answer {
        self.send(Event::load("get_record/ok").by(person)).await
    }

    /// The bucket of appendices as a whole.
    pub fn bucket(&self) -> Bucket {
        let environment = self.cloud.operator_environment();
        let lookup = |name: &str| environment.get(name).cloned();
        OperatorEnv::new(Env::new(&lookup)).bucket().unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same world, after its cloud was stopped and started with parameters of its template.
    pub async fn restarted(self, parameters: &[(&str, &str)]) -> Self {
        let binaries = self.binaries.clone();
        let folder = self.stop();
        let given = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let parameters = given.collect();
        let options = Options { parameters, binaries: binaries.clone(), ..options(folder.path()) };
        let cloud = Cloud::start_again(&options).await.unwrap();
        Self::of(cloud, folder, binaries)
    }

    /// The stores of a cloud, as its operator reaches them.
    fn of(cloud: Cloud, folder: TempDir, binaries: Option<PathBuf>) -> Self {
        let environment = cloud.operator_environment().clone();
        let lookup = |name: &str| environment.get(name).cloned();
        let env = OperatorEnv::new(Env::new(&lookup));
        Self {
            store: env.store().unwrap(),
            operator: env.operator().unwrap(),
            objects: env.objects().unwrap(),
            passwords: env.passwords().unwrap(),
            now: runtime::now(),
            cloud,
            folder,
            binaries,
        }
    }

    /// Stops the cloud and keeps its folder.
    pub fn stop(self) -> TempDir {
        drop(self.cloud);
        self.folder
    }
}

pub fn options(data: &Path) -> Options {
    Options::new(&repository(), data)
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

pub fn record_id() -> RecordId {
    RECORD.parse().unwrap()
}

pub fn appendix_id() -> AppendixId {
    APPENDIX.parse().unwrap()
}

pub fn declared(bytes: &[u8]) -> Declared {
    let declaration = declaration(bytes);
    let member = |name: &str| declaration[name].clone();
    Declared {
        content_type: serde_json::from_value(member("content_type")).unwrap(),
        bytes: serde_json::from_value(member("bytes")).unwrap(),
        sha256: serde_json::from_value(member("sha256")).unwrap(),
    }
}

/// What an uploader declares of these bytes.
pub fn declaration(bytes: &[u8]) -> Value {
    use sha2::Digest as _;
    let sha256: String =
        sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"content_type": "image/jpeg", "bytes": bytes.len(), "sha256": sha256})
}

pub async fn put(
    url: &str,
    headers: impl IntoIterator<Item = (String, String)>,
    body: Vec<u8>,
) -> reqwest::Response {
    let mut request = reqwest::Client::new().put(url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

/// An event of events/, to be changed a little.
#[derive(Clone)]
pub struct Event {
    binary: String,
    pub json: Value,
}

impl Event {
    /// Reads `events/{name}.json`, where the name is `function/case`.
    pub fn load(name: &str) -> Self {
        let (function, case) = name.split_once('/').unwrap();
        let binary = function.replace('_', "-");
        let folder = am_service::all().into_iter().find(|it| it.name == binary).unwrap().folder;
        let path = repository().join(format!("events/{folder}/{case}.json"));
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { binary, json: serde_json::from_slice(&text).unwrap() }
    }

    pub fn binary(&self) -> String {
        self.binary.clone()
    }

    fn at(mut self, now: Timestamp) -> Self {
        if self.json["requestContext"]["timeEpoch"].as_i64() == Some(1_768_464_000_000) {
            self.json["requestContext"]["timeEpoch"] = json!(now.millis());
        }
        self
    }

    /// The same request at another time.
    pub fn later(mut self, now: Timestamp) -> Self {
        self.json["requestContext"]["timeEpoch"] = json!(now.millis());
        self
    }

    pub fn by(self, person: Person) -> Self {
        self.header("authorization", &format!("Bearer {}", person.token().expose()))
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.json["headers"][name] = json!(value);
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.json["headers"].as_object_mut().unwrap().remove(name);
        self
    }

    pub fn cookie(mut self, cookie: &str) -> Self {
        self.json["cookies"] = json!([cookie]);
        self.without_header("authorization")
    }

    pub fn path(mut self, name: &str, value: &str) -> Self {
        self.json["pathParameters"][name] = json!(value);
        self
    }

    pub fn query(mut self, query: &str) -> Self {
        self.json["rawQueryString"] = json!(query);
        self
    }

    pub fn source(mut self, address: &str) -> Self {
        self.json["requestContext"]["http"]["sourceIp"] = json!(address);
        self
    }

    pub fn raw_body(mut self, body: &str) -> Self {
        self.json["body"] = json!(body);
        self
    }

    pub fn body(self, body: Value) -> Self {
        self.raw_body(&body.to_string())
    }

    /// Another body, signed as Sentry signs its webhooks.
    pub fn signed(self, body: &str, secret: &str) -> Self {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let mac = mac.chain_update(body).finalize().into_bytes();
        let signature: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        self.raw_body(body).header("sentry-hook-signature", &signature)
    }

    /// The same body with one member set.
    pub fn with(self, member: &str, value: Value) -> Self {
        let mut body: Value = serde_json::from_str(self.json["body"].as_str().unwrap()).unwrap();
        body[member] = value;
        self.body(body)
    }

    /// The same body without one member.
    pub fn without(self, member: &str) -> Self {
        let mut body: Value = serde_json::from_str(self.json["body"].as_str().unwrap()).unwrap();
        body.as_object_mut().unwrap().remove(member);
        self.body(body)
    }
}

/// A function's answer.
#[derive(Clone, Debug)]
pub struct Answer(pub Value);

impl Answer {
    pub fn status(&self) -> u64 {
        self.0["statusCode"].as_u64().unwrap()
    }

    pub fn body(&self) -> Value {
        match self.0["body"].as_str() {
            Some(body) if !body.is_empty() => serde_json::from_str(body).unwrap(),
            _ => Value::Null,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.0["headers"][name].as_str().unwrap_or("")
    }

    /// The stable code of a problem.
    pub fn code(&self) -> String {
        self.body()["code"].as_str().unwrap_or("").to_owned()
    }

    /// Status, code and field of a problem: all that a test of bad input looks at.
    pub fn problem(&self) -> (u64, String, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let field = self.body()["field"].as_str().unwrap_or("").to_owned();
        (self.status(), self.code(), field)
    }
}
