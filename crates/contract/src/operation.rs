//! One operation: a route of an endpoint.

use am_http::{
    Access, Answer, Code, Declaration, Method, Parameter, Place, RequestBody, ResponseHeader,
    Route, StatusCode,
};
use runtime::Function;
use serde_json::{Map, Value, json};

use crate::schemas::Schemas;

/// Statuses that API Gateway answers with too, in its own words.
const OF_THE_GATEWAY: [u16; 6] = [404, 413, 429, 500, 503, 504];
/// Of these, what it answers to any request at all.
const AT_ANY_TIME: [(&str, &str); 3] = [
    ("429", "Too many requests are made at the same time."),
    ("503", "The service does not answer."),
    ("504", "The answer takes too long: it may have been done."),
];

/// The answers of API Gateway to any request, as components.
pub fn of_the_gateway() -> Value {
    let answer = |(status, meaning)| {
        let schema = json!({ "$ref": "#/components/schemas/GatewayMessage" });
        let content = json!({ "application/json": { "schema": schema } });
        (format!("Gateway{status}"), json!({ "description": meaning, "content": content }))
    };
    Value::Object(AT_ANY_TIME.map(answer).into_iter().collect())
}

pub struct Operation<'a> {
    folder: &'a str,
    pub declaration: &'a Declaration,
    access: Access,
    pub route: &'a Route,
    /// Which of the endpoint's routes it is.
    index: usize,
}

impl<'a> Operation<'a> {
    pub fn all(function: &'a Function) -> Vec<Self> {
        let Some(endpoint) = &function.endpoint else { return Vec::new() };
        // What browsers ask beforehand is between them and us.
        let described = |it: &&Route| !it.is_others() && it.method != Method::OPTIONS;
        let routes = endpoint.declaration.routes.iter().filter(described).enumerate();
        let operation = |(index, route)| Self {
            folder: function.folder,
            declaration: &endpoint.declaration,
            access: endpoint.access,
            route,
            index,
        };
        routes.map(operation).collect()
    }

    /// As OpenAPI spells it, which knows no parts that take all that is left.
    pub fn path(&self) -> String {
        self.route.path.replace("+}", "}")
    }

    pub fn method(&self) -> String {
        self.route.method.as_str().to_ascii_lowercase()
    }

    /// `getRecord`
    pub fn id(&self) -> String {
        let mut words = self.declaration.name.split('-');
        let mut id = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (first, rest) = word.split_at(1);
            id.push_str(&first.to_ascii_uppercase());
            id.push_str(rest);
        }
        if self.index > 0 { format!("{id}{}", self.index + 1) } else { id }
    }

    pub fn describe(&self, schemas: &mut Schemas) -> Value {
        let declaration = self.declaration;
        let mut described = json!({
            "operationId": self.id(),
            "tags": [self.folder.split('/').next()],
            "summary": declaration.summary,
            "security": self.security(),
        });
        let role = match self.access {
            Access::Anyone => "For anyone.".to_owned(),
            Access::Session(least) => format!("For the role {least} and higher."),
        };
        described["description"] = json!(role);
        // For programs: a client shows what a person may do.
        described["x-role"] = match self.access {
            Access::Anyone => Value::Null,
            Access::Session(least) => json!(least),
        };
        // And what an API token needs; null: it is for people alone.
        described["x-scope"] = match self.access {
            Access::Anyone => Value::Null,
            Access::Session(_) => json!(domain::Scope::of(self.route.path)),
        };
        let mut parameters: Vec<Value> = Vec::new();
        let here: Vec<&str> = self.route.path_parameters().collect();
        for parameter in declaration.parameters {
            if parameter.place != Place::Path || here.contains(&parameter.name) {
                parameters.push(described_parameter(parameter, schemas));
            }
        }
        if !parameters.is_empty() {
            described["parameters"] = json!(parameters);
        }
        match &declaration.body {
            RequestBody::None => {}
            RequestBody::Json(of) => {
                let content = json!({ "application/json": { "schema": schemas.sent(*of) } });
                described["requestBody"] = json!({ "required": true, "content": content });
            }
            RequestBody::Raw { media_type, meaning } => {
                described["requestBody"] = json!({
                    "required": true,
                    "description": meaning,
                    "content": { *media_type: { "schema": { "type": "string" } } },
                });
            }
        }
        let mut responses = Map::new();
        for answer in declaration.answers {
            let response = described_answer(answer, schemas);
            responses.insert(answer.status.as_u16().to_string(), response);
        }
        for (status, codes) in by_status(declaration.all_problems(self.access)) {
            responses.insert(status.as_u16().to_string(), described_problems(status, &codes));
        }
        for (status, _) in AT_ANY_TIME {
            let name = format!("#/components/responses/Gateway{status}");
            responses.entry(status).or_insert_with(|| json!({ "$ref": name }));
        }
        described["responses"] = Value::Object(responses);
        described
    }

    fn security(&self) -> Value {
        match self.access {
            Access::Anyone => json!([]),
            Access::Session(_) => json!([{ "token": [] }, { "cookie": [] }]),
        }
    }
}

fn described_parameter(parameter: &Parameter, schemas: &mut Schemas) -> Value {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({
        "name": parameter.name,
        "in": place,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": schemas.sent(parameter.content),
    })
}

fn described_answer(answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut response = json!({ "description": answer.meaning });
    if let Some(of) = answer.content {
        let content = json!({ "application/json": { "schema": schemas.answered(of) } });
        response["content"] = content;
    }
    if !answer.headers.is_empty() {
        response["headers"] = described_headers(answer.headers);
    }
    response
}

fn described_headers(headers: &[ResponseHeader]) -> Value {
    let described = headers.iter().map(|header| {
        let it = json!({ "description": header.meaning, "schema": { "type": "string" } });
        (header.name.to_owned(), it)
    });
    Value::Object(described.collect())
}

fn by_status(codes: Vec<Code>) -> Vec<(StatusCode, Vec<Code>)> {
    let mut groups: Vec<(StatusCode, Vec<Code>)> = Vec::new();
    for code in codes {
        match groups.last_mut() {
            Some((status, group)) if *status == code.status => group.push(code),
            _ => groups.push((code.status, vec![code])),
        }
    }
    groups
}

fn described_problems(status: StatusCode, codes: &[Code]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    let meanings: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.name, code.meaning)).collect();
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Problem" }],
        "properties": { "status": { "const": status.as_u16() }, "code": { "enum": names } },
    });
    let mut content = json!({ "application/problem+json": { "schema": schema } });
    if OF_THE_GATEWAY.contains(&status.as_u16()) {
        let schema = json!({ "$ref": "#/components/schemas/GatewayMessage" });
        content["application/json"] = json!({ "schema": schema });
    }
    let mut described = json!({ "description": meanings.join("\n\n"), "content": content });
    let headers: &[ResponseHeader] = match status {
        StatusCode::UNAUTHORIZED => &[AUTHENTICATE],
        StatusCode::PRECONDITION_FAILED => &[ResponseHeader::ETAG],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => &[RETRY_AFTER],
        _ => &[],
    };
    if !headers.is_empty() {
        described["headers"] = described_headers(headers);
    }
    described
}

const AUTHENTICATE: ResponseHeader =
    ResponseHeader { name: "WWW-Authenticate", meaning: "The one scheme for programs." };
const RETRY_AFTER: ResponseHeader =
    ResponseHeader { name: "Retry-After", meaning: "After how many seconds to try again." };
