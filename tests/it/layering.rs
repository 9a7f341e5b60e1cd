//! Rules of the repository: arrows point down, and each thing has one room.

use std::path::{Path, PathBuf};

use store::Kind;
use testing::world::repository;

/// Each crate, and the only ones of ours that it may depend on.
const LAYERS: [(&str, &[&str]); 12] = [
    ("crates/domain", &[]),
    ("crates/mail", &["domain"]),
    ("crates/passwords", &["domain"]),
    ("crates/store", &["domain", "passwords"]),
    ("crates/crashes", &["domain"]),
    ("crates/backup", &["domain", "store"]),
    ("crates/http", &["domain", "store"]),
    ("crates/runtime", &["am-http", "crashes", "domain", "mail", "passwords", "store"]),
    (".", &["am-http", "backup", "crashes", "domain", "mail", "passwords", "runtime", "store"]),
    ("crates/contract", &["am-http", "am-service", "domain", "runtime"]),
    ("crates/local", &["am-http", "am-service", "domain", "runtime"]),
    ("crates/testing", &["am-service", "domain", "local", "passwords", "runtime", "store"]),
];

const OURS: [&str; 12] = [
    "domain",
    "mail",
    "passwords",
    "store",
    "crashes",
    "backup",
    "am-http",
    "runtime",
    "am-service",
    "contract",
    "local",
    "testing",
];

/// The names below `[dependencies]` of a manifest.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(repository().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn arrows_only_point_down() {
    let crates = std::fs::read_dir(repository().join("crates")).unwrap().count();
    assert_eq!(crates + 1, LAYERS.len(), "a new crate needs a row");
    for (folder, allowed) in LAYERS {
        for dependency in dependencies(folder).iter().filter(|it| OURS.contains(&it.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{folder} depends on {dependency}");
        }
    }
}

#[test]
fn the_domain_knows_no_machinery() {
    for name in dependencies("crates/domain") {
        let machinery = ["aws-", "tokio", "lambda", "hyper", "getrandom"];
        assert!(!machinery.iter().any(|part| name.starts_with(part)), "domain depends on {name}");
    }
    for file in sources("crates/domain/src").into_iter().chain(sources("crates/store/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("SystemTime::now"), "{} reads a clock", file.display());
        assert!(!text.contains("std::env"), "{} reads the environment", file.display());
    }
}

#[test]
fn key_strings_are_built_in_one_place() {
    let prefixes = Kind::ALL.iter().map(|kind| kind.prefix());
    let spelled: Vec<String> =
        prefixes.chain(["ERASED", "SOURCE"]).map(|prefix| format!("\"{prefix}#")).collect();
    // Tests put items past every rule of the store.
    let tests = repository().join("crates/testing");
    let files = sources("crates").into_iter().chain(sources("functions"));
    for file in files.filter(|file| !file.starts_with(&tests)) {
        let text = std::fs::read_to_string(&file).unwrap();
        let found = spelled.iter().find(|prefix| text.contains(prefix.as_str()));
        let keys = file.starts_with(repository().join("crates/store/src/keys"));
        assert!(keys || found.is_none(), "{} spells {found:?}", file.display());
    }
}

#[test]
fn every_test_that_the_security_page_names_is_one() {
    let page = std::fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let tests = ["tests", "crates", "functions"].into_iter().flat_map(sources);
    let tests: String = tests.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let named = page.split('`').skip(1).step_by(2);
    let named: Vec<&str> =
        named.filter(|it| it.matches('_').count() > 2 && !it.contains('.')).collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        assert!(
            tests.contains(&format!("fn {name}()")),
            "docs/security.md: no test is called {name}"
        );
    }
}

/// The words of a file's `use` declarations of its own crate.
fn used_of_crate(text: &str) -> Vec<&str> {
    let uses = text.split("\nuse ").skip(1).filter_map(|rest| rest.split_once(';'));
    let own = uses
        .map(|(path, _)| path)
        .filter(|path| ["crate::", "super::"].iter().any(|start| path.starts_with(start)));
    own.flat_map(|path| path.split(|c: char| !c.is_alphanumeric() && c != '_')).collect()
}

/// The names that a room gives to the crate.
fn given_by<'a>(lib: &'a str, room: &str) -> Vec<&'a str> {
    let start = format!("\npub use {room}::");
    let given = lib.split(start.as_str()).skip(1).filter_map(|rest| rest.split_once(';'));
    given
        .flat_map(|(names, _)| names.split([',', '{', '}', ' ']))
        .filter(|it| !it.is_empty())
        .collect()
}

/// A handler cannot reach the operator's room, as a type (crates/store/src/lib.rs, crates/runtime/src/env.rs);
/// nor is there a way through what both rooms stand on.
#[test]
fn the_rooms_of_the_store_do_not_know_each_other() {
    let root = repository().join("crates/store/src/lib.rs");
    let lib = std::fs::read_to_string(&root).unwrap();
    assert_eq!(given_by(&lib, "tenant"), ["Store"]);
    for file in sources("crates/store/src").into_iter().filter(|file| *file != root) {
        let text = std::fs::read_to_string(&file).unwrap();
        let inside =
            |room: &str| file.starts_with(repository().join("crates/store/src").join(room));
        for room in ["operator", "tenant"].into_iter().filter(|room| !inside(room)) {
            let mut kept = given_by(&lib, room);
            kept.push(room);
            let found = used_of_crate(&text).into_iter().find(|word| kept.contains(word));
            assert!(found.is_none(), "{} uses {found:?}", file.display());
            let path = format!("crate::{room}");
            assert!(!text.contains(&path), "{} names {path}", file.display());
        }
        assert!(inside("operator") || !text.contains(".scan()"), "{} scans", file.display());
    }
}

/// What is built for a request gets an `Env`; only what an event starts may have an operator's.
#[test]
fn no_endpoint_makes_itself_an_operator() {
    for file in sources("functions") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(".scan()"), "{} scans", file.display());
        for way in ["OperatorEnv::new", "Env::new", "Operator::new", "Evidence::new"] {
            assert!(!text.contains(way), "{} uses {way}", file.display());
        }
    }
}

#[test]
fn files_and_mains_stay_short() {
    let files = ["crates", "functions", "tests", "benches"].into_iter().flat_map(sources);
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        let most = if file.ends_with("main.rs") && file.starts_with(repository().join("functions"))
        {
            14
        } else {
            400
        };
        assert!(lines <= most, "{} has {lines} lines", file.display());
    }
}

/// Every Rust file below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join(folder), &mut found);
    found
}
