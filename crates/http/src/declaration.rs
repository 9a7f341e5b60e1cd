//! What an endpoint is, written once beside its handler: from it come the session door, the dispatch of the
//! local cloud, and the description of the API.

use domain::{AppendixId, CommentId, InvitationId, RecordId, RecordType, Role, UserId};
use lambda_http::http::{Method, StatusCode};

use crate::Code;

/// What an endpoint is to whoever calls it.
pub struct Declaration {
    /// Its binary: `get-record`.
    pub name: &'static str,
    /// As the template spells them. The first one is described to clients.
    pub routes: &'static [Route],
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Of the path, the query and the headers.
    pub parameters: &'static [Parameter],
    pub body: RequestBody,
    pub answers: &'static [Answer],
    /// The codes that neither its parameters, its body nor its session bring along.
    pub problems: &'static [Code],
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Anyone,
    /// Who shows a session of at least this role.
    Session(Role),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// `/v1/records/{record_id}`
    pub path: &'static str,
}

impl Route {
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path }
    }

    pub const fn head(path: &'static str) -> Self {
        Self { method: Method::HEAD, path }
    }

    pub const fn options(path: &'static str) -> Self {
        Self { method: Method::OPTIONS, path }
    }

    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::POST, path }
    }

    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::PUT, path }
    }

    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::PATCH, path }
    }

    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::DELETE, path }
    }

    /// What no other route takes, by any method.
    pub const OTHERS: Self = Self { method: Method::GET, path: "$default" };

    pub fn is_others(&self) -> bool {
        self.path == Self::OTHERS.path
    }

    /// Whether a path is one of this route's, by whatever method.
    pub fn fits(&self, path: &str) -> bool {
        if let Some((before, _)) = self.path.strip_suffix("+}").and_then(|it| it.rsplit_once('{')) {
            return path.strip_prefix(before).is_some_and(|rest| !rest.is_empty());
        }
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given => {}
                (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    }

    /// The names of the path's parts that vary: `record_id`.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        let names = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| name.trim_end_matches('+'))
    }

    /// Those parts of a path that vary, with their names.
    pub fn parameters_of<'a>(
        &self,
        path: &'a str,
    ) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let parts = self.path.split('/').zip(path.split('/'));
        parts.filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
    }

    /// As API Gateway names it: `GET /v1/records/{record_id}`.
    pub fn key(&self) -> String {
        if self.is_others() {
            return format!("ANY {}", self.path);
        }
        format!("{} {}", self.method, self.path)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
}

/// A part of the path that varies, a member of the query or a header, and the problems that come with
/// it.
pub struct Parameter {
    pub place: Place,
    pub name: &'static str,
    pub required: bool,
    pub meaning: &'static str,
    pub content: TypeOf,
    pub problems: &'static [Code],
}

impl Parameter {
    /// A part of the path: what is no such thing is not found, as what is not there.
    pub const fn path<T: Described>(name: &'static str, meaning: &'static str) -> Self {
        let (content, problems): (_, &[Code]) = (TypeOf::of::<T>(), &[Code::NOT_FOUND]);
        Self { place: Place::Path, name, required: true, meaning, content, problems }
    }

    /// A member of the query that may be left out.
    pub const fn query<T: Described>(name: &'static str, meaning: &'static str) -> Self {
        let (content, problems): (_, &[Code]) = (TypeOf::of::<T>(), &[Code::INVALID_FIELD]);
        Self { place: Place::Query, name, required: false, meaning, content, problems }
    }

    /// A header that may be left out.
    pub const fn optional_header<T: Described>(name: &'static str, meaning: &'static str) -> Self {
        Self::header::<T>(name, false, meaning, &[])
    }

    const fn header<T: Described>(
        name: &'static str,
        required: bool,
        meaning: &'static str,
        problems: &'static [Code],
    ) -> Self {
        let content = TypeOf::of::<T>();
        Self { place: Place::Header, name, required, meaning, content, problems }
    }

    pub const RECORD_ID: Self = Self::path::<RecordId>("record_id", "The record.");
    pub const RECORD_TYPE: Self = Self::path::<RecordType>("type", "The type of records.");
    pub const USER_ID: Self = Self::path::<UserId>("user_id", "The person.");
    pub const INVITATION_ID: Self = Self::path::<InvitationId>("invitation_id", "The invitation.");
    pub const APPENDIX_ID: Self = Self::path::<AppendixId>("appendix_id", "The appendix.");
    pub const COMMENT_ID: Self = Self::path::<CommentId>("comment_id", "The comment.");
    pub const IDEMPOTENCY_KEY: Self = Self::header::<shapes::IdempotencyKey>(
        "Idempotency-Key",
        true,
        "Names this attempt: a new one for each new thing to do, the same one to try again.",
        &[Code::KEY_MISSING, Code::KEY_INVALID, Code::KEY_REUSED, Code::KEY_IN_USE],
    );
    pub const IDEMPOTENCY_KEY_OF_A_CHANGE: Self = Self::header::<shapes::IdempotencyKey>(
        "Idempotency-Key",
        false,
        "Names this attempt: with it, the same request is answered alike when it comes again; without, it is \
         stale then.",
        &[Code::KEY_INVALID, Code::KEY_REUSED, Code::KEY_IN_USE],
    );
    pub const IF_MATCH: Self = Self::header::<shapes::EntityTag>(
        "If-Match",
        true,
        "The ETag of the version that was seen.",
        &[Code::IF_MATCH_REQUIRED, Code::STALE_VERSION],
    );
    /// What is no entity tag of ours matches nothing: RFC 9110 refuses nothing here.
    pub const IF_NONE_MATCH: Self = Self::optional_header::<String>(
        "If-None-Match",
        "The ETag of the version that is already here.",
    );
    pub const LIMIT: Self = Self::query::<shapes::PageLimit>("limit", "Most items of the page.");
    pub const CURSOR: Self =
        Self::query::<shapes::PageCursor>("cursor", "The next_cursor of the page before.");
}

/// What is sent with a request.
pub enum RequestBody {
    None,
    /// JSON with the members of this type, and no others.
    Json(TypeOf),
    /// Of any kind, read by the handler itself.
    Raw {
        media_type: &'static str,
        meaning: &'static str,
    },
}

impl RequestBody {
    pub const fn json<T: Described>() -> Self {
        Self::Json(TypeOf::of::<T>())
    }
}

/// An answer that is no problem.
pub struct Answer {
    pub status: StatusCode,
    pub meaning: &'static str,
    /// `None`: without a body.
    pub content: Option<TypeOf>,
    pub headers: &'static [ResponseHeader],
}

impl Answer {
    pub const fn json<T: Described>(status: StatusCode, meaning: &'static str) -> Self {
        Self { status, meaning, content: Some(TypeOf::of::<T>()), headers: &[] }
    }

    pub const fn empty(status: StatusCode, meaning: &'static str) -> Self {
        Self { status, meaning, content: None, headers: &[] }
    }

    #[must_use]
    pub const fn with(mut self, headers: &'static [ResponseHeader]) -> Self {
        self.headers = headers;
        self
    }
}

/// A header of an answer that a client may want.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHeader {
    pub name: &'static str,
    pub meaning: &'static str,
}

impl ResponseHeader {
    pub const ETAG: Self = Self { name: "ETag", meaning: "Its version, for If-Match." };
    pub const LOCATION: Self = Self { name: "Location", meaning: "Where the new thing is." };
    pub const SET_COOKIE: Self =
        Self { name: "Set-Cookie", meaning: "The session, where it is delivered as a cookie." };
}

impl Declaration {
    /// Every code that it can answer with, by name.
    pub fn all_problems(&self, access: Access) -> Vec<Code> {
        let mut all = vec![Code::INTERNAL_ERROR];
        if let Access::Session(least) = access {
            all.extend([Code::NO_SESSION, Code::NOT_IN_SCOPE, Code::BUSY]);
            if least > Role::Viewer {
                all.push(Code::ROLE_TOO_LOW);
            }
            if self.routes.iter().any(|route| route.method != Method::GET) {
                all.push(Code::CROSS_SITE_REQUEST);
            }
        }
        if matches!(self.body, RequestBody::Json(_)) {
            all.extend([
                Code::NOT_JSON,
                Code::MALFORMED_JSON,
                Code::BODY_TOO_LARGE,
                Code::INVALID_FIELD,
            ]);
        }
        all.extend(self.parameters.iter().flat_map(|parameter| parameter.problems));
        all.extend(self.problems);
        all.sort_by_key(|code| (code.status.as_u16(), code.name));
        all.dedup();
        all
    }
}

/// The type of a value on the wire. Only the description of the API asks what it looks like.
#[derive(Clone, Copy)]
pub struct TypeOf {
    #[cfg(feature = "openapi")]
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl TypeOf {
    pub const fn of<T: Described>() -> Self {
        Self {
            #[cfg(feature = "openapi")]
            schema: |generator| generator.subschema_for::<T>(),
        }
    }
}

/// A type that can be described: any, where no description is made.
#[cfg(not(feature = "openapi"))]
pub trait Described {}

#[cfg(not(feature = "openapi"))]
impl<T> Described for T {}

/// A type that can be described.
#[cfg(feature = "openapi")]
pub trait Described: schemars::JsonSchema {}

#[cfg(feature = "openapi")]
impl<T: schemars::JsonSchema> Described for T {}

/// What values of headers and queries look like.
mod shapes {
    #[cfg(feature = "openapi")]
    use {crate::request::PAGE_ITEMS_DEFAULT, store::PAGE_ITEMS_MAX};

    /// Defines a type that exists only to be described.
    macro_rules! shapes {
        ($($name:ident: $schema:tt;)+) => {$(
            pub(super) struct $name;

            #[cfg(feature = "openapi")]
            impl schemars::JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!($schema)
                }
            }
        )+};
    }

    shapes! {
        IdempotencyKey: { "type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$" };
        EntityTag: { "type": "string", "pattern": "^\"[1-9][0-9]{0,9}\"$", "examples": ["\"1\""] };
        PageLimit: {
            "type": "integer",
            "minimum": 1,
            "maximum": PAGE_ITEMS_MAX,
            "default": PAGE_ITEMS_DEFAULT
        };
        PageCursor: { "type": "string", "pattern": "^[A-Za-z0-9_-]+$" };
    }
}
