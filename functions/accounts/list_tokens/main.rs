use std::process::ExitCode;

use am_service::accounts::list_tokens::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
