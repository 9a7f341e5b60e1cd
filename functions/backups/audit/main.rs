use std::process::ExitCode;

use am_service::backups::audit::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
