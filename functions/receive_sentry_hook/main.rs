use std::process::ExitCode;

use am_service::receive_sentry_hook::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
