//! `PUT /v1/customer`: gives the company another name; or a short name, where it has none, which then stays. Owners.

use am_http::{
    Answer, ChangeRefusal, Code, Declaration, Handle, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change, etag, json, with_header,
};
use domain::{CompanyName, Language, Role, ShortName, TimeZone};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::Deserialize;
use store::tenant::CustomerKey;
use store::{CustomerProfile, Store, WriteError};

use crate::shapes::CompanyView;

/// What the company is called from now on.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CompanyUpdate"))]
#[serde(deny_unknown_fields)]
struct Body {
    name: CompanyName,
    /// Left out, it stays as it is. Once there is one, there is no other: people log in with it.
    short_name: Option<ShortName>,
    /// In which its people see times; left out, it stays as it is.
    time_zone: Option<TimeZone>,
    /// In which it writes to people; left out, it stays as it is.
    language: Option<Language>,
}

const SHORT_NAME_TAKEN: Code =
    Code::new(StatusCode::CONFLICT, "short_name_taken", "Another company is called so.");
const SHORT_NAME_STAYS: Code = Code::new(
    StatusCode::CONFLICT,
    "short_name_stays",
    "The company has a short name, with which its people log in.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "change-customer",
        routes: &[Route::put("/v1/customer")],
        summary: "Changes what the company is called, its time zone and its language",
        parameters: &[Parameter::IF_MATCH],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<CompanyView>(StatusCode::OK, "The company as it is now.")
            .with(&[ResponseHeader::ETAG])],
        problems: &[SHORT_NAME_TAKEN, SHORT_NAME_STAYS],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Owner,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let opened = request.open(store, CustomerKey).await?;
    let seen = request.if_match()?;
    let Body { name, short_name, time_zone, language } = request.json()?;
    let current = opened.found.existing()?;
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let before = current.content.short_name.clone();
    if before.is_some() && short_name.is_some() && short_name != before {
        return Err(
            Problem::new(SHORT_NAME_STAYS, "People log in with the short name: it stays.").into()
        );
    }
    let short_name = short_name.or(before);
    let time_zone = time_zone.or_else(|| current.content.time_zone.clone());
    let language = language.or(current.content.language);
    let content =
        CustomerProfile { name, short_name, time_zone, language, ..current.content.clone() };
    let changed = current.changed(content, opened.session.user, request.now());
    let customer = &opened.session.customer;
    match store.change_customer(customer, &current, &changed).await {
        Ok(()) => {}
        Err(WriteError::ShortNameTaken) => {
            let detail = "Another company has this short name. Take another one.";
            return Err(Problem::new(SHORT_NAME_TAKEN, detail).into());
        }
        Err(error) => return Err(error.into()),
    }
    let view = CompanyView::new(customer.id(), &changed);
    Ok(with_header(json(StatusCode::OK, &view), ETAG, &etag(view.version)))
}
