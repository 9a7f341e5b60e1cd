//! What of each kind of item may stay. The words are those of Sentry's event payloads:
//! <https://develop.sentry.dev/sdk/foundations/transport/event-payloads/>

use serde_json::{Value, json};

use crate::keep::Keep::{self, Either, Exact, List, Object, Plain, Url};

/// What may stay of an item, by its kind; `None`: nothing. Left out as a whole are attachments, replays,
/// screenshots, feedback and logs, which show what a person did or wrote, and measurements.
pub(crate) fn of(kind: &str) -> Option<&'static Keep> {
    match kind {
        "event" => Some(&EVENT),
        "session" => Some(&SESSION),
        "sessions" => Some(&SESSIONS),
        "client_report" => Some(&CLIENT_REPORT),
        _ => None,
    }
}

/// What is said of an item of a kind, whatever it says itself: that nobody's network address is to be put
/// to an event, where Sentry would take ours.
pub(crate) fn finish(kind: &str, mut kept: Value) -> Value {
    if kind == "event" {
        let sdk = kept.get("sdk").filter(|sdk| sdk.is_object());
        let mut sdk = sdk.cloned().unwrap_or_else(|| json!({}));
        sdk["settings"] = json!({ "infer_ip": "never" });
        kept["sdk"] = sdk;
    }
    kept
}

pub(crate) static HEADERS: Keep = Object(&[("event_id", Plain), ("sent_at", Plain), ("sdk", SDK)]);

const PLAINS: Keep = List(&Plain);
const ANY_PLAIN: Keep = Keep::Map(&Plain);
const ANY_EXACT: Keep = Keep::Map(&Exact);

const SDK: Keep = Object(&[
    ("name", Exact),
    ("version", Exact),
    ("integrations", PLAINS),
    ("packages", List(&Object(&[("name", Exact), ("version", Exact)]))),
]);

/// Not kept: the person, request headers and bodies, variables, the machine's name, console output and
/// whatever the app has added of its own.
static EVENT: Keep = Object(&[
    ("event_id", Plain),
    ("timestamp", Plain),
    ("platform", Plain),
    ("level", Plain),
    ("logger", Plain),
    ("transaction", Url),
    ("release", Exact),
    ("dist", Exact),
    ("environment", Plain),
    ("fingerprint", PLAINS),
    ("type", Plain),
    ("modules", ANY_EXACT),
    ("tags", Keep::Tags(&Plain)),
    ("message", Either(&MESSAGE, &Plain)),
    ("logentry", MESSAGE),
    ("exception", List(&EXCEPTION)),
    ("threads", List(&THREAD)),
    ("stacktrace", STACK),
    ("debug_meta", DEBUG_META),
    ("sdk", SDK),
    ("contexts", CONTEXTS),
    ("breadcrumbs", List(&BREADCRUMB)),
    (
        // Sentry reads browser and system of a web client from its headers.
        "request",
        Object(&[("url", Url), ("method", Plain), ("headers", Object(&[("User-Agent", Exact)]))]),
    ),
]);

const MESSAGE: Keep = Object(&[("message", Plain), ("formatted", Plain)]);

const EXCEPTION: Keep = Object(&[
    ("type", Plain),
    ("value", Plain),
    ("module", Plain),
    ("thread_id", Plain),
    ("mechanism", MECHANISM),
    ("stacktrace", STACK),
]);

const MECHANISM: Keep = Object(&[
    ("type", Plain),
    ("handled", Plain),
    ("synthetic", Plain),
    ("description", Plain),
    ("source", Plain),
    ("exception_id", Plain),
    ("parent_id", Plain),
    ("is_exception_group", Plain),
    (
        "meta",
        Object(&[
            ("signal", ANY_PLAIN),
            ("mach_exception", ANY_PLAIN),
            ("ns_error", ANY_PLAIN),
            ("errno", ANY_PLAIN),
        ]),
    ),
]);

const THREAD: Keep = Object(&[
    ("id", Plain),
    ("crashed", Plain),
    ("current", Plain),
    ("main", Plain),
    ("state", Plain),
    ("held_locks", Keep::Map(&LOCK)),
    ("stacktrace", STACK),
]);

const LOCK: Keep = Object(&[
    ("type", Plain),
    ("address", Plain),
    ("package_name", Plain),
    ("class_name", Plain),
    ("thread_id", Plain),
]);

const STACK: Keep = Object(&[
    ("frames", List(&FRAME)),
    ("registers", ANY_PLAIN),
    ("snapshot", Plain),
    ("instruction_addr_adjustment", Plain),
]);

const FRAME: Keep = Object(&[
    ("filename", Url),
    ("abs_path", Url),
    ("function", Plain),
    ("raw_function", Plain),
    ("module", Plain),
    ("package", Plain),
    ("lineno", Plain),
    ("colno", Plain),
    ("in_app", Plain),
    ("pre_context", PLAINS),
    ("context_line", Plain),
    ("post_context", PLAINS),
    ("instruction_addr", Plain),
    ("addr_mode", Plain),
    ("symbol_addr", Plain),
    ("image_addr", Plain),
    ("platform", Plain),
    ("native", Plain),
    ("function_id", Plain),
    ("lock", LOCK),
]);

const DEBUG_META: Keep = Object(&[
    ("sdk_info", ANY_PLAIN),
    (
        "images",
        List(&Object(&[
            ("type", Plain),
            ("arch", Plain),
            ("uuid", Plain),
            ("code_id", Plain),
            ("code_file", Url),
            ("debug_id", Plain),
            ("debug_file", Url),
            ("debug_checksum", Plain),
            ("name", Url),
            ("image_addr", Plain),
            ("image_size", Plain),
            ("image_vmaddr", Plain),
        ])),
    ),
]);

const CONTEXTS: Keep = Object(&[
    ("os", OF_SOFTWARE),
    ("client_os", OF_SOFTWARE),
    ("runtime", OF_SOFTWARE),
    ("browser", OF_SOFTWARE),
    (
        "app",
        Object(&[
            ("type", Plain),
            ("app_identifier", Plain),
            ("app_name", Plain),
            ("app_version", Exact),
            ("app_build", Exact),
            ("build_type", Plain),
            ("in_foreground", Plain),
            ("app_start_time", Plain),
            ("app_memory", Plain),
            ("free_memory", Plain),
        ]),
    ),
    (
        // Not its name nor its id: "Eva's phone".
        "device",
        Object(&[
            ("type", Plain),
            ("family", Plain),
            ("model", Plain),
            ("model_id", Plain),
            ("class", Plain),
            ("arch", Plain),
            ("manufacturer", Plain),
            ("brand", Plain),
            ("simulator", Plain),
            ("orientation", Plain),
            ("online", Plain),
            ("charging", Plain),
            ("battery_level", Plain),
            ("low_memory", Plain),
            ("memory_size", Plain),
            ("free_memory", Plain),
            ("storage_size", Plain),
            ("free_storage", Plain),
            ("processor_count", Plain),
            ("screen_height_pixels", Plain),
            ("screen_width_pixels", Plain),
            ("screen_density", Plain),
        ]),
    ),
    (
        "trace",
        Object(&[
            ("type", Plain),
            ("trace_id", Plain),
            ("span_id", Plain),
            ("parent_span_id", Plain),
            ("op", Plain),
            ("status", Plain),
        ]),
    ),
]);

const OF_SOFTWARE: Keep = Object(&[
    ("type", Plain),
    ("name", Plain),
    ("version", Exact),
    ("build", Exact),
    ("kernel_version", Exact),
    ("rooted", Plain),
]);

/// What happened before, and where; not what was written or shown.
const BREADCRUMB: Keep = Object(&[
    ("timestamp", Plain),
    ("type", Plain),
    ("category", Plain),
    ("level", Plain),
    (
        "data",
        Object(&[
            ("method", Plain),
            ("url", Url),
            ("status_code", Plain),
            ("from", Url),
            ("to", Url),
            ("state", Plain),
        ]),
    ),
]);

const RELEASE: Keep = Object(&[("release", Exact), ("environment", Plain)]);

static SESSION: Keep = Object(&[
    ("sid", Plain),
    ("seq", Plain),
    ("init", Plain),
    ("started", Plain),
    ("timestamp", Plain),
    ("duration", Plain),
    ("status", Plain),
    ("errors", Plain),
    ("abnormal_mechanism", Plain),
    ("attrs", RELEASE),
]);

static SESSIONS: Keep = Object(&[
    (
        "aggregates",
        List(&Object(&[
            ("started", Plain),
            ("exited", Plain),
            ("errored", Plain),
            ("abnormal", Plain),
            ("crashed", Plain),
        ])),
    ),
    ("attrs", RELEASE),
]);

const DISCARDED: Keep =
    List(&Object(&[("reason", Plain), ("category", Plain), ("quantity", Plain)]));

static CLIENT_REPORT: Keep = Object(&[
    ("timestamp", Plain),
    ("discarded_events", DISCARDED),
    ("rate_limited_events", DISCARDED),
    ("filtered_events", DISCARDED),
    ("filtered_sampling_events", DISCARDED),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_of_an_event_stays_that_is_not_listed() {
        let event = json!({
            "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
            "timestamp": 1_768_464_000.123_456,
            "user": {"id": "7", "name": "Eva Ek", "email": "eva@example.com", "ip_address": "{{auto}}"},
            "server_name": "evas-laptop",
            "release": "app@1.0.0",
            "extra": {"note": "Eva said so"},
            "request": {
                "url": "https://app.example.com/records?email=eva@example.com#eva",
                "headers": {"Cookie": "session=am1_x", "User-Agent": "Mozilla/5.0 Chrome/120.0.0.0"}, "data": "Eva", "method": "POST",
            },
            "tags": {"line": "7", "user.name": "Eva Ek", "customerName": "Eva", "lastname": "Ek", "contact2Name": "Eva", "users": "Eva", "phoneNumber": "070 Eva", "seen by": "eva@example.com", "deep": {}},
            "contexts": {
                "device": {"name": "Eva's phone", "model": "Pixel 8", "id": "a-b"},
                "os": {"name": "Android", "version": "15.0.0.1"},
                "of our own": {"who": "Eva"},
            },
            "breadcrumbs": {"values": [
                {"category": "console", "message": "hello Eva", "data": {"arguments": ["Eva"]}},
                {"category": "fetch", "data": {"method": "GET", "url": "/v1/records?q=Eva", "status_code": 200}},
                {"category": "ui.click", "message": "button[aria-label=\"Eva Ek\"]"},
            ]},
            "exception": {"values": [{
                "type": "TypeError",
                "value": "no field of eva@example.com in /home/eva/records",
                "stacktrace": {"frames": [{
                    "filename": "app:///main.js", "abs_path": "/Users/eva/app/main.js?for=eva",
                    "function": "open", "lineno": 12, "vars": {"name": "Eva Ek"},
                }]},
            }]},
            "threads": {"values": [{"id": 1, "name": "Eva's", "crashed": true}]},
            "_meta": {"Eva": 1},
        });
        let kept = finish("event", EVENT.apply(event));
        let text = kept.to_string();
        assert!(!text.to_lowercase().contains("eva"), "{text}");
        insta::assert_snapshot!(serde_json::to_string_pretty(&kept).unwrap());
    }

    #[test]
    fn tags_may_be_pairs() {
        let tags = json!([["line", "7"], ["user", "Eva"], ["x"], 7, [1, 2]]);
        assert_eq!(Keep::Tags(&Plain).apply(tags), json!({"line": "7"}));
    }

    #[test]
    fn what_has_another_form_does_not_stay() {
        for event in [
            json!({"exception": "Eva"}),
            json!({"exception": {"values": "Eva"}}),
            json!({"exception": ["Eva", null, [["Eva"]]], "level": {"Eva": 1}}),
            json!({"request": ["Eva"], "tags": "Eva", "contexts": {"os": "Eva"}}),
            json!({"message": {"params": ["Eva"]}, "logentry": "Eva"}),
        ] {
            let kept = EVENT.apply(event).to_string();
            assert!(!kept.contains("Eva"), "{kept}");
        }
    }

    #[test]
    fn sessions_stay_without_who_had_them() {
        let session = json!({
            "sid": "1", "did": "eva", "status": "crashed",
            "attrs": {"release": "app@1", "ip_address": "192.0.2.7", "user_agent": "x"},
        });
        let kept = json!({"sid": "1", "status": "crashed", "attrs": {"release": "app@1"}});
        assert_eq!(SESSION.apply(session), kept);
        let sessions = json!({
            "aggregates": [{"started": "2026-01-15T17:00:00Z", "did": "eva", "exited": 3}],
            "attrs": {"release": "app@1"},
        });
        let kept = json!({
            "aggregates": [{"started": "2026-01-15T17:00:00Z", "exited": 3}],
            "attrs": {"release": "app@1"},
        });
        assert_eq!(SESSIONS.apply(sessions), kept);
    }
}
