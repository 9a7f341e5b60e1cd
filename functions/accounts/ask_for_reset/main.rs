use std::process::ExitCode;

use am_service::accounts::ask_for_reset::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
