//! `GET /v1/records?order=&limit=&cursor=`: the customer's records, those first that were created or changed last.
//! Any role.

use std::str::FromStr;

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::Store;
use store::tenant::{ListByChange, ListRecords};

use crate::shapes::RecordView;

/// Which records come first. Ids say when a record was created by the clock of the device that made it, which may be
/// wrong by years; the time of a change is ours.
#[derive(Clone, Copy, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
enum Order {
    /// Those with the newest id.
    #[default]
    Created,
    /// Those that were changed last.
    Changed,
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "created" => Ok(Self::Created),
            "changed" => Ok(Self::Changed),
            _ => Err("must be created or changed"),
        }
    }
}

/// Some of the records.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct RecordList {
    records: Vec<RecordView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-records",
        routes: &[Route::get("/v1/records")],
        summary: "The records, newest first",
        parameters: &[
            Parameter::query::<Order>(
                "order",
                "Which come first: those with the newest id, or those that were changed last. A cursor goes on in \
                 the order that it came from.",
            ),
            Parameter::LIMIT,
            Parameter::CURSOR,
        ],
        body: RequestBody::None,
        answers: &[Answer::json::<RecordList>(StatusCode::OK, "A page of them.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let limit = request.page_limit()?;
    let (records, next_cursor) = match request.query("order")?.unwrap_or_default() {
        Order::Created => {
            let question = ListRecords { limit, before: request.cursor()? };
            let (_, page) = request.open_and(store, (), question).await?;
            (page.records, page.next_before.map(|id| Cursor(id).to_string()))
        }
        Order::Changed => {
            let question = ListByChange { limit, before: request.cursor()? };
            let (_, page) = request.open_and(store, (), question).await?;
            (page.records, page.next_before.map(|place| Cursor(place).to_string()))
        }
    };
    let records = records.iter().map(|(id, record)| RecordView::new(*id, record)).collect();
    Ok(json(StatusCode::OK, &RecordList { records, next_cursor }))
}
