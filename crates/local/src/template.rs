//! template.yaml and the stacks nested in it, as far as the local cloud honours them. CloudFormation's
//! intrinsic functions are resolved as AWS would, with local names in place of generated ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::LocalError;
use crate::conditions::Condition;
use crate::yaml::{self, text};
use serde_json::{Map, Value, json};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "000000000000";

/// A stack: its resources in JSON, with intrinsic functions in their long form.
#[derive(Debug)]
pub struct Template {
    path: PathBuf,
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    globals: Value,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
    nested: BTreeMap<String, Template>,
}

/// An action and the resource that it is allowed on, and under which conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub action: String,
    /// A `*` stands for anything.
    pub resource: String,
    pub conditions: Vec<Condition>,
}

/// One function of the template.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub binary: String,
    pub environment: BTreeMap<String, String>,
    pub routes: Vec<Route>,
    /// EventBridge patterns.
    pub patterns: Vec<Value>,
    pub schedules: Vec<Schedule>,
    /// What its role allows.
    pub permissions: Vec<Permission>,
    pub timeout_s: u64,
}

/// The path of the route that takes what no other does.
pub const OTHERS: &str = "$default";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: String,
    pub path: String,
}

/// When EventBridge Scheduler runs a function, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// `cron(...)`
    pub expression: String,
    pub time_zone: String,
    pub input: String,
}

/// One resource of the wanted type: its name, as the local cloud knows it, and its properties.
#[derive(Clone, Debug)]
pub struct Resource {
    pub name: String,
    pub properties: Value,
}

impl Template {
    /// Reads the template at `path` and every stack that it nests.
    pub fn read(path: &Path) -> Result<Self, LocalError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LocalError::File { path: path.to_owned(), source })?;
        let bad = |what: String| LocalError::Template { path: path.to_owned(), what };
        let mut document = yaml::read(&text).map_err(|error| bad(error.to_string()))?;
        let mut section = |name: &str| match document.get_mut(name).map(Value::take) {
            Some(Value::Object(section)) => section,
            _ => Map::new(),
        };
        let (parameters, resources) = (section("Parameters"), section("Resources"));
        let conditions = section("Conditions");
        let (outputs, globals) = (section("Outputs"), Value::Object(section("Globals")));
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut nested = BTreeMap::new();
        for (name, resource) in &resources {
            if resource["Type"] == "AWS::Serverless::Application" {
                let location = resource["Properties"]["Location"].as_str();
                let location = location.ok_or_else(|| bad(format!("{name} has no Location")))?;
                nested.insert(name.clone(), Self::read(&folder.join(location))?);
            }
        }
        let path = path.to_owned();
        let mut read = Self { path, parameters, conditions, globals, resources, outputs, nested };
        read.bind();
        Ok(read)
    }

    /// Gives parameters other values than their defaults, as `--parameter-overrides` does.
    pub fn with_parameters(
        mut self,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, LocalError> {
        for (name, value) in overrides {
            let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
            let unknown = format!("there is no parameter {name}; there are {}", known.join(", "));
            let unknown = self.bad(unknown);
            let parameter = self.parameters.get_mut(name).ok_or(unknown)?;
            let allowed = parameter["AllowedValues"].as_array();
            if allowed.is_some_and(|allowed| !allowed.iter().any(|one| text(one) == *value)) {
                let allowed = parameter["AllowedValues"].to_string();
                return Err(self.bad(format!("the parameter {name} must be one of {allowed}")));
            }
            parameter["Default"] = json!(value);
        }
        self.bind();
        Ok(self)
    }

    /// Gives nested stacks the parameters that this one has for them. What one says of another comes
    /// with the second turn; what neither of them knows (the API's id) is of no use here.
    fn bind(&mut self) {
        for _ in 0..2 {
            let names: Vec<String> = self.nested.keys().cloned().collect();
            for name in names {
                let given = self.resources[&name]["Properties"]["Parameters"].clone();
                let given = given.as_object().into_iter().flatten();
                let given: Vec<(String, Value)> = given
                    .filter_map(|(name, value)| Some((name.clone(), self.resolve(value).ok()?)))
                    .collect();
                let nested = self.nested.get_mut(&name).expect("it is one of them");
                for (name, value) in given {
                    nested.parameters.insert(name, json!({ "Default": value }));
                }
                nested.bind();
            }
        }
    }

    /// Every function, in the order of their names.
    pub fn functions(&self) -> Result<Vec<Function>, LocalError> {
        self.of_type("AWS::Serverless::Function")
            .map(|(name, it)| self.function(name, it))
            .collect()
    }

    /// Every resource of a type, here and in nested stacks.
    pub fn resources(&self, kind: &str) -> Result<Vec<Resource>, LocalError> {
        let mut found = Vec::new();
        for (name, resource) in self.of_type(kind) {
            if let Some(condition) = resource["Condition"].as_str()
                && !self.condition(&json!({ "Condition": condition }))?
            {
                continue;
            }
            let properties = self.resolve(&resource["Properties"])?;
            found.push(Resource { name: self.physical_name(name), properties });
        }
        for nested in self.nested.values() {
            found.extend(nested.resources(kind)?);
        }
        Ok(found)
    }

    fn of_type(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.resources.iter().filter(move |(_, resource)| resource["Type"] == kind)
    }

    fn function(&self, name: &str, resource: &Value) -> Result<Function, LocalError> {
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str();
        let binary = binary.ok_or_else(|| self.bad(format!("{name} has no Binary")))?.to_owned();
        let properties = self.resolve(&resource["Properties"])?;
        let globals = self.resolve(&self.globals["Function"])?;

        let mut environment = BTreeMap::new();
        for source in [&globals, &properties] {
            for (key, value) in source["Environment"]["Variables"].as_object().into_iter().flatten()
            {
                environment.insert(key.clone(), text(value));
            }
        }
        let (mut routes, mut patterns, mut schedules) = (Vec::new(), Vec::new(), Vec::new());
        for event in properties["Events"].as_object().into_iter().flat_map(Map::values) {
            let it = &event["Properties"];
            match event["Type"].as_str() {
                Some("HttpApi") => {
                    // Without either, it takes what no other route does.
                    let or = |name: &str, or: &str| it[name].as_str().unwrap_or(or).to_owned();
                    routes.push(Route { method: or("Method", "ANY"), path: or("Path", OTHERS) });
                }
                Some("ScheduleV2") => schedules.push(Schedule {
                    expression: text(&it["ScheduleExpression"]),
                    time_zone: text(&it["ScheduleExpressionTimezone"]),
                    input: text(&it["Input"]),
                }),
                Some("EventBridgeRule") if it["State"] == "DISABLED" => {}
                Some("EventBridgeRule") => patterns.push(it["Pattern"].clone()),
                other => return Err(self.bad(format!("{name} has an event of type {other:?}"))),
            }
        }
        let timeout = properties["Timeout"].as_u64().or(globals["Timeout"].as_u64());
        let permissions = permissions(&properties["Policies"]).map_err(|operator| {
            self.bad(format!("{name}: the condition {operator} is not known here"))
        })?;
        let (name, timeout_s) = (name.to_owned(), timeout.unwrap_or(3));
        Ok(Function {
            name,
            binary,
            environment,
            routes,
            patterns,
            schedules,
            permissions,
            timeout_s,
        })
    }

    /// The value with every intrinsic function replaced by what it yields.
    fn resolve(&self, value: &Value) -> Result<Value, LocalError> {
        match value {
            Value::Object(map) if map.len() == 1 => match map.iter().next() {
                Some((name, of)) if name == "Ref" => self.reference(&text(of)).map(Value::String),
                Some((name, of)) if name == "Fn::GetAtt" => {
                    let parts: Vec<String> =
                        of.as_array().into_iter().flatten().map(text).collect();
                    self.attribute(&parts.join(".")).map(Value::String)
                }
                // What a text is put together from by parts is in no name that is used here.
                Some((name, of)) if name == "Fn::Sub" && of.is_string() => {
                    self.substitute(&text(of)).map(Value::String)
                }
                Some((name, of)) if name == "Fn::If" => {
                    let holds = self.condition(&json!({ "Condition": of[0] }))?;
                    self.resolve(&of[if holds { 1 } else { 2 }])
                }
                _ => self.resolve_members(map),
            },
            Value::Object(map) => self.resolve_members(map),
            Value::Array(items) => items
                .iter()
                .map(|item| self.resolve(item))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            other => Ok(other.clone()),
        }
    }

    fn resolve_members(&self, map: &Map<String, Value>) -> Result<Value, LocalError> {
        let member = |(name, value): (&String, &Value)| Ok((name.clone(), self.resolve(value)?));
        map.iter().map(member).collect::<Result<_, _>>().map(Value::Object)
    }

    /// Whether a condition holds: a name of one, or what stands in its place.
    fn condition(&self, of: &Value) -> Result<bool, LocalError> {
        let unknown = || self.bad(format!("this is no condition: {of}"));
        let (kind, operands) =
            of.as_object().and_then(|it| it.iter().next()).ok_or_else(unknown)?;
        let all = || operands.as_array().into_iter().flatten().map(|one| self.condition(one));
        match kind.as_str() {
            "Condition" => {
                self.condition(self.conditions.get(&text(operands)).ok_or_else(unknown)?)
            }
            "Fn::Equals" => {
                Ok(text(&self.resolve(&operands[0])?) == text(&self.resolve(&operands[1])?))
            }
            "Fn::Not" => self.condition(&operands[0]).map(|holds| !holds),
            "Fn::And" => all().try_fold(true, |so_far, one| Ok(so_far && one?)),
            "Fn::Or" => all().try_fold(false, |so_far, one| Ok(so_far || one?)),
            _ => Err(unknown()),
        }
    }

    fn reference(&self, name: &str) -> Result<String, LocalError> {
        match name {
            "AWS::Region" => Ok(REGION.to_owned()),
            "AWS::AccountId" => Ok(ACCOUNT.to_owned()),
            "AWS::Partition" => Ok("aws".to_owned()),
            "AWS::URLSuffix" => Ok("amazonaws.com".to_owned()),
            "AWS::StackName" => Ok("am-local".to_owned()),
            "AWS::StackId" => {
                Ok(format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/am-local/0"))
            }
            "AWS::NoValue" => Ok(String::new()),
            _ if self.resources.contains_key(name) => Ok(self.physical_name(name)),
            _ => match self.parameters.get(name) {
                Some(parameter) => Ok(text(&parameter["Default"])),
                None => Err(self.bad(format!("nothing is called {name}"))),
            },
        }
    }

    fn attribute(&self, path: &str) -> Result<String, LocalError> {
        let unknown = || self.bad(format!("nothing is called {path}"));
        let (name, attribute) = path.split_once('.').ok_or_else(unknown)?;
        if let (Some(nested), Some(output)) =
            (self.nested.get(name), attribute.strip_prefix("Outputs."))
        {
            let value = &nested.outputs.get(output).ok_or_else(unknown)?["Value"];
            return nested.resolve(value).map(|value| text(&value));
        }
        let kind = self.resources.get(name).ok_or_else(unknown)?["Type"].as_str();
        let physical = self.physical_name(name);
        match (kind.unwrap_or(""), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => {
                Ok(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}"))
            }
            ("AWS::Backup::BackupVault", "BackupVaultArn")
            | ("AWS::Backup::LogicallyAirGappedBackupVault", "BackupVaultArn") => {
                Ok(format!("arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:{physical}"))
            }
            ("AWS::Backup::RestoreTestingPlan", "RestoreTestingPlanArn") => {
                Ok(format!("arn:aws:backup:{REGION}:{ACCOUNT}:restore-testing-plan:{physical}"))
            }
            ("AWS::Backup::BackupPlan", "BackupPlanId") => Ok(physical),
            ("AWS::IAM::Role", "Arn") => Ok(format!("arn:aws:iam::{ACCOUNT}:role/{physical}")),
            ("AWS::S3::Bucket", "Arn") => Ok(format!("arn:aws:s3:::{physical}")),
            ("AWS::SQS::Queue", "Arn") => Ok(format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{physical}")),
            _ => Err(unknown()),
        }
    }

    fn substitute(&self, text: &str) -> Result<String, LocalError> {
        let mut done = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let unclosed = || self.bad(format!("a ${{ is not closed in {text}"));
            let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
            done.push_str(before);
            let known = name.contains("::") || !name.contains('.');
            done.push_str(&if known { self.reference(name)? } else { self.attribute(name)? });
            rest = after;
        }
        done.push_str(rest);
        Ok(done)
    }

    /// AWS makes a name up; ours is fixed, so that data is found again. Buckets are lower-case.
    fn physical_name(&self, logical: &str) -> String {
        match self.resources[logical]["Type"].as_str() {
            Some("AWS::S3::Bucket") => format!("am-local-{}", logical.to_ascii_lowercase()),
            _ => format!("am-local-{logical}"),
        }
    }

    fn bad(&self, what: String) -> LocalError {
        LocalError::Template { path: self.path.clone(), what }
    }
}

/// Each action on each resource, sorted.
fn permissions(policies: &Value) -> Result<Vec<Permission>, String> {
    let list = |value: &Value| match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other => vec![text(other)],
    };
    let mut all = Vec::new();
    for statement in policies
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|policy| policy["Statement"].as_array().into_iter().flatten())
    {
        let conditions = Condition::read(&statement["Condition"])?;
        for action in list(&statement["Action"]) {
            let resources = list(&statement["Resource"]).into_iter();
            all.extend(resources.map(|resource| Permission {
                action: action.clone(),
                resource,
                conditions: conditions.clone(),
            }));
        }
    }
    all.sort();
    Ok(all)
}
