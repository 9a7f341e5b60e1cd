use std::process::ExitCode;

use am_service::people::preview_invitation::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
