//! What each company has used, for invoices: its people, its programs, and what it keeps, as it is at the moment. For an
//! operator, by IAM; nothing of the API leads here. Asked for at the end of each month, it is that month's; as CSV, a line a
//! company, for whatever writes invoices.

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{CustomerRow, Operator};

/// What the operator sends: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {}

#[derive(Serialize)]
pub struct Outcome {
    /// When it was so.
    at: Timestamp,
    csv: String,
}

/// The first line.
const HEAD: &str = "customer;name;since;suspended;people;programs;bytes;versions;records";

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "export-usage",
    build: |env| env.operator(),
    handle: |operator, _| Box::pin(async move { handle(operator, runtime::now()).await }),
};

async fn handle(operator: &Operator, now: Timestamp) -> Result<Outcome, EventError> {
    let mut csv = format!("{HEAD}\n");
    for row in operator.customers().await? {
        csv.push_str(&line(&row));
    }
    Ok(Outcome { at: now, csv })
}

fn line(row: &CustomerRow) -> String {
    let CustomerRow { id, profile, people, programs, used } = row;
    let name = cell(profile.content.name.as_str());
    let (since, suspended) = (profile.created_at, profile.content.suspended.is_some());
    let store::Usage { bytes, versions, records } = used;
    format!("{id};{name};{since};{suspended};{people};{programs};{bytes};{versions};{records}\n")
}

/// A text as a cell: no program that opens it takes it for a formula.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '＝', '＋', '－', '＠']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_name_is_one_cell_and_no_formula() {
        for (text, expected) in [
            ("Verkstad AB", "\"Verkstad AB\""),
            ("A; \"B\"", "\"A; \"\"B\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("＝1", "\"'＝1\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
