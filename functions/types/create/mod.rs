//! `POST /v1/types`: defines a type of records. Admins and above.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, created, etag,
};
use domain::{Form, RecordType, Revision, Role};
use runtime::HttpFunction;
use serde::Deserialize;
use store::tenant::{AnswerOfPeople, ListTypes};
use store::{Store, WriteError};

use crate::shapes::TypeView;
use crate::types::definition;

/// A new type of records.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewType"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// What records of it have for their `type`. Those that there are keep their free fields.
    #[serde(rename = "type")]
    record_type: RecordType,
    form: Form,
}

/// All of a company's are one answer: 2 MB at most.
const TYPES_MAX: usize = 50;

const TYPE_EXISTS: Code =
    Code::new(StatusCode::CONFLICT, "type_exists", "A type of this name is defined already.");
const TOO_MANY_TYPES: Code =
    Code::new(StatusCode::CONFLICT, "too_many_types", "The company has as many types as it may.");

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "create-type",
        routes: &[Route::post("/v1/types")],
        summary: "Defines a type of records",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<TypeView>(StatusCode::CREATED, "The new type.")
            .with(&[ResponseHeader::LOCATION, ResponseHeader::ETAG])],
        problems: &[TYPE_EXISTS, TOO_MANY_TYPES],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let once = Once::of(&request)?;
    let (opened, types) = request.open_and(store, AnswerOfPeople(once.key()), ListTypes).await?;
    if let Some(earlier) = &opened.found {
        return Ok(answer(&once.answer(earlier)?));
    }
    let Body { record_type, form } = request.json()?;
    let definition = definition(form)?;
    if types.len() >= TYPES_MAX {
        let detail =
            format!("A company has at most {TYPES_MAX} types. Change one that is retired.");
        return Err(Problem::new(TOO_MANY_TYPES, detail));
    }
    let session = &opened.session;
    let revision = Revision::first(definition, session.user, request.now());
    let view = TypeView::new(record_type.clone(), &revision);
    let remember = once.remember(&view);
    match store.define_type(session, &record_type, &revision, Some(&remember)).await {
        Ok(()) => Ok(answer(&view)),
        Err(WriteError::Repeated(earlier)) => Ok(answer(&once.answer(&earlier)?)),
        Err(WriteError::Exists) => {
            Err(Problem::new(TYPE_EXISTS, "A type of this name is defined already. Change it."))
        }
        Err(error) => Err(error.into()),
    }
}

fn answer(view: &TypeView) -> Response {
    created(&format!("/v1/types/{}", view.record_type), &etag(view.version), view)
}
