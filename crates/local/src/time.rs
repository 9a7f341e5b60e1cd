//! The service's time goes on over restarts, whatever this machine's clock says: nothing may say that it is
//! from before what was there already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use runtime::clock::{self, CLOCKS_DIFFER};
use runtime::{Env, OperatorEnv};

use crate::dynamodb::Tables;
use crate::{LocalError, whole_file};

/// The file that says until when times may have been issued.
const FILE: &str = "clock";
/// Until so long from now, and that is said again after half of it.
const AHEAD: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// By less, two readings of a clock differ.
const DRIFT: Duration = Duration::from_millis(50);

/// Goes on from the last time that was issued, and from the last evening.
pub(crate) async fn go_on(
    folder: &Path,
    operator: &BTreeMap<String, String>,
    tables: &Tables,
) -> Result<(), LocalError> {
    let path = folder.join(FILE);
    let issued = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().ok().map(Timestamp::from_millis),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => return Err(LocalError::File { path, source }),
    };
    // By less, clocks differ anyway; and the file looks ahead.
    if let Some(issued) = issued.filter(|issued| *issued > runtime::now().after(CLOCKS_DIFFER)) {
        clock::not_before(issued);
    }
    let lookup = |name: &str| operator.get(name).cloned();
    let ledger = OperatorEnv::new(Env::new(&lookup)).operator();
    let ledger = ledger.map_err(|source| LocalError::Config { binary: "local".into(), source })?;
    let opened = ledger.last_opened().await;
    let opened = opened.map_err(|error| LocalError::Backup(error.into()))?;
    opened.into_iter().for_each(clock::not_before);
    let behind = clock::behind();
    tables.set_ahead(i64::try_from(behind.as_millis()).unwrap_or(i64::MAX));
    if behind > CLOCKS_DIFFER {
        let (now, seconds, path) = (runtime::now(), behind.as_secs(), path.display());
        tracing::warn!(
            "this machine's clock is {seconds} s behind: the time goes on from {now}; should that be \
             wrong, delete {path}"
        );
    }
    note(&path)
}

/// Forgets what was issued.
pub(crate) fn forget(folder: &Path) -> Result<(), LocalError> {
    let path = folder.join(FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        ended => ended.map_err(|source| LocalError::File { path, source }),
    }
}

/// Says again and again until when times may have been issued; and tells the recovery log by how much they are
/// ahead of this machine's, as soon as that changes.
pub(crate) async fn keep_noting(folder: PathBuf, tables: Arc<Tables>) {
    let path = folder.join(FILE);
    let (mut told, mut noted) = (Duration::ZERO, Instant::now());
    loop {
        let behind = clock::behind();
        if behind.abs_diff(told) > DRIFT {
            tables.set_ahead(i64::try_from(behind.as_millis()).unwrap_or(i64::MAX));
            told = behind;
        }
        if noted.elapsed() >= AHEAD / 2 {
            noted = Instant::now();
            if let Err(error) = note(&path) {
                tracing::warn!(%error, "the time was not noted");
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn note(path: &Path) -> Result<(), LocalError> {
    let until = runtime::now().after(AHEAD).millis().to_string();
    whole_file::write(path, until.as_bytes())
        .map_err(|source| LocalError::File { path: path.to_owned(), source })
}
