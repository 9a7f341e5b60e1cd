//! What is asked of a function, and what it answers.

use domain::Timestamp;
use runtime::Function;
use serde_json::{Value, json};

use crate::people::Person;
use crate::repository::repository;

/// An event of events/: `"appendices/store/ok"`.
pub fn event(name: &str) -> Value {
    let path = repository().join("events").join(format!("{name}.json"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&text).unwrap()
}

/// A request of events/, to be changed a little.
#[derive(Clone)]
pub struct Call {
    binary: String,
    pub json: Value,
}

impl Call {
    /// A request as it is in events/, by its method and path as the template spells them, and by its case
    /// where that is another than `ok`: `"POST /v1/records chosen_id"`.
    pub fn to(request: &str) -> Self {
        let mut words = request.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let case = words.next().unwrap_or("ok");
        let of_it = |function: &Function| {
            let routes = function.endpoint.iter().flat_map(|it| it.declaration.routes);
            routes.into_iter().any(|it| it.key() == format!("{method} {path}"))
        };
        let function = am_service::all().into_iter().find(of_it);
        let function = function.unwrap_or_else(|| panic!("no function has the route {request}"));
        let json = event(&format!("{}/{case}", function.folder));
        Self { binary: function.name.to_owned(), json }
    }

    pub fn binary(&self) -> String {
        self.binary.clone()
    }

    pub(crate) fn at(mut self, now: Timestamp) -> Self {
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
