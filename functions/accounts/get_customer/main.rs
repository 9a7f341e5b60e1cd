use std::process::ExitCode;

use am_service::accounts::get_customer::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
