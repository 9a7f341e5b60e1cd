//! Whether the value of a field is of its kind. Nothing here asks whether a value is there: `complete` does.

use serde_json::{Number, Value};

use super::{Choice, Field, FieldKind, Refusal};
use crate::text::has_controls;
use crate::{AppendixId, RecordId, UserId, date, json_pointer};

const TEXT_CHARS_MAX: usize = 1_000;
const LONG_TEXT_CHARS_MAX: usize = 20_000;
const CODE_CHARS_MAX: usize = 500;
const REMARK_CHARS_MAX: usize = 2_000;
const PHOTOS_MAX: usize = 100;
const ROWS_MAX: usize = 200;

const VERDICTS: [&str; 3] = ["ok", "not_ok", "not_applicable"];

/// All that is wrong with a value; null is no value.
pub(super) fn check(field: &Field, value: &Value, pointer: &str, refusals: &mut Vec<Refusal>) {
    if value.is_null() {
        return;
    }
    let refusal = match field.kind {
        FieldKind::Text => text(value, TEXT_CHARS_MAX, false),
        FieldKind::LongText => text(value, LONG_TEXT_CHARS_MAX, true),
        FieldKind::Code => text(value, CODE_CHARS_MAX, false),
        FieldKind::Number => number(field, value),
        FieldKind::YesNo => of_type(value.is_boolean(), "boolean"),
        FieldKind::Choice => option(&field.options, value),
        FieldKind::Date => parsed(value, "not_a_date", date::is_date),
        FieldKind::Time => parsed(value, "not_a_time", is_time),
        FieldKind::Person => parsed(value, "not_an_id", |it| it.parse::<UserId>().is_ok()),
        FieldKind::Record => parsed(value, "not_an_id", |it| it.parse::<RecordId>().is_ok()),
        FieldKind::Signature => appendix(value),
        FieldKind::Choices => {
            return list(value, field.options.len(), pointer, refusals, |it| {
                option(&field.options, it)
            });
        }
        FieldKind::Photo => return list(value, PHOTOS_MAX, pointer, refusals, appendix),
        FieldKind::Checklist => return checklist(field, value, pointer, refusals),
        FieldKind::Table => return table(field, value, pointer, refusals),
        FieldKind::Heading => Some(Refusal::new("", "no_value")),
        FieldKind::Unknown => None,
    };
    refusals.extend(refusal.map(|it| Refusal { pointer: pointer.to_owned(), ..it }));
}

fn of_type(fits: bool, expected: &'static str) -> Option<Refusal> {
    (!fits).then(|| Refusal::new("", "wrong_type").with("expected", expected))
}

fn text(value: &Value, chars_max: usize, lines: bool) -> Option<Refusal> {
    let Some(text) = value.as_str() else { return of_type(false, "string") };
    if text.chars().count() > chars_max {
        return Some(Refusal::new("", "too_long").with("max", chars_max));
    }
    let rule = if lines { "control_characters" } else { "not_one_line" };
    has_controls(text, lines).then(|| Refusal::new("", rule))
}

fn parsed(value: &Value, rule: &'static str, parses: impl Fn(&str) -> bool) -> Option<Refusal> {
    let Some(text) = value.as_str() else { return of_type(false, "string") };
    (!parses(text)).then(|| Refusal::new("", rule))
}

fn appendix(value: &Value) -> Option<Refusal> {
    parsed(value, "not_an_id", |it| it.parse::<AppendixId>().is_ok())
}

fn number(field: &Field, value: &Value) -> Option<Refusal> {
    let Value::Number(number) = value else { return of_type(false, "number") };
    if let Some(min) = field.min.as_ref().filter(|min| double(number) < double(min)) {
        return Some(Refusal::new("", "too_small_number").with("min", Value::Number(min.clone())));
    }
    if let Some(max) = field.max.as_ref().filter(|max| double(number) > double(max)) {
        return Some(Refusal::new("", "too_large_number").with("max", Value::Number(max.clone())));
    }
    let most = field.decimals.filter(|most| decimals(number) > i32::from(*most));
    most.map(|most| Refusal::new("", "too_many_decimals").with("max", most))
}

/// As JavaScript has it, so that clients come to the same.
pub(super) fn double(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// How many digits are behind the point, of the shortest text that is this number.
fn decimals(number: &Number) -> i32 {
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let behind = digits.split_once('.').map_or("", |(_, behind)| behind.trim_end_matches('0'));
    (i32::try_from(behind.len()).unwrap_or(i32::MAX) - exponent).max(0)
}

fn is_time(text: &str) -> bool {
    let Some((hours, minutes)) = text.split_once(':') else { return false };
    let below = |digits: &str, end: u8| {
        digits.len() == 2
            && digits.bytes().all(|it| it.is_ascii_digit())
            && digits.parse().is_ok_and(|it: u8| it < end)
    };
    below(hours, 24) && below(minutes, 60)
}

fn option(options: &[Choice], value: &Value) -> Option<Refusal> {
    parsed(value, "not_an_option", |it| has(options, it))
}

fn has(choices: &[Choice], name: &str) -> bool {
    choices.iter().any(|choice| choice.name.as_str() == name)
}

fn list(
    value: &Value,
    max: usize,
    pointer: &str,
    refusals: &mut Vec<Refusal>,
    item: impl Fn(&Value) -> Option<Refusal>,
) {
    let Some(items) = value.as_array() else {
        return refusals.push(Refusal::new(pointer, "wrong_type").with("expected", "array"));
    };
    for (at, it) in items.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        if let Some(refusal) = item(it) {
            refusals.push(Refusal { pointer, ..refusal });
        } else if items[..at].contains(it) {
            refusals.push(Refusal::new(pointer, "duplicate"));
        }
        if at == max {
            break;
        }
    }
    if items.len() > max {
        refusals.push(Refusal::new(pointer, "too_many").with("max", max));
    }
}

/// An object, and for each of its members the pointer.
fn members<'a>(
    value: &'a Value,
    pointer: &str,
    refusals: &mut Vec<Refusal>,
) -> Vec<(String, &'a str, &'a Value)> {
    let Some(object) = value.as_object() else {
        refusals.push(Refusal::new(pointer, "wrong_type").with("expected", "object"));
        return Vec::new();
    };
    let pointer_of = |name: &str| format!("{pointer}/{}", json_pointer::escape(name));
    object.iter().map(|(name, it)| (pointer_of(name), name.as_str(), it)).collect()
}

fn checklist(field: &Field, value: &Value, pointer: &str, refusals: &mut Vec<Refusal>) {
    for (pointer, line, it) in members(value, pointer, refusals) {
        if !has(&field.lines, line) {
            refusals.push(Refusal::new(pointer, "not_a_line"));
            continue;
        }
        if it.is_null() {
            continue;
        }
        for (pointer, name, it) in members(it, &pointer, refusals) {
            let refusal = match name {
                _ if it.is_null() => None,
                "verdict" => parsed(it, "not_a_verdict", |it| VERDICTS.contains(&it)),
                "remark" => text(it, REMARK_CHARS_MAX, true),
                _ => Some(Refusal::new("", "unknown_field")),
            };
            refusals.extend(refusal.map(|it| Refusal { pointer, ..it }));
        }
    }
}

fn table(field: &Field, value: &Value, pointer: &str, refusals: &mut Vec<Refusal>) {
    let Some(rows) = value.as_array() else {
        return refusals.push(Refusal::new(pointer, "wrong_type").with("expected", "array"));
    };
    if rows.len() > ROWS_MAX {
        refusals.push(Refusal::new(pointer, "too_many").with("max", ROWS_MAX));
    }
    for (at, row) in rows.iter().enumerate().take(ROWS_MAX) {
        for (pointer, name, it) in members(row, &format!("{pointer}/{at}"), refusals) {
            match field.columns.iter().find(|column| column.name.as_str() == name) {
                Some(column) => check(column, it, &pointer, refusals),
                None => refusals.push(Refusal::new(pointer, "not_a_column")),
            }
        }
    }
}

/// Whether a value says nothing: where it is required, it is missing.
pub(super) fn is_empty(field: &Field, value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(lines)) if field.kind == FieldKind::Checklist => {
            let judged = |line: &Choice| {
                let verdict = lines.get(line.name.as_str()).and_then(|line| line.get("verdict"));
                verdict.is_some_and(Value::is_string)
            };
            !field.lines.iter().all(judged)
        }
        Some(_) => false,
    }
}
