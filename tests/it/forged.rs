//! What the key of a function lets somebody do who has got hold of it, and why: `forging.rs` tries it all.

use std::collections::BTreeSet;

/// What is done, by whom, and why that is so.
pub const DONE: &[(&str, &[&str], &str)] = &[
    (
        "a session",
        &["create-session", "switch-company"],
        "they start them, for whoever has logged in or switches",
    ),
    (
        "that a session was used",
        &[],
        "each in `openers`; worthless: a session that lacks the rest opens nothing",
    ),
    ("the end of a session", &ENDS_SESSIONS, "they end them; whoever lost one logs in again"),
    (
        "more tries of a source",
        &[
            "accept-invitation",
            "ask-for-reset",
            "ask-to-sign-up",
            "change-password",
            "create-customer",
            "create-invitation",
            "create-session",
            "join-company",
            "report-crash",
        ],
        "they count",
    ),
    (
        "a token",
        &["create-session", "create-token", "switch-company"],
        "they make them, or write sessions: with a user, who is found by the evening, a program works as that user",
    ),
    (
        "a link to sign up",
        &[
            "ask-for-reset",
            "ask-to-sign-up",
            "create-session",
            "make-sign-up-token",
            "switch-company",
        ],
        "they make them, or write sessions: a company can be signed up under an address that has no account",
    ),
    (
        "a record",
        &CHANGES,
        "they write what customers keep: found by the evening, undone by a restore",
    ),
    (
        "an erasure",
        &[
            "delete-appendix",
            "delete-comment",
            "delete-record",
            "make-changes",
            "remove-person",
            "revoke-token",
        ],
        "as above: an erasure without its tombstone rings",
    ),
    (
        "a user",
        &[
            "accept-invitation",
            "change-customer",
            "change-person",
            "create-customer",
            "create-invitation",
            "create-token",
            "create-type",
            "forget-person",
            "join-company",
            "remove-person",
            "revoke-token",
            "set-quota",
            "suspend-customer",
            "withdraw-invitation",
            "update-type",
        ],
        "they write who belongs to a company and who is invited: found by the evening, undone by a restore; by itself \
         it opens nothing, for nobody logs in as such a user without a login, and no program is one without a token",
    ),
    (
        "a login",
        &["accept-invitation", "create-customer"],
        "who signs up or comes in has a login: a stranger's that is lost breaks the chain",
    ),
    (
        "a password, by an update",
        &["change-password", "create-session", "reset-password"],
        "they set passwords, or renew hashes that are outdated",
    ),
    (
        "the end of a user",
        &["forget-person"],
        "forgets cards; a user that is lost breaks the chain",
    ),
    (
        "the end of a login",
        &["forget-person"],
        "forgets names; a login that is lost breaks the chain",
    ),
    ("how the policy is kept", &NOTES, "each notes its own promise"),
    (
        "an evening",
        &[
            "acknowledge-chain",
            "forget-person",
            "open-backup-run",
            "record-backup-job",
            "verify-restore",
        ],
        "the rows of an evening: the next one rings for those without a manifest",
    ),
    (
        "a link of the chain",
        &[
            "acknowledge-chain",
            "forget-person",
            "open-backup-run",
            "record-backup-job",
            "verify-restore",
        ],
        "as above: shown to everybody, as a break",
    ),
    (
        "a place in a list",
        &[
            "build-index",
            "create-record",
            "delete-record",
            "index-words",
            "make-changes",
            "patch-record",
            "restore-record",
            "restore-service",
            "update-record",
        ],
        "worthless: a list shows what the records of its own customer say",
    ),
    (
        "the end of a place in a list",
        &[
            "create-record",
            "delete-record",
            "index-words",
            "make-changes",
            "patch-record",
            "restore-record",
            "restore-service",
            "update-record",
        ],
        "a record is still there, and in the other list; build-index lists it again",
    ),
    (
        "a pointer of the feed",
        &[
            "accept-invitation",
            "add-appendix",
            "add-appendix-version",
            "build-index",
            "change-person",
            "create-record",
            "create-token",
            "create-type",
            "delete-appendix",
            "delete-record",
            "index-words",
            "join-company",
            "list-changes",
            "add-comment",
            "delete-comment",
            "edit-comment",
            "make-changes",
            "patch-record",
            "remove-person",
            "restore-record",
            "restore-service",
            "revoke-token",
            "store-appendix",
            "update-record",
            "update-type",
        ],
        "devices look at a thing of their own customer; what is hidden from them so is still listed",
    ),
    (
        "the end of a lane",
        &[
            "accept-invitation",
            "add-appendix",
            "add-appendix-version",
            "change-person",
            "create-record",
            "create-token",
            "create-type",
            "delete-appendix",
            "delete-record",
            "join-company",
            "add-comment",
            "delete-comment",
            "edit-comment",
            "make-changes",
            "patch-record",
            "remove-person",
            "restore-record",
            "restore-service",
            "revoke-token",
            "store-appendix",
            "update-record",
            "update-type",
        ],
        "devices are told to list everything again, or find the lane too short and are told that",
    ),
    ("a restore", &["restore-service"], "for an operator alone"),
    ("crashes deleted", &["settle-crashes"], "it deletes them"),
    ("other bytes of an appendix", &["restore-service"], "brings lost bytes back; versions stay"),
    (
        "an appendix hidden",
        &["restore-service", "store-appendix"],
        "frees keys, takes away what came too late; versions stay",
    ),
    (
        "a manifest",
        &["open-backup-run", "trace-chain", "verify-restore"],
        "once, of a key that is free",
    ),
];

/// Each function that opens a session, and the one that looks whether one is there still.
pub fn openers() -> BTreeSet<&'static str> {
    let opens = |function: &runtime::Function| {
        let endpoint = function.endpoint.as_ref();
        endpoint.is_some_and(|it| it.access != am_http::Access::Anyone)
    };
    let all = am_service::all().into_iter().filter(opens).map(|it| it.name);
    all.chain(["create-session"]).collect()
}

const ENDS_SESSIONS: [&str; 6] = [
    "change-password",
    "create-session",
    "delete-session",
    "end-sessions",
    "reset-password",
    "suspend-customer",
];

/// Each that changes what customers keep.
const CHANGES: [&str; 13] = [
    "add-appendix",
    "add-appendix-version",
    "add-comment",
    "create-record",
    "delete-appendix",
    "delete-comment",
    "delete-record",
    "edit-comment",
    "make-changes",
    "patch-record",
    "restore-record",
    "store-appendix",
    "update-record",
];

/// Each that says how a promise is kept.
const NOTES: [&str; 6] = [
    "acknowledge-chain",
    "audit-backups",
    "open-backup-run",
    "restore-service",
    "settle-crashes",
    "verify-restore",
];
