//! The stage of a test: a local cloud in a folder of its own, and two customers with their people, whose
//! ids and tokens are those in events/.

use std::path::{Path, PathBuf};

use domain::appendix::Declared;
use domain::{
    Appendix, AppendixId, AppendixVersion, InvitationId, InvitationToken, Record, RecordId,
    ResetToken, Revision, Role, SignUpToken, Timestamp, UserId, VersionNumber,
};
use local::{Cloud, Options};
use passwords::{Password, Passwords, StoredHash};
use runtime::{Env, OperatorEnv, OsEntropy};
use serde_json::{Value, json};
use store::operator::{Bucket, Operator};
use store::tenant::{ComesAs, NewSession, Newcomer, Nothing, Reservation, Session, Shown, SignUp};
use store::{
    CustomerProfile, Invitation, InvitationState, ObjectKey, Objects, PersonCard, Remember, Store,
    UserProfile, WriteError, begun_with,
};
use tempfile::TempDir;

use crate::described::assert_described;
use crate::operator;

pub use crate::answer::Answer;
pub use crate::call::{Call, event};
pub use crate::pages::PAGES;
pub use crate::people::Person;
pub use crate::programs::machine_token;
pub use crate::repository::repository;

pub const RECORD: &str = "01KEZ00000RECRDAAAAAAAAAAA";
/// An id that nothing has.
pub const UNKNOWN_ID: &str = "01KEZ00000ZZZZZZZZZZZZZZZZ";
pub const APPENDIX: &str = "01KEZ00000APPNDXAAAAAAAAAA";
/// What somebody logs in with who has no address.
pub const FLOOR_WORKER: &str = "per@verkstad";
pub const PASSWORD: &str = "two lathes and a mill";
/// The bytes that events/appendices/add declares.
pub const PHOTO: &[u8] = b"a photo of a crack";
/// The bytes that events/appendices/add_version declares.
pub const SHARPER_PHOTO: &[u8] = b"a sharper photo of the crack";

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
        let hash = world.passwords.hash(word, &OsEntropy).await.unwrap();
        for person in Person::ALL {
            world.admit(person, hash.clone()).await;
        }
        world.invite().await;
        world.let_in(hash).await;
        world
    }

    /// A world in which customer A has the record and the appendix of events/.
    pub async fn with_record() -> Self {
        let world = Self::new().await;
        world.fill().await;
        world
    }

    /// Gives customer A the record and the appendix of events/.
    pub async fn fill(&self) {
        self.give_record(Person::A).await;
    }

    /// Gives the person's customer a record and an appendix with the ids of events/.
    pub async fn give_record(&self, person: Person) {
        self.create_record(person).await;
        self.create_appendix(person).await;
    }

    /// Signs an owner up, or puts a colleague beside one.
    async fn admit(&self, person: Person, password: StoredHash) {
        let user = person.user();
        let (name, sign_in) = ("Eva Ek".to_owned().try_into().unwrap(), person.email().into());
        let card = PersonCard { name, sign_in };
        if person.role() == Role::Owner {
            let name = "Verkstad AB".to_owned().try_into().unwrap();
            let short_name = person.short_name().to_owned().try_into().ok();
            let customer = CustomerProfile::new(name, short_name);
            let sign_up = SignUp {
                customer_id: person.customer(),
                customer: Revision::first(customer, user, self.now),
                owner_id: user,
                owner: Revision::first(
                    UserProfile::new(Role::Owner, begun_with(user)),
                    user,
                    self.now,
                ),
                card,
                password,
                types: domain::form::starters(),
            };
            self.store.sign_up(&sign_up, &self.remember("sign-up")).await.unwrap();
        } else {
            // As an earlier release has stored people.
            let PersonCard { name, sign_in } = card;
            let profile = UserProfile {
                role: person.role(),
                login: None,
                machine: None,
                email: Some(sign_in),
                name: Some(name),
            };
            let revision = Revision::first(profile, user, self.now);
            operator::add_colleague(&self.cloud, person.customer(), &revision, &password).await;
        }
        self.start_session(person, "world-session").await;
    }

    /// Customer A has an open invitation, whose token is in events/.
    async fn invite(&self) {
        let id: InvitationId = "01KEZ00000NVTATNAAAAAAAAAA".parse().unwrap();
        let session = self.session(Person::A).await;
        let token = InvitationToken::new(session.customer.id(), id, [b'i'; 32]);
        let invitation = Invitation {
            role: Role::Member,
            token_hash: token.hash().to_string(),
            expires_at: self.now.after(std::time::Duration::from_secs(7 * 24 * 60 * 60)),
            state: InvitationState::Open,
        };
        let revision = Revision::first(invitation, session.user, self.now);
        let remember = self.remember("world-invitation");
        self.store.create_invitation(&session, id, &revision, None, &remember).await.unwrap();
    }

    /// Somebody without an address works at customer A, and its owner has asked for another password: the tokens of
    /// events/.
    async fn let_in(&self, password: StoredHash) {
        let (id, user) = ("01KEZ00000NVTATNBBBBBBBBBB".parse().unwrap(), floor_worker());
        let session = self.session(Person::A).await;
        let token = InvitationToken::new(session.customer.id(), id, [b'p'; 32]);
        let invitation = Invitation {
            role: Role::Viewer,
            token_hash: token.hash().to_string(),
            expires_at: self.now.after(std::time::Duration::from_secs(60)),
            state: InvitationState::Open,
        };
        let revision = Revision::first(invitation.clone(), session.user, self.now);
        let remember = self.remember("world-floor");
        self.store.create_invitation(&session, id, &revision, None, &remember).await.unwrap();
        let invited = self.store.invited(&token).await.unwrap().unwrap();
        let accepted = Invitation { state: InvitationState::Accepted, ..invitation };
        let accepted = revision.changed(accepted, user, self.now);
        let profile = UserProfile::new(Role::Viewer, begun_with(user));
        let profile = Revision::first(profile, user, self.now);
        let name = "Per Plåt".to_owned().try_into().unwrap();
        let card = PersonCard { name, sign_in: FLOOR_WORKER.to_owned().try_into().unwrap() };
        let newcomer = Newcomer { user, profile: &profile, card: &card };
        let (comes_as, remember) = (ComesAs::New(&password), self.remember("world-in"));
        let came =
            self.store.accept_invitation(&invited, &accepted, &newcomer, &comes_as, &remember);
        came.await.unwrap();
        let (sign_up, day) =
            (SignUpToken::new([b's'; 32]), std::time::Duration::from_secs(24 * 60 * 60));
        let email = "eva@verkstad-norr.example".to_owned().try_into().unwrap();
        self.store.keep_sign_up(&sign_up, &email, self.now.after(day)).await.unwrap();
        let login = self.store.login(&Person::A.email().into()).await.unwrap().unwrap();
        let reset = ResetToken::new(login.id(), [b'r'; 32]);
        let expires_at = self.now.after(std::time::Duration::from_secs(60));
        self.store.keep_reset(&login, &reset, None, expires_at).await.unwrap();
    }

    /// Starts a person's session again that events/ have, where it has ended.
    pub async fn log_in_again(&self, person: Person) {
        self.start_session(person, "world-again").await;
    }

    async fn start_session(&self, person: Person, key: &str) {
        let login = self.store.login(&person.email().into()).await.unwrap().unwrap();
        let (member, hash) = (login.memberships[0], person.token().hash());
        let remember = self.remember(key);
        let new = NewSession {
            hash: &hash,
            device: "a test",
            created_at: self.now,
            now: self.now,
            event: None,
        };
        let start = self.store.start_session(&login, &member, &new, Some(&remember));
        start.await.unwrap();
    }

    /// A person's session, as a handler would have it.
    pub async fn session(&self, person: Person) -> Session {
        let shown = Shown::Session(person.token());
        let opened = self.store.open(&shown, self.now, (), Nothing).await;
        opened.unwrap().expect("the world's sessions are valid").0.session
    }

    async fn create_record(&self, person: Person) {
        let content = json!({"type": "note", "title": "Spricka", "fields": {"line": 7}});
        let content: Record = serde_json::from_value(content).unwrap();
        let revision = Revision::first(content, person.user(), self.now);
        let (session, id) = (self.session(person).await, record_id());
        let remember = self.remember("world-record");
        self.store
            .create_record(&session, id, &revision, &remember, &store::Readers::default())
            .await
            .unwrap();
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

    pub(crate) fn remember(&self, key: &str) -> Remember {
        Remember::new(key.parse().unwrap(), "world".to_owned(), &json!(null), self.now)
    }

    /// Feeds a request to its function.
    pub async fn send(&self, call: Call) -> Answer {
        let call = call.at(self.now);
        let route = call.json["routeKey"].as_str().unwrap().to_owned();
        let answer = self.cloud.invoke(&call.binary(), call.json).await;
        let answer = Answer(answer.expect("handlers always answer"));
        assert_described(&route, &answer);
        answer
    }

    /// Feeds a request of events/ to its function as it is.
    pub async fn ask(&self, request: &str) -> Answer {
        self.send(Call::to(request)).await
    }

    /// The status of `person`'s record of events/, and its answer.
    pub async fn read_record(&self, person: Person) -> Answer {
        self.send(Call::to("GET /v1/records/{record_id}").by(person)).await
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

/// A cloud in this folder, with a page of its own: whether the web client was built changes no test but its own.
pub fn options(data: &Path) -> Options {
    let web = data.join("web");
    std::fs::create_dir_all(web.join("assets")).unwrap();
    for (name, bytes) in PAGES {
        std::fs::write(web.join(name), bytes).unwrap();
    }
    Options { web, ..Options::new(&repository(), data) }
}

pub fn record_id() -> RecordId {
    RECORD.parse().unwrap()
}

/// Who logs in as [`FLOOR_WORKER`].
pub fn floor_worker() -> UserId {
    "01KEZ00000PERSNPPPPPPPPPPP".parse().unwrap()
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
