//! IAM's conditions, as far as the template has them, and what a request to DynamoDB says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::identity::fits;
use crate::values::text;

/// What IAM knows of a request, by its condition keys. What a request does not have is not there.
pub(crate) type Facts = BTreeMap<&'static str, Vec<String>>;

/// The attribute that is the partition key of each of our tables.
const PARTITION: &str = "pk";

/// What has to be so for a permission to hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    each: Each,
    test: Test,
    /// It holds as well where the request says nothing of it.
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// Of a key that has many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Each {
    One,
    All,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Test {
    Equals,
    Like,
    Null,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = match self.each {
            Each::One => "",
            Each::All => "each of ",
            Each::Any => "one of ",
        };
        let test = match self.test {
            Test::Equals => "is",
            Test::Like => "is like",
            Test::Null => "is absent:",
        };
        let if_there = if self.if_exists { ", if there," } else { "" };
        write!(f, "{each}{}{if_there} {test} {}", self.key, self.values.join("|"))
    }
}

impl Condition {
    /// Those of a statement; or the operator that is not known here.
    pub(crate) fn read(conditions: &Value) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for (operator, keys) in conditions.as_object().into_iter().flatten() {
            let (each, rest) = match operator.split_once(':') {
                None => (Each::One, operator.as_str()),
                Some(("ForAllValues", rest)) => (Each::All, rest),
                Some(("ForAnyValue", rest)) => (Each::Any, rest),
                Some(_) => return Err(operator.clone()),
            };
            let (name, if_exists) =
                rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
            let test = match name {
                "StringEquals" => Test::Equals,
                "StringLike" => Test::Like,
                "Null" => Test::Null,
                _ => return Err(operator.clone()),
            };
            for (key, values) in keys.as_object().into_iter().flatten() {
                let values = match values {
                    Value::Array(values) => values.iter().map(text).collect(),
                    one => vec![text(one)],
                };
                all.push(Self { each, test, if_exists, key: key.clone(), values });
            }
        }
        Ok(all)
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        let found = facts.get(self.key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let fits = |found: &String| {
            self.values.iter().any(|value| match self.test {
                Test::Like => fits(value, found),
                Test::Equals | Test::Null => value == found,
            })
        };
        match (self.test, self.each) {
            (Test::Null, _) => self.values.iter().any(|it| (it == "true") == found.is_empty()),
            // As IAM has it, all of no values fit.
            (_, Each::All) => found.iter().all(fits),
            (_, Each::Any) => found.iter().any(fits),
            (_, Each::One) => match found {
                [] => self.if_exists,
                [one] => fits(one),
                _ => false,
            },
        }
    }
}

/// What IAM knows of an operation, or of one write of a transaction.
pub(crate) fn facts_of(operation: &str, request: &Value) -> Facts {
    let mut facts = Facts::new();
    let keys = partitions(operation, request);
    if !keys.is_empty() {
        facts.insert("dynamodb:LeadingKeys", keys);
    }
    let attributes = attributes(request);
    if !attributes.is_empty() {
        facts.insert("dynamodb:Attributes", attributes.into_iter().collect());
    }
    let returns = request["ReturnValues"].as_str();
    if let Some(returns) = returns.or((operation == "UpdateItem").then_some("NONE")) {
        facts.insert("dynamodb:ReturnValues", vec![returns.to_owned()]);
    }
    facts
}

/// The partition keys of all that is asked for.
fn partitions(operation: &str, request: &Value) -> Vec<String> {
    let of = |item: &Value| item[PARTITION]["S"].as_str().map(str::to_owned);
    match operation {
        "BatchGetItem" => request["Keys"].as_array().into_iter().flatten().filter_map(of).collect(),
        "BatchWriteItem" => {
            let writes = request.as_array().into_iter().flatten();
            let items = writes
                .flat_map(|write| [&write["PutRequest"]["Item"], &write["DeleteRequest"]["Key"]]);
            items.filter_map(of).collect()
        }
        "Query" => queried(request).into_iter().collect(),
        _ => ["Item", "Key"].iter().filter_map(|name| of(&request[name])).collect(),
    }
}

/// The partition that a query is of: `#name = :value`, and perhaps more.
fn queried(request: &Value) -> Option<String> {
    let expression = request["KeyConditionExpression"].as_str()?;
    let words: Vec<&str> = expression.split_whitespace().collect();
    words.windows(3).find_map(|words| {
        let [name, "=", value] = words else { return None };
        let name = request["ExpressionAttributeNames"][*name].as_str().unwrap_or(name);
        let value = request["ExpressionAttributeValues"][*value]["S"].as_str()?;
        (name == PARTITION).then(|| value.to_owned())
    })
}

/// The top-level attributes that are written, read or looked at.
fn attributes(request: &Value) -> BTreeSet<String> {
    let members = |value: &Value| {
        value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let mut all: BTreeSet<String> =
        members(&request["Item"]).into_iter().chain(members(&request["Key"])).collect();
    let names = request["ExpressionAttributeNames"].as_object().into_iter().flatten();
    all.extend(names.map(|(_, name)| text(name)));
    // Who names one without a substitute.
    for expression in [
        "ConditionExpression",
        "FilterExpression",
        "KeyConditionExpression",
        "ProjectionExpression",
        "UpdateExpression",
    ] {
        let words = request[expression].as_str().unwrap_or_default();
        let words = words.split(|c: char| !(c.is_alphanumeric() || "_#:.".contains(c)));
        let names = words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        let names = names.filter(|word| !WORDS.iter().any(|it| it.eq_ignore_ascii_case(word)));
        all.extend(names.map(|name| name.split('.').next().unwrap_or(name).to_owned()));
    }
    all
}

/// What is no attribute's name in an expression.
const WORDS: [&str; 18] = [
    "ADD",
    "AND",
    "BETWEEN",
    "DELETE",
    "IN",
    "NOT",
    "OR",
    "REMOVE",
    "SET",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
    "S",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(conditions: &Value, facts: &[(&'static str, &[&str])]) -> bool {
        let facts = facts.iter().map(|(key, values)| {
            (*key, values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        });
        let facts: Facts = facts.collect();
        Condition::read(conditions).unwrap().iter().all(|it| it.holds(&facts))
    }

    #[test]
    fn a_condition_holds_as_iam_says() {
        let keys = "dynamodb:LeadingKeys";
        let all = json!({"ForAllValues:StringLike": {keys: ["A#*"]}});
        assert!(holds(&all, &[(keys, &["A#1", "A#2"])]));
        assert!(!holds(&all, &[(keys, &["A#1", "other"])]));
        // Of nothing, all fits: that is why the other one is needed.
        assert!(holds(&all, &[]));
        let there = json!({"Null": {keys: "false"}});
        assert!(holds(&there, &[(keys, &["x"])]) && !holds(&there, &[]));
        assert!(!holds(&json!({"Null": {keys: "true"}}), &[(keys, &["x"])]));
        let any = json!({"ForAnyValue:StringEquals": {keys: ["a", "b"]}});
        assert!(holds(&any, &[(keys, &["x", "b"])]) && !holds(&any, &[]));
        let one = json!({"StringEquals": {"k": "NONE"}});
        assert!(!holds(&one, &[]));
        let if_exists = json!({"StringEqualsIfExists": {"k": "NONE"}});
        assert!(
            holds(&if_exists, &[]) && Condition::read(&json!({"Bool": {"k": "true"}})).is_err()
        );
    }

    #[test]
    fn a_request_says_which_items_and_attributes_it_is_about() {
        let update = json!({
            "Key": {"pk": {"S": "A#1"}, "sk": {"S": "A"}},
            "UpdateExpression": "SET #used = :now, plain.deep = :x ADD count :one",
            "ConditionExpression": "attribute_exists(#pk) AND size(other) < :x",
            "ExpressionAttributeNames": {"#used": "used_at_ms", "#pk": "pk"},
        });
        let facts = facts_of("UpdateItem", &update);
        assert_eq!(facts["dynamodb:LeadingKeys"], ["A#1"]);
        let named = ["count", "other", "pk", "plain", "sk", "used_at_ms"];
        assert_eq!(facts["dynamodb:Attributes"], named);
        assert_eq!(facts["dynamodb:ReturnValues"], ["NONE"]);
        let query = json!({
            "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :start)",
            "ExpressionAttributeNames": {"#sk": "sk", "#pk": "pk"},
            "ExpressionAttributeValues": {":pk": {"S": "POLICY"}, ":start": {"S": "x"}},
        });
        assert_eq!(facts_of("Query", &query)["dynamodb:LeadingKeys"], ["POLICY"]);
        let batch = json!({"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]});
        assert_eq!(facts_of("BatchGetItem", &batch)["dynamodb:LeadingKeys"], ["a", "b"]);
    }
}
