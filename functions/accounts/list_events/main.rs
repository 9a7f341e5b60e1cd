use std::process::ExitCode;

use am_service::accounts::list_events::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
