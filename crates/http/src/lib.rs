//! HTTP as every endpoint needs it: reading a request, opening a session, answering, and saying no.
//! It knows API Gateway's payload 2.0 and RFCs 9110 and 9457. It must never know an endpoint, and
//! it never answers with more than the caller may see.

mod code;
mod credential;
mod declaration;
mod once;
mod pack;
mod part;
mod precondition;
mod problem;
mod request;
mod respond;
mod session;

pub use code::Code;
pub use credential::{SESSION_COOKIE, end_cookie, session_cookie};
pub use declaration::{
    Access, Answer, Declaration, Described, Parameter, Place, RequestBody, ResponseHeader, Route,
    TypeOf,
};
pub use domain::chain;
pub use lambda_http::http::Method;
pub use once::Once;
pub use pack::takes;
pub use part::{Part, answer_part};
pub use precondition::{ChangeRefusal, IfMatch, change, etag, not_modified};
pub use problem::{Problem, StatusCode};
pub use request::{Cursor, REQUEST_BODY_BYTES_MAX, Request, Who, parse};
pub use respond::{
    Handle, Response, answer, created, empty, json, micros_since, not_stored, text, with_header,
};
pub use session::SessionRequest;
