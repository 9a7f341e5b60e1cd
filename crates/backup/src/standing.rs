//! Whether each thing in use stands at its newest revision, while people write.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use store::operator::{ItemFacts, Reading, ScannedItem, Segment, Table};
use store::{RowKey, StoreError};

use crate::known::{KnownItem, look_up};
use crate::manifest::SEGMENTS;
use crate::{Cause, Findings, Suspects};
use domain::Version;

/// Looks at the things of these parts. A change is one transaction: what is half done was only read so, and
/// is whole when it is read again.
pub(crate) async fn standing(table: &Table, suspects: Suspects) -> Result<Findings, StoreError> {
    let segments = Segment::WHOLE.split(SEGMENTS).map(async |segment| {
        let mut findings = Findings::default();
        let mut pages = table.read(Reading::Everything, segment);
        while let Some(page) = pages.next().await? {
            look_at(table, suspects, page, &mut findings).await?;
        }
        Ok::<_, StoreError>(findings)
    });
    let mut findings = Findings::default();
    try_join_all(segments).await?.into_iter().for_each(|part| findings.merge(part));
    Ok(findings)
}

async fn look_at(
    table: &Table,
    suspects: Suspects,
    page: Vec<ScannedItem>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let (mut things, mut begun) = (Vec::new(), Vec::new());
    for found in page {
        match found {
            ScannedItem::Current(it) if suspects.has(&it.thing) => things.push(it),
            ScannedItem::Lasting(it)
                if it.version == Some(Version::FIRST) && suspects.has(&it.thing) =>
            {
                begun.push(it.current());
            }
            _ => {}
        }
    }
    let there = look_up(table, begun.iter().cloned()).await?;
    for thing in begun.into_iter().filter(|thing| !there.contains_key(thing)) {
        findings.note(Cause::Diverged, thing, "is gone, and its revisions are there");
    }
    let revisions =
        things.iter().flat_map(|it| [version(it), version(it).next()].map(|n| it.revision(n)));
    let there = look_up(table, revisions).await?;
    let behind: Vec<(ItemFacts, &str)> = things
        .into_iter()
        .filter_map(|it| what_is_wrong(&it, &there).map(|what| (it, what)))
        .collect();
    let again = look_up(table, behind.iter().map(|(it, _)| it.current())).await?;
    for (it, what) in behind {
        let key = it.current();
        if again.get(&key).is_some_and(|now| now.digest == it.digest) {
            let damaged = !it.as_written;
            findings.note(if damaged { Cause::DamagedInUse } else { Cause::Diverged }, key, what);
        }
    }
    Ok(())
}

fn version(it: &ItemFacts) -> Version {
    it.version.unwrap_or(Version::FIRST)
}

fn what_is_wrong(it: &ItemFacts, there: &HashMap<RowKey, KnownItem>) -> Option<&'static str> {
    if !it.as_written {
        return Some("is not what was written");
    }
    match there.get(&it.revision(version(it))) {
        None => Some("stands at a revision that is not there"),
        Some(revision) if revision.digest != it.digest => Some("is not what its revision says"),
        Some(_) if there.contains_key(&it.revision(version(it).next())) => {
            Some("stands at a revision that is not its newest")
        }
        Some(_) => None,
    }
}
