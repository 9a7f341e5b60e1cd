use std::process::ExitCode;

use am_service::create_record::handle;
use runtime::{OsEntropy, http};

fn main() -> ExitCode {
    http(|env| env.store(), |store, request| Box::pin(handle(store, &OsEntropy, request)))
}
