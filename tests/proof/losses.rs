//! What can happen to the data in use, behind the service's back.

use aws_sdk_dynamodb::types::AttributeValue;
use testing::forge::{Item, redigest, rewrite, set_number, set_text, text};
use testing::operator;
use testing::world::{RECORD, World};

use crate::faults::{A, B};

pub const RECORDS: &str = "RECORDS_TABLE";
pub const ACCOUNTS: &str = "ACCOUNTS_TABLE";
pub const LOGINS: &str = "LOGINS_TABLE";
pub const LEDGER: &str = "LEDGER_TABLE";
/// A record that A never had.
pub const STRAY: &str = "RECORD#01KEZ00000RECRDQQQQQQQQQQQ";
/// A colleague of A's owner.
pub const VIEWER: &str = "USER#01KEZ00000PERSNVVVVVVVVVVV";

/// What A's machines look like.
pub const MACHINE: &str = "TYPE#machine";

#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// All that is in a table.
    Table(&'static str),
    /// All records of a customer.
    Customer(&'static str),
    /// One revision of A's record.
    Record(u32),
    /// The record itself, and not its revisions.
    Thing,
    /// A record with all of its revisions.
    Everything,
    /// The first item that starts so, of a partition; RECORD#X is A's record.
    Item(&'static str, &'static str, &'static str),
    /// The content of a record, with digests made anew.
    Content,
    SwappedContents,
    /// The record stands at its first revision again.
    SetBack,
    /// The time of a revision: it would be young.
    Redated,
    /// The digest does not fit any more.
    Damaged,
    /// A record that says it is as old as another.
    Backdated,
    /// A revision more of a record, from before.
    AnotherRevision,
    /// A record of one customer, given to another.
    Moved,
    /// What was erased is there again.
    Restored,
    Manifest,
    AlteredManifest,
    StrayManifest,
    Report,
    AlteredReport,
    Run,

    Author,
    Role,
    /// What a company's machines look like, with digests made anew.
    Form,
    Login,
    Password,
    ForeignLogin,
    Object,
    AlteredObject,
}

pub fn revision(record: &str, version: u32) -> String {
    format!("REVISION#RECORD#{record}#{version:010}")
}

pub async fn happen(world: &World, loss: Loss) {
    let cloud = &world.cloud;
    let (thing, first) = (format!("RECORD#{RECORD}"), revision(RECORD, 1));
    let second = revision(RECORD, 2);
    let delete = async |table, partition: &str, sort: &str| {
        operator::delete_item(cloud, table, partition, sort).await;
    };
    let of = async |table, (partition, sort): (&str, &str)| {
        operator::item(cloud, table, (partition, sort)).await
    };
    match loss {
        Loss::Table(table) => operator::empty_table(cloud, table).await,
        Loss::Customer(customer) => {
            for item in operator::items(cloud, RECORDS).await {
                if text(&item, "pk") == customer {
                    delete(RECORDS, customer, &text(&item, "sk")).await;
                }
            }
        }
        Loss::Record(version) => delete(RECORDS, A, &revision(RECORD, version)).await,
        Loss::Thing => delete(RECORDS, A, &thing).await,
        Loss::Everything => {
            for sort in [&thing, &first, &second] {
                delete(RECORDS, A, sort).await;
            }
        }
        Loss::Item(table, partition, sort) => {
            delete(table, partition, &sort.replace("RECORD#X", &thing)).await;
        }
        Loss::Content => {
            for sort in [&thing, &second] {
                rewrite(cloud, RECORDS, (A, sort), |item| {
                    set_text(item, "content", "{\"type\":\"note\",\"title\":\"Nothing\"}");
                })
                .await;
            }
        }
        Loss::SwappedContents => {
            let one = text(&of(RECORDS, (A, &first)).await, "content");
            let two = text(&of(RECORDS, (A, &second)).await, "content");
            rewrite(cloud, RECORDS, (A, &first), |item| set_text(item, "content", &two)).await;
            for sort in [&thing, &second] {
                rewrite(cloud, RECORDS, (A, sort), |item| set_text(item, "content", &one)).await;
            }
        }
        Loss::SetBack => {
            let mut item = of(RECORDS, (A, &first)).await;
            set_text(&mut item, "sk", &thing);
            operator::put_item(cloud, RECORDS, item).await;
        }
        Loss::Redated => {
            for sort in [&thing, &second] {
                rewrite(cloud, RECORDS, (A, sort), |item| {
                    set_number(item, "changed_at_ms", 4_000_000_000_000);
                })
                .await;
            }
        }
        Loss::Damaged => {
            operator::alter_a_revision(cloud, A, "changed_at_ms", Some("1")).await;
        }
        Loss::Backdated => {
            for (from, to) in [(&thing, STRAY), (&second, &*format!("REVISION#{STRAY}#0000000001"))]
            {
                copy(world, (A, from), (A, to), 1).await;
            }
        }
        Loss::AnotherRevision => {
            copy(world, (A, &second), (A, &revision(RECORD, 3)), 3).await;
            copy(world, (A, &second), (A, &thing), 3).await;
        }
        Loss::Moved => {
            let (there, revision_there) = (STRAY, format!("REVISION#{STRAY}#0000000001"));
            copy(world, (A, &first), (B, &revision_there), 1).await;
            copy(world, (A, &first), (B, there), 1).await;
            for sort in [&thing, &first, &second] {
                delete(RECORDS, A, sort).await;
            }
        }
        Loss::Restored => {
            for sort in [&thing, &second] {
                rewrite(cloud, RECORDS, (B, sort), |item| {
                    item.remove("deleted");
                })
                .await;
            }
        }
        Loss::Manifest | Loss::AlteredManifest | Loss::StrayManifest => {
            evidence(world, "manifests/", loss).await;
        }
        Loss::Report | Loss::AlteredReport => evidence(world, "verifications/", loss).await,
        Loss::Run => {
            let rows = operator::items(cloud, LEDGER).await;
            let row = rows.iter().find(|row| text(row, "sk").starts_with("RUN#")).unwrap();
            delete(LEDGER, "BACKUPS", &text(row, "sk")).await;
        }
        Loss::Author => {
            rewrite(cloud, RECORDS, (A, &first), |item| {
                set_text(item, "changed_by", "01KEZ00000PERSNBBBBBBBBBBB");
            })
            .await;
        }
        Loss::Role => {
            for sort in [VIEWER, &format!("REVISION#{VIEWER}#0000000001")] {
                rewrite(cloud, ACCOUNTS, (A, sort), |item| {
                    let content = text(item, "content").replace("viewer", "owner");
                    set_text(item, "content", &content);
                })
                .await;
            }
        }
        Loss::Form => {
            for sort in [MACHINE, &format!("REVISION#{MACHINE}#0000000001")] {
                rewrite(cloud, ACCOUNTS, (A, sort), |item| {
                    let content = text(item, "content").replace("\"thing\"", "\"case\"");
                    set_text(item, "content", &content);
                })
                .await;
            }
        }
        Loss::Login | Loss::Password | Loss::ForeignLogin => {
            let all = operator::items(cloud, LOGINS).await;
            let mut login = all.into_iter().find(|it| text(it, "customer_id") == A).unwrap();
            match loss {
                Loss::Login => delete(LOGINS, &text(&login, "pk"), "LOGIN").await,
                Loss::Password => {
                    login.remove("password_hash");
                    operator::put_item(cloud, LOGINS, login).await;
                }
                _ => {
                    set_text(&mut login, "customer_id", B);
                    operator::put_item(cloud, LOGINS, login).await;
                }
            }
        }
        Loss::Object | Loss::AlteredObject => {
            let (_, key, _) = operator::newest_version(cloud, "APPENDICES_BUCKET").await;
            operator::hide_object(cloud, &key).await;
            if matches!(loss, Loss::AlteredObject) {
                operator::put_object(cloud, &key, b"a photo of a crock".to_vec()).await;
            }
        }
    }
}

/// Copies a record or a revision to another place, as another version, with the digest that belongs there.
async fn copy(world: &World, from: (&str, &str), (partition, sort): (&str, &str), version: u32) {
    let mut item: Item = operator::item(&world.cloud, RECORDS, from).await;
    set_text(&mut item, "pk", partition);
    set_text(&mut item, "sk", sort);
    item.insert("version".to_owned(), AttributeValue::N(version.to_string()));
    redigest(&mut item);
    operator::put_item(&world.cloud, RECORDS, item).await;
}

async fn evidence(world: &World, prefix: &str, loss: Loss) {
    let cloud = &world.cloud;
    let keys = operator::evidence_keys(cloud, prefix).await;
    let (_, mut bytes) = operator::manifest(cloud, &keys[0]).await;
    match loss {
        Loss::Manifest | Loss::Report => operator::hide_evidence(cloud, &keys[0]).await,
        Loss::AlteredManifest | Loss::AlteredReport => {
            bytes.push(b' ');
            operator::put_evidence(cloud, &keys[0], bytes).await;
        }
        _ => operator::put_evidence(cloud, "manifests/2026-01-15.json", bytes).await,
    }
}
