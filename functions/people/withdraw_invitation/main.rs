use std::process::ExitCode;

use am_service::people::withdraw_invitation::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
