//! Whether a form makes sense: what serde cannot see, since it is between members.

use std::collections::HashSet;

use serde_json::Value;

use super::{Choice, Field, FieldKind, Form, Labels, REFUSALS_MAX, Refusal, When, values};
use crate::text::Name;

/// A form on a phone is scrolled by hand; beyond this it is several forms.
const FIELDS_MAX: usize = 200;
const STATES_MAX: usize = 20;
const OPTIONS_MAX: usize = 500;
const COLUMNS_MAX: usize = 20;
const VALUES_OF_A_CONDITION_MAX: usize = 50;
const RECORD_TYPES_MAX: usize = 50;
/// All types of a company are one answer, of at most 6 MB with every character escaped twice.
const BYTES_MAX: usize = 40_000;

/// All that makes no sense.
pub(super) fn check(form: &Form) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let bytes = serde_json::to_vec(form).map_or(0, |json| json.len());
    if bytes > BYTES_MAX {
        refusals.push(Refusal::new("", "too_large").with("max", BYTES_MAX));
    }
    labels(&form.labels, "/labels", &mut refusals);
    states(form, &mut refusals);
    fields(&form.fields, "/fields", FIELDS_MAX, &mut refusals);
    refusals.truncate(REFUSALS_MAX);
    refusals
}

fn labels(labels: &Labels, pointer: &str, refusals: &mut Vec<Refusal>) {
    if *labels == Labels::default() {
        refusals.push(Refusal::new(pointer, "empty"));
    }
}

fn at_most<T>(items: &[T], max: usize, pointer: &str, refusals: &mut Vec<Refusal>) {
    if items.len() > max {
        refusals.push(Refusal::new(pointer, "too_many").with("max", max));
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a Name>, pointer: &str, refusals: &mut Vec<Refusal>) {
    let mut seen = HashSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name.as_str()) {
            refusals.push(Refusal::new(format!("{pointer}/{at}/name"), "duplicate"));
        }
    }
}

fn states(form: &Form, refusals: &mut Vec<Refusal>) {
    at_most(&form.states, STATES_MAX, "/states", refusals);
    unique(form.states.iter().map(|it| &it.name), "/states", refusals);
    if form.states.first().is_some_and(|first| !first.open) {
        refusals.push(Refusal::new("/states/0/open", "not_open"));
    }
    for (at, state) in form.states.iter().enumerate() {
        labels(&state.labels, &format!("/states/{at}/labels"), refusals);
        at_most(&state.next, STATES_MAX, &format!("/states/{at}/next"), refusals);
        for (number, next) in state.next.iter().enumerate() {
            if form.state(next.as_str()).is_none() {
                refusals.push(Refusal::new(format!("/states/{at}/next/{number}"), "no_state"));
            }
        }
    }
}

fn fields(fields: &[Field], pointer: &str, max: usize, refusals: &mut Vec<Refusal>) {
    at_most(fields, max, pointer, refusals);
    unique(fields.iter().map(|it| &it.name), pointer, refusals);
    for (at, it) in fields.iter().enumerate().take(max) {
        let pointer = format!("{pointer}/{at}");
        labels(&it.labels, &format!("{pointer}/labels"), refusals);
        field(it, &pointer, refusals);
        if let Some(when) = &it.when {
            condition(when, &fields[..at], &format!("{pointer}/when"), refusals);
        }
        if let Some(default) = &it.default {
            let mut of_value = Vec::new();
            values::check(it, default, &format!("{pointer}/default"), &mut of_value);
            refusals.append(&mut of_value);
        }
    }
}

/// The members that only some kinds have.
fn field(field: &Field, pointer: &str, refusals: &mut Vec<Refusal>) {
    use FieldKind as Kind;
    let kind = field.kind;
    let kinds_of = [
        ("unit", field.unit.is_some(), &[Kind::Number][..]),
        ("min", field.min.is_some(), &[Kind::Number]),
        ("max", field.max.is_some(), &[Kind::Number]),
        ("decimals", field.decimals.is_some(), &[Kind::Number]),
        ("options", !field.options.is_empty(), &[Kind::Choice, Kind::Choices]),
        ("lines", !field.lines.is_empty(), &[Kind::Checklist]),
        ("columns", !field.columns.is_empty(), &[Kind::Table]),
        ("record_types", !field.record_types.is_empty(), &[Kind::Record]),
    ];
    for (member, is_there, kinds) in kinds_of {
        let pointer = format!("{pointer}/{member}");
        let fits = kinds.contains(&kind);
        if is_there && !fits {
            refusals.push(Refusal::new(pointer, "not_of_kind").with("kind", kind.name()));
        } else if fits && !is_there && matches!(member, "options" | "lines" | "columns") {
            refusals.push(Refusal::new(pointer, "empty"));
        }
    }
    if kind == Kind::Heading {
        for (member, is_there) in
            [("required", field.required), ("default", field.default.is_some())]
        {
            if is_there {
                let refusal = Refusal::new(format!("{pointer}/{member}"), "not_of_kind");
                refusals.push(refusal.with("kind", kind.name()));
            }
        }
    }
    if let (Some(min), Some(max)) = (&field.min, &field.max)
        && values::double(max) < values::double(min)
    {
        refusals.push(Refusal::new(format!("{pointer}/max"), "reversed"));
    }
    choices(&field.options, &format!("{pointer}/options"), refusals);
    choices(&field.lines, &format!("{pointer}/lines"), refusals);
    at_most(&field.record_types, RECORD_TYPES_MAX, &format!("{pointer}/record_types"), refusals);
    let pointer = format!("{pointer}/columns");
    for (at, column) in field.columns.iter().enumerate() {
        let nests = matches!(
            column.kind,
            Kind::Table
                | Kind::Heading
                | Kind::Checklist
                | Kind::Photo
                | Kind::Signature
                | Kind::LongText
        );
        if nests {
            refusals.push(Refusal::new(format!("{pointer}/{at}/kind"), "not_in_tables"));
        }
        if column.when.is_some() {
            refusals.push(Refusal::new(format!("{pointer}/{at}/when"), "not_in_tables"));
        }
    }
    fields(&field.columns, &pointer, COLUMNS_MAX, refusals);
}

fn choices(choices: &[Choice], pointer: &str, refusals: &mut Vec<Refusal>) {
    at_most(choices, OPTIONS_MAX, pointer, refusals);
    unique(choices.iter().map(|it| &it.name), pointer, refusals);
    for (at, choice) in choices.iter().enumerate() {
        labels(&choice.labels, &format!("{pointer}/{at}/labels"), refusals);
    }
}

fn condition(when: &When, above: &[Field], pointer: &str, refusals: &mut Vec<Refusal>) {
    let Some(field) = above.iter().find(|it| it.name == when.field) else {
        refusals.push(Refusal::new(format!("{pointer}/field"), "not_before"));
        return;
    };
    let options = |value: &Value| {
        let name = value.as_str().unwrap_or("");
        field.options.iter().any(|it| it.name.as_str() == name)
    };
    let fits: &dyn Fn(&Value) -> bool = match field.kind {
        FieldKind::YesNo => &Value::is_boolean,
        FieldKind::Choice | FieldKind::Choices => &options,
        kind => {
            let refusal = Refusal::new(format!("{pointer}/field"), "not_comparable");
            refusals.push(refusal.with("kind", kind.name()));
            return;
        }
    };
    if when.is.is_empty() {
        refusals.push(Refusal::new(format!("{pointer}/is"), "empty"));
    }
    at_most(&when.is, VALUES_OF_A_CONDITION_MAX, &format!("{pointer}/is"), refusals);
    for (at, value) in when.is.iter().enumerate() {
        if !fits(value) {
            refusals.push(Refusal::new(format!("{pointer}/is/{at}"), "not_an_option"));
        }
    }
}
