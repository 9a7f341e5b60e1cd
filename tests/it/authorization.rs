//! Who may do what. A route without a row here fails the build.

use domain::Role;
use local::template::Template;

use testing::world::{Event, Person, World, repository};

/// What a stranger with a valid session of another customer sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stranger {
    /// 404, exactly as for an id that nobody has.
    NotFound,
    /// Their own things, which are others: there is no id to ask for.
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Access {
    Public,
    From(Role, Stranger),
}

use Access::{From, Public};
use Role::{Admin, Member, Viewer};
use Stranger::{NotFound, Own};

/// Every function behind the API, and who may call it.
const ACCESS: [(&str, Access); 19] = [
    ("get_policy", Public),
    ("get_requirements", Public),
    ("report_crash", Public),
    // Sentry alone, by its signature; it has no session.
    ("receive_sentry_hook", Public),
    ("create_customer", Public),
    ("create_session", Public),
    ("get_session", From(Viewer, Own)),
    ("create_record", From(Member, Own)),
    ("list_records", From(Viewer, Own)),
    ("get_record", From(Viewer, NotFound)),
    ("update_record", From(Member, NotFound)),
    ("list_revisions", From(Viewer, NotFound)),
    ("add_appendix", From(Member, NotFound)),
    ("add_appendix_version", From(Member, NotFound)),
    ("list_appendices", From(Viewer, NotFound)),
    ("get_appendix", From(Viewer, NotFound)),
    ("delete_appendix", From(Admin, NotFound)),
    // Last: they end what the others are tried with.
    ("delete_record", From(Admin, NotFound)),
    ("delete_session", From(Viewer, Own)),
];

#[test]
fn every_route_has_an_authorization_case() {
    let template = Template::read(&repository().join("template.yaml")).unwrap();
    let functions = template.functions().unwrap();
    let with_routes = functions.iter().filter(|function| !function.routes.is_empty());
    let mut routed: Vec<String> = with_routes.map(|it| it.binary.replace('-', "_")).collect();
    let mut cased: Vec<String> = ACCESS.iter().map(|(name, _)| (*name).to_owned()).collect();
    routed.sort();
    cased.sort();
    assert_eq!(routed, cased);
}

fn event(function: &str) -> Event {
    Event::load(&format!("{function}/ok"))
}

#[tokio::test]
async fn without_a_session_nothing_but_the_public_is_answered() {
    let world = World::with_record().await;
    for (function, access) in ACCESS {
        let answer = world.send(event(function).without_header("authorization")).await;
        let refused = answer.status() == 401 && answer.code() == "no_session";
        assert_eq!(refused, access != Public, "{function}: {answer:?}");
    }
}

#[tokio::test]
async fn another_customers_session_finds_nothing_and_changes_nothing() {
    let world = World::with_record().await;
    let unknown_id = "01KEZ00000RECRDZZZZZZZZZZZ";
    let before = world.read_record(Person::A).await.body();
    for (function, access) in ACCESS {
        let From(_, stranger) = access else { continue };
        let answer = world.send(event(function).by(Person::B)).await;
        match stranger {
            NotFound => {
                let unknown = event(function).by(Person::B).path("record_id", unknown_id);
                assert_eq!(answer.status(), 404, "{function}");
                assert_eq!(answer.0, world.send(unknown).await.0, "{function}: tells them apart");
            }
            Own => assert!(answer.status() < 300, "{function}: {answer:?}"),
        }
    }
    assert_eq!(before, world.read_record(Person::A).await.body());
    let listed = world.send(event("list_records").by(Person::A)).await.body();
    assert_eq!(listed["records"].as_array().unwrap().len(), 1, "B's own record is B's");
}

#[tokio::test]
async fn a_role_that_is_too_low_is_refused_and_the_lowest_that_suffices_is_not() {
    let world = World::with_record().await;
    for (function, access) in ACCESS {
        let From(lowest, _) = access else { continue };
        if function == "get_appendix" {
            continue; // Needs bytes; `viewers_read_appendices` has it.
        }
        for role in Role::ALL.into_iter().take_while(|role| *role < lowest) {
            let answer = world.send(event(function).by(Person::with_role(role))).await;
            assert_eq!(answer.problem(), (403, "role_too_low".into(), String::new()), "{function}");
        }
        let answer = world.send(event(function).by(Person::with_role(lowest))).await;
        assert!(answer.status() < 300, "{function} as {lowest}: {answer:?}");
    }
}

#[tokio::test]
async fn viewers_read_appendices() {
    let world = World::with_record().await;
    // The viewer's appendix is there and its bytes are not: everything but the role was checked.
    let answer = world.send(event("get_appendix").by(Person::Viewer)).await;
    assert_eq!(answer.code(), "appendix_not_stored");
}

#[tokio::test]
async fn an_id_that_is_none_is_answered_like_one_that_nobody_has() {
    let world = World::with_record().await;
    let unknown =
        world.send(event("get_record").path("record_id", "01KEZ00000RECRDZZZZZZZZZZZ")).await;
    for id in ["x", "01kez00000recrdaaaaaaaaaaa", "../accounts", "RECORD#1", "%00", ""] {
        let answer = world.send(event("get_record").path("record_id", id)).await;
        assert_eq!(answer.0, unknown.0, "{id:?}");
    }
}

#[test]
fn every_function_has_an_event_and_every_event_a_function() {
    let mut expected: Vec<&str> = am_service::all().iter().map(|it| it.folder).collect();
    let mut found = Vec::new();
    for subject in std::fs::read_dir(repository().join("events")).unwrap() {
        let subject = subject.unwrap().path();
        for folder in
            subject.is_dir().then(|| std::fs::read_dir(&subject).unwrap()).into_iter().flatten()
        {
            let folder = folder.unwrap().path();
            let folder = folder.strip_prefix(repository().join("events")).unwrap();
            found.push(folder.to_str().unwrap().to_owned());
        }
    }
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
