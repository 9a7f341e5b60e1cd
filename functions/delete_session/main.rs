use std::process::ExitCode;

use am_service::delete_session::handle;
use runtime::http;

fn main() -> ExitCode {
    http(|env| env.store(), |store, request| Box::pin(handle(store, request)))
}
