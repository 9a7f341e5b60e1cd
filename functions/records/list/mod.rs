//! `GET /v1/records`: the customer's records that fit what is asked for, in one of several orders, or those that have
//! some words. Any role.

use std::collections::BTreeSet;
use std::str::FromStr;

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{Date, Name, RecordId, RecordType, Role, Timestamp, UserId, words};
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::tenant::{Filter, FindRecords, Source};
use store::{ChangeTime, List, Standing, Store};

use crate::shapes::RecordView;

/// Which records come first. Ids say when a record was created by the clock of the device that made it, which may be
/// wrong by years; the time of a change is ours.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
enum Order {
    /// By their ids.
    Created,
    /// By their last change.
    Changed,
    /// By the day they are due. Only those that have one, and are not closed.
    Due,
    /// By when they were closed. Only those that are.
    Closed,
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "created" => Ok(Self::Created),
            "changed" => Ok(Self::Changed),
            "due" => Ok(Self::Due),
            "closed" => Ok(Self::Closed),
            _ => Err("must be created, changed, due or closed"),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
enum Direction {
    Ascending,
    Descending,
}

impl FromStr for Direction {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ascending" => Ok(Self::Ascending),
            "descending" => Ok(Self::Descending),
            _ => Err("must be ascending or descending"),
        }
    }
}

/// Which states are asked for.
enum StateQuery {
    Any,
    Open,
    Named(Name),
}

impl FromStr for StateQuery {
    type Err = domain::RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "open" => Ok(Self::Open),
            name => Name::try_from(name.to_owned()).map(Self::Named),
        }
    }
}

/// Who is to work on it.
enum AssigneeQuery {
    Nobody,
    Person(UserId),
}

impl FromStr for AssigneeQuery {
    type Err = domain::RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "nobody" { Ok(Self::Nobody) } else { text.parse().map(Self::Person) }
    }
}

struct Since(Timestamp);

impl FromStr for Since {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let json = serde_json::Value::from(text);
        serde_json::from_value(json)
            .map(Self)
            .map_err(|_| "must be a time such as 2026-12-24T07:30:00Z")
    }
}

struct Words(BTreeSet<String>);

impl FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().count() > WORDS_CHARS_MAX {
            return Err(format!("must have at most {WORDS_CHARS_MAX} characters"));
        }
        let Some(words) = words::query(text) else {
            return Err(format!("must have at most {} words", words::QUERY_WORDS_MAX));
        };
        if words.is_empty() {
            return Err("must have a letter or a digit".to_owned());
        }
        Ok(Self(words))
    }
}

/// A line of a search field.
const WORDS_CHARS_MAX: usize = 200;

fn text(request: &SessionRequest<'_>, name: &str) -> Result<Option<RecordType>, Problem> {
    let text: Option<String> = request.query(name)?;
    let parsed = text.map(RecordType::try_from).transpose();
    parsed.map_err(|rule| Problem::invalid(format!("?{name}"), rule.to_string()))
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
        summary: "The records that fit what is asked for",
        parameters: &[
            Parameter::query::<String>(
                "words",
                "Those that have, for each of these, a word that begins so, in their title, number or fields. Words \
                 of one or two characters are found whole. The newest come first.",
            ),
            Parameter::query::<RecordType>("type", "Those of this type."),
            Parameter::query::<String>(
                "state",
                "open: those in an open state; any; or the name of a state, with a type.",
            ),
            Parameter::query::<String>(
                "assignee",
                "Those that this person is to work on, by their id; nobody: those without anybody.",
            ),
            Parameter::query::<RecordId>("about", "Those about this record, such as a machine."),
            Parameter::query::<Date>(
                "due_before",
                "Those that are due before this day, and are not closed.",
            ),
            Parameter::query::<Timestamp>(
                "created_since",
                "Those that were made at this time or later, by the clock of the device that made them.",
            ),
            Parameter::query::<Timestamp>(
                "changed_since",
                "Those that were changed at this time or later.",
            ),
            Parameter::query::<Timestamp>(
                "closed_since",
                "Those that were closed at this time or later, and still are.",
            ),
            Parameter::query::<Order>(
                "order",
                "Which come first. Without any, it is that of creation, of what is asked for that of changes, of what \
                 is due that of their days, and of what was closed by when it was. A cursor goes on in the order that \
                 it came from.",
            ),
            Parameter::query::<Direction>(
                "direction",
                "Whether the first come first. Without any, the last do, but of what is due the first.",
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
    let question = question(&request)?;
    let by_id = !matches!(question.source, Source::Lists { .. });
    let (_, page) = request.open_and(store, (), question).await?;
    let next_cursor = page.next.map(|place| {
        if by_id { Cursor(place.record).to_string() } else { Cursor(place).to_string() }
    });
    let records = page.records.iter().map(|(id, record)| RecordView::new(*id, record)).collect();
    Ok(json(StatusCode::OK, &RecordList { records, next_cursor }))
}

/// The question that the query asks: which list leads, and what else a record of it must be like.
fn question(request: &SessionRequest<'_>) -> Result<FindRecords, Problem> {
    let record_type: Option<RecordType> = text(request, "type")?;
    let state: Option<StateQuery> = request.query("state")?;
    let due_before: Option<Date> = request.query("due_before")?;
    let since = |name| Ok::<_, Problem>(request.query::<Since>(name)?.map(|Since(time)| time));
    let (assignee, unassigned) = match request.query("assignee")? {
        Some(AssigneeQuery::Person(who)) => (Some(who), false),
        Some(AssigneeQuery::Nobody) => (None, true),
        None => (None, false),
    };
    let words = request.query::<Words>("words")?.map(|Words(words)| words);
    let open = matches!(state, Some(StateQuery::Open));
    let state = match state {
        Some(StateQuery::Named(name)) => Some(name),
        _ => None,
    };
    if state.is_some() && record_type.is_none() {
        return Err(Problem::invalid("?state", "needs a type, unless it is open or any"));
    }
    let filter = Filter {
        record_type,
        open,
        state,
        assignee,
        unassigned,
        about: request.query("about")?,
        due_before,
        created_since: since("created_since")?,
        changed_since: since("changed_since")?,
        closed_since: since("closed_since")?,
    };
    // Those made since then are read by their ids, where nothing else is asked for.
    let is_by_id = Filter { created_since: None, ..filter.clone() } == Filter::default();
    let order = match request.query("order")? {
        Some(_) if words.is_some() => {
            return Err(Problem::invalid("?order", "is that of creation where words are given"));
        }
        Some(order) => order,
        None if words.is_some() || is_by_id => Order::Created,
        None if filter.due_before.is_some() => Order::Due,
        None if filter.closed_since.is_some() => Order::Closed,
        None => Order::Changed,
    };
    let source = match (words, order) {
        (Some(words), _) => Source::Words(words),
        (None, Order::Created) => Source::Created { from: filter.created_since },
        (None, Order::Due) => {
            let until = filter.due_before.as_ref().map(Date::start);
            Source::Lists { lists: vec![List::Due], from: None, until }
        }
        (None, Order::Closed) => {
            Source::Lists { lists: vec![List::Closed], from: filter.closed_since, until: None }
        }
        (None, Order::Changed) => {
            Source::Lists { lists: lists(&filter), from: filter.changed_since, until: None }
        }
    };
    let after = match source {
        Source::Lists { from, until, .. } => {
            request.cursor()?.map(|it| within(it, from, until)).transpose()?
        }
        Source::Created { from } => {
            let is_within = |it: &RecordId| from.is_none_or(|from| it.made_at() >= from);
            let record = request.cursor()?;
            if record.as_ref().is_some_and(|it| !is_within(it)) {
                return Err(Problem::invalid("?cursor", OF_ANOTHER_QUESTION));
            }
            record.map(by_id)
        }
        Source::Words(_) => request.cursor()?.map(by_id),
    };
    let direction = request.query("direction")?.unwrap_or(match order {
        Order::Due => Direction::Ascending,
        Order::Created | Order::Changed | Order::Closed => Direction::Descending,
    });
    let (limit, ascending) = (request.page_limit()?, matches!(direction, Direction::Ascending));
    Ok(FindRecords { source, filter, ascending, limit, after, now: request.now() })
}

/// A place that a page of this question can have ended at.
fn within(
    place: ChangeTime,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<ChangeTime, Problem> {
    let fits = place.at.millis() >= 0
        && from.is_none_or(|from| place.at >= from)
        && until.is_none_or(|until| place.at < until);
    if fits {
        return Ok(place);
    }
    Err(Problem::invalid("?cursor", OF_ANOTHER_QUESTION))
}

const OF_ANOTHER_QUESTION: &str = "must be the next_cursor of an earlier page of this question";

fn by_id(record: RecordId) -> ChangeTime {
    ChangeTime { at: Timestamp::from_millis(0), record }
}

/// The lists that lead, which have fewest records as a rule. What else is asked for is looked at record by record.
fn lists(filter: &Filter) -> Vec<List> {
    let of_each = |list: &dyn Fn(Standing) -> List| {
        let standings: &[Standing] = if filter.open { &[Standing::Open] } else { &Standing::ALL };
        standings.iter().map(|standing| list(*standing)).collect()
    };
    if let Some(thing) = filter.about {
        return of_each(&|it| List::About(thing, it));
    }
    if let Some(who) = filter.assignee {
        return of_each(&|it| List::Assignee(who, it));
    }
    match (&filter.record_type, &filter.state) {
        (Some(record_type), Some(state)) => vec![List::State(record_type.clone(), state.clone())],
        (Some(record_type), None) => of_each(&|it| List::Type(record_type.clone(), it)),
        (None, _) if filter.open && filter.unassigned => vec![List::Unassigned],
        (None, _) if filter.open => vec![List::Open],
        (None, _) => vec![List::Changed],
    }
}
