use std::process::ExitCode;

use am_service::accounts::list_customers::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
