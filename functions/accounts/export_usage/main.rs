use std::process::ExitCode;

use am_service::accounts::export_usage::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
