use std::process::ExitCode;

use am_service::accounts::set_quota::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
