//! The folder that keeps everything: for its owner alone, and itself, not a link to something else.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::LocalError;

const LOCK: &str = "lock";

/// Makes the folder, sees to it that nobody else reads what is in it, and holds it for as long as the file lives.
pub(crate) fn take(folder: &Path) -> Result<File, LocalError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LocalError::File { path, source }
    };
    refuse_link(folder)?;
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let lock = folder.join(LOCK);
    refuse_link(&lock)?;
    let lock = File::create(&lock).map_err(failed(&lock))?;
    lock.try_lock().map_err(|_| LocalError::InUse(folder.to_owned()))?;
    own(folder).map_err(failed(folder))?;
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        refuse_link(&path)?;
        match own(&path) {
            // What a database that was closed a moment ago has taken away itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            owned => owned.map_err(failed(&path))?,
        }
    }
    Ok(lock)
}

/// Whoever may write beside the folder could lead what is kept in it to somewhere else.
fn refuse_link(path: &Path) -> Result<(), LocalError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(LocalError::Link(path.to_owned())),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn own(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // What is made from now on is its owner's alone, whoever makes it: the database, too.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let found = fs::symlink_metadata(path)?;
    let mode = if found.is_dir() { 0o700 } else { 0o600 };
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn own(_: &Path) -> io::Result<()> {
    Ok(())
}
