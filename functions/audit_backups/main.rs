use std::process::ExitCode;

use am_service::audit_backups::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
