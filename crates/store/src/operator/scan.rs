//! Reading everything, whoever's it is, from the tables in use or from restored copies of them.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::Operator;
use super::scanned::{ScannedItem, scanned};
use crate::batch::{Batch, projection};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{DynamoClient, Kind, Nature, RowKey, StoreError, TableKind};

/// One of the parts that a table is read in at the same time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Segment {
    pub index: u32,
    pub of: u32,
}

impl Segment {
    /// All of it, in one.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The same in so many smaller ones.
    pub fn split(self, into: u32) -> impl Iterator<Item = Self> {
        (0..into).map(move |index| Self { index: self.index * into + index, of: self.of * into })
    }
}

/// What to read of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Everything,
    /// What never changes again, and nothing else: revisions, rows of the ledger.
    Lasting,
}

/// What a login has, the hash last.
const LOGIN: [&str; 5] =
    [items::PARTITION, items::SORT, items::CUSTOMER_ID, items::USER_ID, items::PASSWORD_HASH];

/// A table in use, or a restored copy of one.
#[derive(Clone)]
pub struct Table {
    dynamo: DynamoClient,
    kind: TableKind,
    name: String,
    /// In use: it changes while it is read, so what was committed has to be seen.
    consistent: bool,
}

impl Operator {
    /// The table in use.
    pub fn table(&self, kind: TableKind) -> Table {
        let name = self.table_name(kind).to_owned();
        Table { dynamo: self.database.dynamo.clone(), kind, name, consistent: true }
    }

    /// A restored copy of it. Nobody writes to that.
    pub fn copy(&self, kind: TableKind, name: &str) -> Table {
        let name = name.to_owned();
        Table { dynamo: self.database.dynamo.clone(), kind, name, consistent: false }
    }
}

impl Table {
    pub const fn kind(&self) -> TableKind {
        self.kind
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads one segment, a page at a time: in constant memory. Damaged items are found too; only a
    /// failing database ends the reading.
    pub fn read(&self, reading: Reading, segment: Segment) -> Pages {
        Pages { table: self.clone(), reading, segment, next: Next::First, pause: Duration::ZERO }
    }

    /// Looks items up by their keys: each that is there, in no order.
    pub async fn look_up(&self, keys: &[RowKey]) -> Result<Vec<ScannedItem>, StoreError> {
        let read = keys.chunks(Batch::KEYS_MAX).map(async |keys| {
            let keys = keys.iter().map(RowKey::item).collect();
            // There is no filter: whether a login has a hash shows in the hash alone.
            let attributes = if self.kind == TableKind::Logins { &LOGIN[..] } else { &[] };
            let batch = Batch::of(&self.name, keys, attributes, self.consistent);
            batch.read(&self.dynamo).await
        });
        let items = try_join_all(read).await?;
        let is_member = |item: &Item| matches!(Fields(item).sort_key(), Ok(SortKey::Member(..)));
        let opens = |item: &&Item| {
            self.kind != TableKind::Logins
                || item.contains_key(items::PASSWORD_HASH)
                || is_member(item)
        };
        Ok(items.iter().flatten().filter(opens).map(|item| scanned(self.kind, item)).collect())
    }

    /// A password hash is nobody's business here.
    fn attributes(&self) -> &'static [&'static str] {
        match self.kind {
            TableKind::Logins => &LOGIN[..4],
            TableKind::Records
            | TableKind::Accounts
            | TableKind::Sessions
            | TableKind::Ledger
            | TableKind::Index => &[],
        }
    }
}

/// So often a page is asked for again that the table did not give: for some four minutes.
const REFUSED_MAX: u32 = 20;
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Whether an error says that too much is asked for at once.
fn is_throttled(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ThrottlingException"
        )
    )
}

/// Where the next page starts.
enum Next {
    First,
    After(Item),
    None,
}

/// The pages of one segment.
pub struct Pages {
    table: Table,
    reading: Reading,
    segment: Segment,
    next: Next,
    /// How long to wait before each page.
    pause: Duration,
}

impl Pages {
    /// Up to 1 MB of items; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<ScannedItem>>, StoreError> {
        let start = match std::mem::replace(&mut self.next, Next::None) {
            Next::First => None,
            Next::After(key) => Some(key),
            Next::None => return Ok(None),
        };
        let number = |n: u32| i32::try_from(n).map_err(StoreError::broken);
        let mut scan = self
            .table
            .dynamo
            .scan()
            .table_name(&self.table.name)
            .consistent_read(self.table.consistent)
            .segment(number(self.segment.index)?)
            .total_segments(number(self.segment.of)?)
            .set_exclusive_start_key(start);
        let attributes = self.table.attributes();
        if !attributes.is_empty() {
            let (expression, names) = projection(attributes);
            // A login without its hash opens nothing: it counts as none.
            scan = scan
                .projection_expression(expression)
                .set_expression_attribute_names(names)
                .filter_expression("attribute_exists(#hash) OR begins_with(#sk, :member)")
                .expression_attribute_names("#hash", items::PASSWORD_HASH)
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_values(":member", items::text(keys::MEMBER_PREFIX));
        }
        if let Some(prefixes) = self.filtered() {
            let names: Vec<String> = (0..prefixes.len()).map(|n| format!(":prefix{n}")).collect();
            let starts = names.iter().map(|name| format!("begins_with(#sk, {name})"));
            let expression = starts.collect::<Vec<_>>().join(" OR ");
            let values = names.into_iter().zip(prefixes.into_iter().map(items::text));
            scan = scan
                .filter_expression(expression)
                .expression_attribute_names("#sk", items::SORT)
                .set_expression_attribute_values(Some(values.collect()));
        }
        let page = self.paced(scan).await?;
        let kind = self.table.kind;
        let found = page.items().iter().map(|item| scanned(kind, item)).collect();
        self.next = page.last_evaluated_key.map_or(Next::None, Next::After);
        Ok(Some(found))
    }

    /// Asks for a page, and for the same one again where the table gives no more for now: slower from then on,
    /// so that what people do comes first, and faster again page by page.
    async fn paced(&mut self, scan: ScanFluentBuilder) -> Result<ScanOutput, StoreError> {
        let mut refused = 0;
        loop {
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
            match scan.clone().send().await {
                Ok(page) => {
                    self.pause /= 2;
                    return Ok(page);
                }
                Err(error) if refused < REFUSED_MAX && is_throttled(error.code()) => {
                    refused += 1;
                    self.pause = (self.pause * 2).clamp(PAUSE_MIN, PAUSE_MAX);
                }
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
    }

    /// What the sort keys start with that are asked for; `None`: all are. Things as they are now are
    /// as large as what lasts of them. A table without any is small, or all of it lasts.
    fn filtered(&self) -> Option<Vec<String>> {
        let filtered = self.reading == Reading::Lasting && self.table.kind.has_revisions();
        filtered.then(|| {
            let kinds = Kind::ALL.iter().filter(|kind| kind.nature() == Nature::Lasting);
            let kinds = kinds.filter(|kind| kind.lives_in(self.table.kind));
            kinds.map(|kind| format!("{}#", kind.prefix())).collect()
        })
    }
}
