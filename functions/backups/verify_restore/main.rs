use std::process::ExitCode;

use am_service::backups::verify_restore::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
