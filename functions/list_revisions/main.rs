use std::process::ExitCode;

use am_service::list_revisions::handle;
use runtime::http;

fn main() -> ExitCode {
    http(|env| env.store(), |store, request| Box::pin(handle(store, request)))
}
