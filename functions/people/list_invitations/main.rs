use std::process::ExitCode;

use am_service::people::list_invitations::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
