//! The table of faults: what is done to a copy, and what has to be found.

use backup::Cause;
use domain::{Revision, Timestamp, UserId};
use serde_json::json;

use testing::world::{APPENDIX, RECORD};

/// Customer A.
pub const A: &str = "01KEZ00000CSTMRAAAAAAAAAAA";
/// Customer B, who has erased a record.
pub const B: &str = "01KEZ00000CSTMRBBBBBBBBBBB";
const STRAY: &str = "RECORD#01KEZ00000RECRDQQQQQQQQQQQ";

/// A table or bucket, and what it is called in reports.
#[derive(Clone, Copy)]
pub struct Copy(pub &'static str, pub &'static str);

pub const RECORDS: Copy = Copy("am-local-RecordsTable", "records");
pub const ACCOUNTS: Copy = Copy("am-local-AccountsTable", "accounts");
pub const LOGINS: Copy = Copy("am-local-LoginsTable", "logins");
pub const SESSIONS: Copy = Copy("am-local-SessionsTable", "sessions");
pub const LEDGER: Copy = Copy("am-local-LedgerTable", "ledger");
pub const APPENDICES: Copy = Copy("am-local-appendicesbucket", "appendices");
pub const EVIDENCE: Copy = Copy("am-local-evidencebucket", "evidence");

/// One fault.
pub struct Row {
    pub what: &'static str,
    pub copy: Copy,
    /// What is done to the copy.
    pub sql: String,
    /// What is found, and how often.
    pub causes: Vec<(Cause, u64)>,
    /// The key of something found, or nothing where several may be named.
    pub key: String,
}

/// A's items with this sort key.
fn of(sort: &str) -> String {
    format!("item LIKE '%\"{A}\"%' AND item LIKE '%\"{sort}\"%'")
}

fn current() -> String {
    of(&format!("RECORD#{RECORD}"))
}

fn revision_key(n: u32) -> String {
    format!("REVISION#RECORD#{RECORD}#{n:010}")
}

fn revision(n: u32) -> String {
    of(&revision_key(n))
}

/// A revision that is as it was written, of a record that A never had.
fn stray_revision() -> String {
    stray(1_700_000_000_000, &format!("REVISION#{STRAY}#0000000001"))
}

/// The same of a time that is to come, and the record: they agree with each other.
fn young_strays() -> String {
    let insert = |sort: &str| {
        format!("INSERT INTO items VALUES ('x', 'x', '{}')", stray(4_000_000_000_000, sort))
    };
    format!("{}; {}", insert(&format!("REVISION#{STRAY}#0000000001")), insert(STRAY))
}

fn stray(created_ms: i64, sort: &str) -> String {
    let user: UserId = "01KEZ00000PERSNAAAAAAAAAAA".parse().unwrap();
    let (created, content) = (Timestamp::from_millis(created_ms), "{}");
    let digest = Revision::first((), user, created).digest(&format!("{A}/{STRAY}"), content);
    json!({
        "pk": {"S": A},
        "sk": {"S": sort},
        "version": {"N": "1"},
        "created_at_ms": {"N": created_ms.to_string()},
        "created_by": {"S": user.to_string()},
        "changed_at_ms": {"N": created_ms.to_string()},
        "changed_by": {"S": user.to_string()},
        "content": {"S": content},
        "digest": {"S": digest.to_string()},
    })
    .to_string()
}

/// The login of A's owner.
fn login() -> String {
    "item LIKE '%\"01KEZ00000PERSNAAAAAAAAAAA\"%'".to_owned()
}

/// Puts revision 1 where the thing is: it looks as it did before its last change.
fn set_back() -> String {
    let first = revision(1);
    let old = format!("replace(item, '{}', 'RECORD#{RECORD}')", revision_key(1));
    format!("UPDATE items SET item = (SELECT {old} FROM items WHERE {first}) WHERE {}", current())
}

fn delete(items: &str) -> String {
    format!("DELETE FROM items WHERE {items}")
}

fn replace(items: &str, from: &str, to: &str) -> String {
    format!("UPDATE items SET item = replace(item, '{from}', '{to}') WHERE {items}")
}

fn set(items: &str, item: &str) -> String {
    format!("UPDATE items SET item = {item} WHERE {items}")
}

/// Every fault, a row each.
pub fn all() -> Vec<Row> {
    use Cause::{Altered, AlteredAppendix, Dangling, Diverged, Extra, Missing, Older, Orphan};

    let row = |copy, what, sql: String, causes: &[(Cause, u64)], key: String| Row {
        what,
        copy,
        sql,
        causes: causes.to_vec(),
        key,
    };
    let records = |what, sql, causes: &[_], key| row(RECORDS, what, sql, causes, key);
    let thing = format!("{A}/RECORD#{RECORD}");
    let rev = |n| format!("{A}/{}", revision_key(n));
    let object = format!("{A}/{RECORD}/{APPENDIX}/1");
    let any = String::new;
    let comment = format!("COMMENT#{RECORD}#01KEZ00000CMMNTAAAAAAAAAAA");
    let said = format!("{A}/{comment}");
    let (first, second, now) = (revision(1), revision(2), current());
    let history = format!("item LIKE '%\"{A}\"%' AND item LIKE '%RECORD#{RECORD}%'");
    let foreign = format!("item LIKE '%\"{B}\"%' AND item LIKE '%\"{}\"%'", revision_key(1));
    vec![
        // Records, appendices and their history.
        records("a revision is missing", delete(&first), &[(Missing, 1)], rev(1)),
        records("the newest revision is missing", delete(&second), &[(Missing, 1)], rev(2)),
        records("a thing is missing", delete(&now), &[(Missing, 1)], thing.clone()),
        records("a thing and all of it are missing", delete(&history), &[(Missing, 3)], rev(1)),
        records("a thing is as it was before", set_back(), &[(Older, 1)], thing.clone()),
        records(
            "the last change is missing",
            format!("{}; {}", set_back(), delete(&second)),
            &[(Missing, 1), (Older, 1)],
            thing.clone(),
        ),
        records(
            "the content of a revision is other",
            replace(&first, "Spricka", "Sprucka"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "the content of a thing is other",
            replace(&now, "title", "titel"),
            &[(Altered, 1)],
            thing.clone(),
        ),
        records(
            "the digest of a revision is other",
            set(&first, "json_set(item, '$.digest.S', '00')"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "the time of a revision is other",
            set(&first, "json_set(item, '$.changed_at_ms.N', '32503680000000')"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "the author of a revision is other",
            set(&first, "json_set(item, '$.changed_by.S', '01KEZ00000PERSNBBBBBBBBBBB')"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "what was deleted is there again",
            set(
                "item LIKE '%\"deleted\"%' AND item NOT LIKE '%REVISION#%'",
                "json_remove(item, '$.deleted')",
            ),
            &[(Altered, 1)],
            format!("{B}/RECORD#{RECORD}"),
        ),
        records(
            "a revision lacks an attribute",
            set(&first, "json_remove(item, '$.content')"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "a thing lacks an attribute",
            set(&now, "json_remove(item, '$.version')"),
            &[(Altered, 1)],
            thing.clone(),
        ),
        records(
            "a revision would expire",
            set(&first, "json_set(item, '$.expires_at', json_object('N', '1'))"),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "a revision is somebody else's",
            set(&first, &format!("(SELECT replace(item, '{B}', '{A}') FROM items WHERE {foreign})")),
            &[(Altered, 1)],
            rev(1),
        ),
        records(
            "a revision was never there",
            format!("INSERT INTO items VALUES ('x', 'x', '{}')", stray_revision()),
            &[(Extra, 1)],
            format!("{A}/REVISION#{STRAY}#0000000001"),
        ),
        records(
            "a record that is younger than the cut was never there",
            young_strays(),
            &[(Diverged, 1)],
            format!("{A}/REVISION#{STRAY}#0000000001"),
        ),
        records(
            "an item is none of ours",
            format!(
                "INSERT INTO items VALUES ('x', 'x', '{}')",
                json!({"pk": {"S": A}, "sk": {"S": "NOTE#1"}})
            ),
            &[(Altered, 1)],
            format!("{A}/NOTE#1"),
        ),
        records(
            "a customer is missing",
            delete(&format!("item LIKE '%\"{A}\"%'")),
            &[(Missing, 10)],
            thing,
        ),
        // Customers, users and logins.
        row(
            ACCOUNTS,
            "a user is missing",
            delete(&of("USER#01KEZ00000PERSNAAAAAAAAAAA")),
            &[(Missing, 1)],
            format!("{A}/USER#01KEZ00000PERSNAAAAAAAAAAA"),
        ),
        records("a comment is missing", delete(&of(&comment)), &[(Missing, 1)], said.clone()),
        records(
            "the history of a comment is missing",
            delete(&of(&format!("REVISION#{comment}#0000000001"))),
            &[(Missing, 1)],
            format!("{A}/REVISION#{comment}#0000000001"),
        ),
        records(
            "a comment says something else",
            replace(&of(&comment), "since Monday", "since Sunday"),
            &[(Altered, 1)],
            said,
        ),
        row(
            ACCOUNTS,
            "a type is missing",
            delete(&of("TYPE#machine")),
            &[(Missing, 1)],
            format!("{A}/TYPE#machine"),
        ),
        row(
            ACCOUNTS,
            "the history of a type is missing",
            delete(&of("REVISION#TYPE#machine#0000000001")),
            &[(Missing, 1)],
            format!("{A}/REVISION#TYPE#machine#0000000001"),
        ),
        row(
            ACCOUNTS,
            "a field of a type is another one",
            replace("item LIKE '%\"TYPE#machine\"%'", "serial_number", "serial_nember"),
            &[(Altered, 2)],
            any(),
        ),
        row(
            ACCOUNTS,
            "a role is raised",
            replace("item LIKE '%\"USER#01KEZ00000PERSNVV%'", "viewer", "owner"),
            &[(Altered, 1)],
            any(),
        ),
        row(
            LOGINS,
            "a login is missing",
            delete(&login()),
            &[(Missing, 1)],
            any(),
        ),
        row(
            LOGINS,
            "a login has no password hash",
            set(&login(), "json_remove(item, '$.password_hash')"),
            &[(Missing, 1)],
            any(),
        ),
        row(
            LOGINS,
            "a login opens another account",
            replace(&login(), A, B),
            &[(Extra, 1)],
            any(),
        ),
        row(
            LOGINS,
            "an account has a second login",
            "INSERT INTO items SELECT 'x', 'x', replace(item, 'LOGIN#', 'LOGIN#0') FROM items \
             LIMIT 1"
                .to_owned(),
            &[(Altered, 1)],
            any(),
        ),
        // What passes, and what was noted.
        row(
            SESSIONS,
            "sessions cannot be read",
            replace("item LIKE '%\"SESSION#%'", "SESSION#", "SEZZION#"),
            &[(Altered, 6)],
            any(),
        ),
        row(
            LEDGER,
            "an erasure is forgotten",
            delete("item LIKE '%ERASED#%'"),
            &[(Missing, 1)],
            format!("ERASED#{B}/RECORD#{RECORD}"),
        ),
        row(
            LEDGER,
            "an earlier run was another",
            set(
                "rowid IN (SELECT min(rowid) FROM items WHERE item LIKE '%\"RUN#%')",
                "json_set(item, '$.revisions.N', '1')",
            ),
            &[(Altered, 1)],
            any(),
        ),
        // Bytes.
        row(
            APPENDICES,
            "bytes are missing",
            "DELETE FROM objects".to_owned(),
            &[(Dangling, 1)],
            object.clone(),
        ),
        row(
            APPENDICES,
            "bytes are other ones",
            "UPDATE objects SET file = '../other'".to_owned(),
            &[(AlteredAppendix, 1)],
            object.clone(),
        ),
        row(
            APPENDICES,
            "bytes are nobody's",
            "INSERT INTO objects SELECT replace(key, '/1', '/2'), bytes, content_type, file FROM \
             objects"
                .to_owned(),
            &[(Orphan, 1)],
            object.replace("/1", "/2"),
        ),
        row(
            APPENDICES,
            "a key is none of ours",
            "INSERT INTO objects SELECT 'stray.txt', bytes, content_type, file FROM objects"
                .to_owned(),
            &[(Orphan, 1)],
            "stray.txt".to_owned(),
        ),
        row(
            EVIDENCE,
            "an earlier manifest is missing",
            "DELETE FROM objects WHERE key IN (SELECT min(key) FROM objects WHERE key LIKE \
             'manifests/%')"
                .to_owned(),
            &[(Missing, 1)],
            any(),
        ),
        row(
            EVIDENCE,
            "the newest manifest is other",
            "UPDATE objects SET file = '../other' WHERE key IN (SELECT max(key) FROM objects WHERE \
             key LIKE 'manifests/%')"
                .to_owned(),
            &[(Altered, 1)],
            any(),
        ),
    ]
}
