use std::process::ExitCode;

use am_service::accounts::make_sign_up::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
