//! What strangers send, changed at random: whatever it is, it is answered, and nothing panics. `FUZZ_SECONDS` says
//! for how long each target runs: a little in CI, an hour for a release. `SEED` repeats a run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use am_http::Cursor;
use backup::Manifest;
use crashes::{Address, Envelope, KnownProjects, unpack};
use domain::{RecordId, SessionToken};
use fastrand::Rng;
use serde_json::Value;

use testing::world::{Call, World};

const SECONDS_IN_CI: u64 = 15;

/// What breaks parsers, to be put in anywhere.
const SPLINTERS: [&[u8]; 22] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\n",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"../",
    b"%00",
    b"\x1f\x8b\x08",
    b"{\"a\":",
    b"[[[[[[[[[[[[[[[[",
];

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// For the time there is, `look` gets one of the seeds, changed. How often.
fn fuzz(name: &str, seeds: &[Vec<u8>], mut look: impl FnMut(&[u8])) {
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..));
    let seconds = variable("FUZZ_SECONDS").unwrap_or(SECONDS_IN_CI);
    println!("{name}: SEED={seed}");
    let (mut random, until) = (Rng::with_seed(seed), Instant::now() + Duration::from_secs(seconds));
    let mut runs = 0_u64;
    while Instant::now() < until {
        let input = changed(&mut random, seeds);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(&input)));
        if panicked.is_err() {
            panic!("{name}, run {runs}: {:?}", String::from_utf8_lossy(&input));
        }
        runs += 1;
    }
    println!("{name}: {runs} inputs in {seconds} s");
    assert!(runs > 100, "{name}: {runs} inputs");
}

/// One of the seeds with a few changes.
fn changed(random: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.choice(seeds).unwrap().clone();
    for _ in 0..random.usize(0..6) {
        let at = random.usize(0..=input.len());
        match random.u8(0..7) {
            0 if at < input.len() => input[at] ^= 1 << random.u8(0..8),
            1 => input.truncate(at),
            2 => {
                let end = (at + random.usize(0..16)).min(input.len());
                input.drain(at..end);
            }
            3 => {
                let splinter = random.choice(SPLINTERS).unwrap();
                input.splice(at..at, splinter.iter().copied());
            }
            4 => {
                let again = input[at..].to_vec();
                let end = again.len().min(random.usize(0..64));
                input.splice(at..at, again[..end].iter().copied());
            }
            5 => {
                let other = random.choice(seeds).unwrap();
                let from = random.usize(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let random = (0..random.usize(0..8)).map(|_| random.u8(..)).collect::<Vec<_>>();
                input.splice(at..at, random);
            }
        }
    }
    input
}

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn envelopes() {
    let known: KnownProjects = "https://public@o1.ingest.de.sentry.io/42".parse().unwrap();
    let event = testing::world::event("crashes/report/ok");
    let body = event["body"].as_str().unwrap().as_bytes().to_vec();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &body).unwrap();
    let mut seeds = texts(&["{}\n{\"type\":\"event\",\"length\":2}\n{}\n", "{\"dsn\":\"\"}\n"]);
    seeds.extend([body, packed.finish().unwrap()]);
    fuzz("envelopes", &seeds, |input| {
        for encoding in [None, Some("gzip"), Some("deflate"), Some("br")] {
            let Ok(body) = unpack(encoding, input) else { continue };
            for address in [Address::InHeaders, Address::Project("42", "public")] {
                if let Ok(envelope) = Envelope::read(&body, address, &known) {
                    let sent = envelope.to_bytes();
                    assert!(sent.len() <= body.len() + 64 * 1024, "more is sent on than has come");
                }
            }
        }
    });
}

#[test]
fn tokens_and_cursors() {
    let token = testing::world::Person::A.token().expose();
    let cursor = Cursor("01KEZ00000RECRDAAAAAAAAAAA").to_string();
    fuzz("tokens and cursors", &texts(&[&token, &cursor, "am1_", ""]), |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        if let Ok(token) = text.parse::<SessionToken>() {
            // What is taken is one token, however it is spelt.
            let again: SessionToken = token.expose().parse().unwrap();
            assert!(again.hash().to_string() == token.hash().to_string());
        }
        if let Ok(Cursor(record)) = text.parse::<Cursor<RecordId>>() {
            assert_eq!(Cursor(record).to_string().parse::<Cursor<RecordId>>().unwrap().0, record);
        }
    });
}

#[test]
fn manifests() {
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let manifest = executor.block_on(async {
        let world = World::with_record().await;
        backup::manifest(&world.operator, runtime::now()).await.unwrap().to_json()
    });
    fuzz("manifests", &[manifest, b"{}".to_vec()], |input| {
        if let Ok(manifest) = Manifest::from_json(input) {
            let again = Manifest::from_json(&manifest.to_json()).unwrap();
            assert_eq!(again.to_json(), manifest.to_json());
        }
    });
}

/// Through the very endpoints, each with what it takes.
#[test]
fn bodies() {
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = executor.block_on(World::with_record());
    let calls = [
        "POST /v1/customers",
        "POST /v1/sessions",
        "POST /v1/records",
        "PUT /v1/records/{record_id}",
        "POST /v1/records/{record_id}/appendices",
    ];
    let calls: Vec<Call> = calls.iter().map(|call| Call::to(call)).collect();
    let seeds: Vec<Vec<u8>> =
        calls.iter().map(|call| call.json["body"].as_str().unwrap().as_bytes().to_vec()).collect();
    let mut random = Rng::new();
    fuzz("bodies", &seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        let source = format!("10.{}.{}.{}", random.u8(..), random.u8(..), random.u8(..));
        let call = random.choice(&calls).unwrap().clone().raw_body(text).source(&source);
        let call = call.header("idempotency-key", &format!("fuzz-{}", random.u64(..)));
        let answer = executor.block_on(world.send(call));
        assert!(answer.status() < 500, "{answer:?}");
        if answer.status() >= 400 {
            let body: Value = answer.body();
            assert!(body["code"].is_string() && body["detail"].is_string(), "{body}");
        }
    });
}
