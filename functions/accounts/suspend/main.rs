use std::process::ExitCode;

use am_service::accounts::suspend::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
