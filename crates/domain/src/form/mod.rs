//! What the records of a type look like, in the customer's own words: fields of a closed list of kinds, states and the
//! ways between them, labels in each language. The client draws its forms from it, and both sides hold records against
//! it by the same rules: `vectors/fields.json` has the cases.

mod complete;
mod definition;
mod json_schema;
mod refusal;
mod starters;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

pub use refusal::{REFUSALS_MAX, Refusal};
pub use starters::starters;

use crate::text::{HelpText, Label, Name, NumberPrefix, UnitName};
use crate::{FromStored, Language, RecordType};

/// The fields, states and labels that records of one type have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub labels: Labels,
    /// What clients draw beside it, by a name that they know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Name>,
    /// Whether records are work that is done one day, or things that stay, such as machines.
    #[serde(default, skip_serializing_if = "Class::is_case")]
    pub class: Class,
    /// What the numbers of its records start with: DEV, as in DEV-1042. Without it, they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_prefix: Option<NumberPrefix>,
    /// New records begin in the first one. Without any, records are neither open nor closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Whether no new records are to be made of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retired: bool,
}

/// What a record is to whoever works with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Work that is done one day: an order, a deviation.
    #[default]
    Case,
    /// What stays, and what cases are about: a machine.
    Thing,
}

impl Class {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    const fn is_case(&self) -> bool {
        matches!(self, Self::Case)
    }
}

/// What something is called, in one language at least.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Labels {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sv: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub de: Option<Label>,
}

impl Labels {
    /// The label in this language, or else in whichever there is.
    pub fn in_language(&self, language: Language) -> Option<&Label> {
        let own = match language {
            Language::Sv => &self.sv,
            Language::En => &self.en,
            Language::De => &self.de,
        };
        own.as_ref().or(self.en.as_ref()).or(self.sv.as_ref()).or(self.de.as_ref())
    }
}

/// What explains a field, in any of the languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Help {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sv: Option<HelpText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<HelpText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub de: Option<HelpText>,
}

/// Where a record stands on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "FormState"))]
#[serde(deny_unknown_fields)]
pub struct State {
    pub name: Name,
    pub labels: Labels,
    /// Whether there is work left. Where there is none, all that is required must be there.
    pub open: bool,
    /// The states that may follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Name>,
}

/// Something to fill in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "FormField"))]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Of the member of `fields` that has its value.
    pub name: Name,
    pub labels: Labels,
    pub kind: FieldKind,
    #[serde(default, skip_serializing_if = "is_empty_help")]
    pub help: Help,
    /// Whether it must be there before the record leaves its open states; always, where there are no states.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Only then it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What a form starts with. It is for clients: the service adds nothing to what it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitName>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Most digits of a number behind the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Of a choice or of choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// Of a checklist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Choice>,
    /// Of a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Field>,
    /// Of which types a record is that is referred to; without, of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<RecordType>,
}

/// One of what can be chosen, or a line of a checklist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "FormChoice"))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub name: Name,
    pub labels: Labels,
}

/// That an earlier field has one of these values. Of choices, that one of them is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "FormCondition"))]
#[serde(deny_unknown_fields)]
pub struct When {
    pub field: Name,
    pub is: Vec<Value>,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Lines.
    LongText,
    Number,
    YesNo,
    /// One of the options, by its name.
    Choice,
    /// Some of the options, by their names.
    Choices,
    /// For each line a verdict (`ok`, `not_ok`, `not_applicable`) and a remark.
    Checklist,
    /// 2026-12-24
    Date,
    /// 07:30
    Time,
    /// Somebody of the company, by id.
    Person,
    /// Another record, by id.
    Record,
    /// What is printed on a thing as a bar code or QR code.
    Code,
    /// Appendices of the record, by their ids.
    Photo,
    /// An appendix of the record, by its id.
    Signature,
    /// Rows of columns.
    Table,
    /// Nothing: it stands above other fields.
    Heading,
    /// Of a later release: shown as it is, and anything is taken.
    #[serde(skip)]
    Unknown,
}

impl FieldKind {
    /// As it is sent: `long_text`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::LongText => "long_text",
            Self::Number => "number",
            Self::YesNo => "yes_no",
            Self::Choice => "choice",
            Self::Choices => "choices",
            Self::Checklist => "checklist",
            Self::Date => "date",
            Self::Time => "time",
            Self::Person => "person",
            Self::Record => "record",
            Self::Code => "code",
            Self::Photo => "photo",
            Self::Signature => "signature",
            Self::Table => "table",
            Self::Heading => "heading",
            Self::Unknown => "unknown",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_false(it: &bool) -> bool {
    !*it
}

fn is_empty_help(help: &Help) -> bool {
    *help == Help::default()
}

impl Form {
    /// The state that new records begin in.
    pub fn first_state(&self) -> Option<&State> {
        self.states.first()
    }

    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name.as_str() == name)
    }
}

/// A type of records as its customer defines it. What is stored is what was sent, with all of its members: a kind of
/// field of a later release is shown, and not lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    json: Map<String, Value>,
    form: Form,
}

impl Definition {
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// Of a sound form.
    ///
    /// # Errors
    /// All that makes no sense in it.
    pub fn new(form: Form) -> Result<Self, Vec<Refusal>> {
        let refusals = definition::check(&form);
        if !refusals.is_empty() {
            return Err(refusals);
        }
        match serde_json::to_value(&form) {
            Ok(Value::Object(json)) => Ok(Self { json, form }),
            _ => Err(vec![Refusal::new("", "wrong_type").with("expected", "object")]),
        }
    }
}

impl Serialize for Definition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Definition {
    /// What was stored, or answered, once.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from_stored)
    }
}

impl FromStored for Definition {
    type Form = Map<String, Value>;

    fn from_stored(json: Map<String, Value>) -> Self {
        let form = read_leniently(&json);
        Self { json, form }
    }
}

/// As much of a stored form as this release knows.
fn read_leniently(json: &Map<String, Value>) -> Form {
    fn member<T: serde::de::DeserializeOwned + Default>(
        json: &Map<String, Value>,
        name: &str,
    ) -> T {
        json.get(name).and_then(|it| serde_json::from_value(it.clone()).ok()).unwrap_or_default()
    }
    let list =
        |name| json.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (fields, states) = (list("fields"), list("states"));
    Form {
        labels: member(json, "labels"),
        icon: member(json, "icon"),
        class: member(json, "class"),
        number_prefix: member(json, "number_prefix"),
        states: states.iter().filter_map(state_leniently).collect(),
        fields: fields.iter().filter_map(field_leniently).collect(),
        retired: member(json, "retired"),
    }
}

/// What decides where a record may go, whatever else a later release says of a state.
fn state_leniently(json: &Value) -> Option<State> {
    let name = |it: &Value| serde_json::from_value::<Name>(it.clone()).ok();
    let next = json.get("next").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let labels = json.get("labels").and_then(|it| serde_json::from_value(it.clone()).ok());
    Some(State {
        name: name(json.get("name")?)?,
        labels: labels.unwrap_or_default(),
        open: json.get("open")?.as_bool()?,
        next: next.iter().filter_map(name).collect(),
    })
}

fn field_leniently(json: &Value) -> Option<Field> {
    if let Ok(field) = serde_json::from_value(json.clone()) {
        return Some(field);
    }
    let name = serde_json::from_value(json.get("name")?.clone()).ok()?;
    Some(Field::new(name, Labels::default(), FieldKind::Unknown))
}

impl Field {
    pub fn new(name: Name, labels: Labels, kind: FieldKind) -> Self {
        Self {
            name,
            labels,
            kind,
            help: Help::default(),
            required: false,
            when: None,
            default: None,
            unit: None,
            min: None,
            max: None,
            decimals: None,
            options: Vec::new(),
            lines: Vec::new(),
            columns: Vec::new(),
            record_types: Vec::new(),
        }
    }
}
