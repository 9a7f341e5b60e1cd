//! What a function answers.

use serde_json::Value;

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
