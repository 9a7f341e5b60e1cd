//! Why the local cloud cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("cannot read {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} does not say what the local cloud needs: {what}")]
    Template { path: PathBuf, what: String },
    #[error(
        "{0} is a symbolic link, and none is followed: name what it leads to, or put that in its place"
    )]
    Link(PathBuf),
    #[error("the folder {0} is in use by another local cloud")]
    InUse(PathBuf),
    #[error("{0} is not a loopback address: the local cloud serves this machine only")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(
        "{0} is gone or lacks what is in it, and there is data: with other secrets nobody's password would \
         fit. Put it back from a copy; or move the data away, to begin anew"
    )]
    NoSecrets(PathBuf),
    #[error("the database is only half brought back: run `restore --from-backup` again")]
    HalfBack,
    #[error("cannot open the database {path}: {what}")]
    Database { path: PathBuf, what: String },
    #[error("cannot set up the table {table}")]
    Table { table: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{binary} cannot start")]
    Config { binary: String, source: runtime::ConfigError },
    #[error("a schedule of the template cannot be kept: {0}")]
    Schedule(String),
    #[error("the backup cannot go on")]
    Backup(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("template.yaml names {0}, which is no function of this build")]
    UnknownFunction(String),
}
