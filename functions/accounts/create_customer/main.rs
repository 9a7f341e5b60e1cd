use std::process::ExitCode;

use am_service::accounts::create_customer::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
