use std::process::ExitCode;

use am_service::accounts::change_customer::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
