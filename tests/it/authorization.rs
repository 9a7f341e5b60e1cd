//! Who may do what. Every endpoint is tried by what it declares; that a declaration is widened shows as a
//! line of a snapshot's diff.

use am_http::{Access, Method};
use domain::Role;
use runtime::Endpoint;

use testing::world::{Call, Person, UNKNOWN_ID, World};

/// Every endpoint, in an order in which none takes away what the others are tried with.
fn endpoints() -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> =
        am_service::all().into_iter().filter_map(|it| it.endpoint).collect();
    all.retain(|endpoint| !endpoint.declaration.routes[0].is_others());
    all.sort_by_key(|endpoint| {
        let route = &endpoint.declaration.routes[0];
        // Another password ends what sessions may hand on.
        let last = ["/v1/session", "/v1/password"].iter().position(|path| *path == route.path);
        // What is inside of a thing goes before the thing.
        (route.method == Method::DELETE, last, std::cmp::Reverse(route.path))
    });
    all
}

fn route(endpoint: &Endpoint) -> String {
    endpoint.declaration.routes[0].key()
}

fn call(endpoint: &Endpoint) -> Call {
    Call::to(&route(endpoint))
}

#[test]
fn the_access_matrix() {
    let mut lines: Vec<String> = Vec::new();
    for endpoint in endpoints() {
        let access = match endpoint.access {
            Access::Anyone => "anyone".to_owned(),
            Access::Session(least) => least.to_string(),
        };
        let routes = endpoint.declaration.routes.iter();
        lines.extend(routes.map(|route| format!("{access:<8} {}", route.key())));
    }
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn without_a_session_nothing_but_the_public_is_answered() {
    let world = World::with_record().await;
    for endpoint in endpoints() {
        let answer = world.send(call(&endpoint).without_header("authorization")).await;
        let refused = answer.status() == 401 && answer.code() == "no_session";
        let demanded = endpoint.access != Access::Anyone;
        assert_eq!(refused, demanded, "{}: {answer:?}", route(&endpoint));
    }
}

#[tokio::test]
async fn another_customers_session_finds_nothing_and_changes_nothing() {
    let world = World::with_record().await;
    world.let_program_in(Role::Member, &[domain::Scope::Records]).await;
    let before = world.read_record(Person::A).await.body();
    for endpoint in endpoints().iter().filter(|it| it.access != Access::Anyone) {
        let (name, answer) = (route(endpoint), world.send(call(endpoint).by(Person::B)).await);
        let ids = || endpoint.declaration.routes[0].path_parameters();
        // A type has a name, and others may have one that is called so.
        if ids().any(|it| it != "type") {
            // Exactly as for ids that nobody has.
            let unknown = call(endpoint).by(Person::B);
            let unknown = ids().fold(unknown, |call, id| call.path(id, UNKNOWN_ID));
            assert_eq!(answer.status(), 404, "{name}");
            assert_eq!(answer.0, world.send(unknown).await.0, "{name}: tells them apart");
        } else {
            // Their own things, which are others: there is no id to ask for, or a name that they have too. To the other company, nobody switches.
            let refused = name == "PUT /v1/session" && answer.code() == "no_company";
            assert!(answer.status() < 300 || refused, "{name}: {answer:?}");
        }
    }
    assert_eq!(before, world.read_record(Person::A).await.body());
    let listed = world.send(Call::to("GET /v1/records").by(Person::A)).await.body();
    assert_eq!(listed["records"].as_array().unwrap().len(), 1, "B's own record is B's");
}

#[tokio::test]
async fn a_role_that_is_too_low_is_refused_and_the_lowest_that_suffices_is_not() {
    let world = World::with_record().await;
    world.let_program_in(Role::Member, &[domain::Scope::Records]).await;
    world.upload_photo().await;
    // Members change what they have said themselves.
    let said = Call::to("POST /v1/records/{record_id}/comments").by(Person::Member);
    assert_eq!(world.send(said.header("idempotency-key", "said")).await.status(), 201);
    for endpoint in endpoints() {
        let Access::Session(lowest) = endpoint.access else { continue };
        let name = route(&endpoint);
        for role in Role::ALL.into_iter().take_while(|role| *role < lowest) {
            let answer = world.send(call(&endpoint).by(Person::with_role(role))).await;
            assert_eq!(answer.problem(), (403, "role_too_low".into(), String::new()), "{name}");
        }
        let mut allowed = call(&endpoint).by(Person::with_role(lowest));
        if endpoint.declaration.parameters.iter().any(|it| it.name == "If-Match") {
            // Others have changed it on the way here.
            let current = world.send(allowed.clone().header("if-match", "\"9999\"")).await;
            if let Some(version) = current.body()["current_version"].as_u64() {
                allowed = allowed.header("if-match", &format!("\"{version}\""));
            }
        }
        if name == "POST /v1/records/{record_id}/comments" {
            allowed = allowed.without("id");
        }
        let answer = world.send(allowed).await;
        assert!(answer.status() < 300, "{name} as {lowest}: {answer:?}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_answered_like_one_that_nobody_has() {
    let world = World::with_record().await;
    let get = || Call::to("GET /v1/records/{record_id}");
    let unknown = world.send(get().path("record_id", UNKNOWN_ID)).await;
    for id in ["x", "01kez00000recrdaaaaaaaaaaa", "../accounts", "RECORD#1", "%00", ""] {
        let answer = world.send(get().path("record_id", id)).await;
        assert_eq!(answer.0, unknown.0, "{id:?}");
    }
}
