//! docs/openapi.json, the template and the endpoints say the same, and no answer is beyond it.

use std::collections::{BTreeMap, BTreeSet};

use am_http::{Access, Code, Parameter, Place, RequestBody};
use local::template::Template;
use runtime::Endpoint;
use serde_json::Value;
use testing::world::{Call, Person, UNKNOWN_ID, World, repository};

fn document() -> Value {
    let text = std::fs::read_to_string(repository().join("docs/openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn endpoints() -> impl Iterator<Item = Endpoint> {
    let all = am_service::all().into_iter().filter_map(|function| function.endpoint);
    all.filter(|endpoint| !endpoint.declaration.routes[0].is_others())
}

#[test]
fn the_description_in_docs_is_as_the_endpoints_declare() {
    let path = repository().join("docs/openapi.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, contract::text()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept == contract::text(), "run UPDATE_DOCS=1 cargo test --test it docs");
}

#[tokio::test]
async fn the_description_is_served_to_anyone() {
    let world = World::new().await;
    let answer = world.ask("GET /v1/openapi.json").await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, "application/json"));
    assert!(answer.body() == document(), "what is served is not docs/openapi.json");
}

#[test]
fn the_description_and_the_template_have_the_same_routes() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let template = Template::read(&repository().join("template.yaml")).unwrap();
    let routes = template.functions().unwrap();
    let routes = routes.iter().flat_map(|function| &function.routes);
    // What browsers ask beforehand is described nowhere, and pages are for people.
    let described_ones =
        |it: &&local::template::Route| it.path.starts_with("/v1/") && it.method != "OPTIONS";
    let routes = routes.filter(described_ones);
    let routes: BTreeSet<String> =
        routes.map(|it| format!("{} {}", it.method, it.path.replace("+}", "}"))).collect();
    assert_eq!(described, routes);
}

#[test]
fn functions_their_binaries_and_the_template_agree() {
    let template = Template::read(&repository().join("template.yaml")).unwrap();
    let declared: BTreeMap<String, BTreeSet<String>> = am_service::all()
        .into_iter()
        .map(|function| {
            let routes = function.endpoint.iter().flat_map(|it| it.declaration.routes);
            (function.name.to_owned(), routes.map(|route| route.key()).collect())
        })
        .collect();
    let served: BTreeMap<String, BTreeSet<String>> = template
        .functions()
        .unwrap()
        .into_iter()
        .map(|it| {
            let routes = it.routes.iter().map(|it| format!("{} {}", it.method, it.path)).collect();
            (it.binary, routes)
        })
        .collect();
    assert_eq!(declared, served);
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let bins: BTreeSet<&str> = manifest.split("\n[[bin]]\n").skip(1).map(str::trim).collect();
    for function in am_service::all() {
        let (name, folder) = (function.name, function.folder);
        let bin = format!(
            "name = \"{name}\"\npath = \"functions/{folder}/main.rs\"\nrequired-features = [\"bins\"]"
        );
        assert!(bins.contains(bin.as_str()), "Cargo.toml lacks the [[bin]] of {name}");
    }
    assert_eq!(bins.len(), declared.len(), "Cargo.toml has a [[bin]] that is no function");
}

/// The table of roles and routes: each role may what the lower ones may, so the lowest says it all.
#[test]
fn the_description_says_the_lowest_role_of_each_operation_as_the_code_has_it() {
    let (document, mut described) = (document(), BTreeMap::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let route = format!("{} {path}", method.to_uppercase());
            assert_eq!(
                operation["security"] == serde_json::json!([]),
                operation["x-role"].is_null(),
                "{route}"
            );
            described.insert(route, operation["x-role"].as_str().map(str::to_owned));
        }
    }
    let mut declared = BTreeMap::new();
    for endpoint in endpoints() {
        let role = match endpoint.access {
            Access::Anyone => None,
            Access::Session(least) => Some(least.to_string()),
        };
        let routes = endpoint.declaration.routes.iter();
        for route in routes.filter(|it| it.method != "OPTIONS" && it.path.starts_with("/v1/")) {
            declared.insert(route.key().replace("+}", "}"), role.clone());
        }
    }
    assert_eq!(described, declared);
}

/// What brings an endpoint to one of the problems that it declares by what it is, made of its own
/// event; `None` for those that are its own.
fn provoked(endpoint: &Endpoint, code: Code) -> Option<Call> {
    let declaration = &endpoint.declaration;
    let ok = || Call::to(&declaration.routes[0].key());
    let has =
        |parameter: &Parameter| declaration.parameters.iter().any(|it| it.name == parameter.name);
    Some(match code {
        Code::NO_SESSION => ok().without_header("authorization"),
        Code::ROLE_TOO_LOW => ok().by(Person::Viewer),
        Code::CROSS_SITE_REQUEST if endpoint.access == Access::Anyone => {
            ok().header("sec-fetch-site", "cross-site")
        }
        Code::CROSS_SITE_REQUEST => {
            let cookie = format!("__Host-session={}", Person::A.token().expose());
            ok().cookie(&cookie).header("sec-fetch-site", "cross-site")
        }
        Code::NOT_FOUND if declaration.routes[0].path_parameters().next().is_some() => {
            with_unknown_ids(ok(), endpoint)
        }
        Code::NOT_JSON => ok().header("content-type", "text/plain"),
        Code::MALFORMED_JSON => ok().raw_body("{"),
        Code::BODY_TOO_LARGE if matches!(declaration.body, RequestBody::Json(_)) => {
            ok().raw_body(&" ".repeat(am_http::REQUEST_BODY_BYTES_MAX + 1))
        }
        Code::INVALID_FIELD if matches!(declaration.body, RequestBody::Json(_)) => {
            ok().raw_body(r#"{"no_such_member": 1}"#)
        }
        Code::INVALID_FIELD if has(&Parameter::LIMIT) => ok().query("limit=0"),
        Code::INVALID_FIELD if has(&Parameter::CURSOR) => ok().query("cursor=%C3%A5"),
        Code::INVALID_FIELD => {
            let query = declaration.parameters.iter().find(|it| it.place == Place::Query)?;
            ok().query(&format!("{0}=0&{0}=0", query.name))
        }
        Code::KEY_MISSING => ok().without_header("idempotency-key"),
        Code::KEY_INVALID => ok().header("idempotency-key", "a b"),
        Code::IF_MATCH_REQUIRED => ok().without_header("if-match"),
        Code::STALE_VERSION => ok().header("if-match", "\"9999\""),
        _ => return None,
    })
}

/// Asks for things that nobody has.
fn with_unknown_ids(call: Call, endpoint: &Endpoint) -> Call {
    let names = endpoint.declaration.routes[0].path_parameters();
    names.fold(call, |call, name| call.path(name, UNKNOWN_ID))
}

#[test]
fn parts_of_paths_are_declared_and_no_others() {
    for endpoint in endpoints() {
        let declaration = &endpoint.declaration;
        let routes = declaration.routes.iter();
        let of_routes: BTreeSet<&str> = routes.flat_map(|route| route.path_parameters()).collect();
        let declared = declaration.parameters.iter().filter(|it| it.place == Place::Path);
        let declared: BTreeSet<&str> = declared.map(|it| it.name).collect();
        assert_eq!(declared, of_routes, "{}", declaration.name);
    }
}

/// The database fails or is asked for too much; requests meet in one moment.
const AT_NO_ONES_WILL: [&str; 4] =
    ["appendix_busy", "busy", "idempotency_key_in_use", "internal_error"];

/// What the other tests say, by which a code is known that one of them brings about.
fn other_tests() -> String {
    let files = std::fs::read_dir(repository().join("tests/it")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| {
        path.extension().is_some_and(|it| it == "rs") && !path.ends_with("contract.rs")
    });
    files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn every_problem_that_comes_with_a_declaration_is_given() {
    let (world, others) = (World::with_record().await, other_tests());
    let said = Call::to("POST /v1/records/{record_id}/comments").header("idempotency-key", "said");
    assert_eq!(world.send(said).await.status(), 201);
    for endpoint in endpoints() {
        let name = endpoint.declaration.routes[0].key();
        for code in endpoint.declaration.all_problems(endpoint.access) {
            let Some(call) = provoked(&endpoint, code) else {
                let is_tried = others.contains(&format!("\"{}\"", code.name));
                let is_tried = is_tried || AT_NO_ONES_WILL.contains(&code.name);
                assert!(is_tried, "{name}: nothing tries {}", code.name);
                continue;
            };
            // Both ask for no session and no JSON of ours: their own tests send what they refuse.
            if name == "POST /v1/sentry-hooks" || name == "POST /v1/crashes" {
                continue;
            }
            let answer = world.send(call).await;
            assert_eq!(answer.code(), code.name, "{name}: {answer:?}");
        }
    }
}
