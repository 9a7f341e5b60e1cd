use std::process::ExitCode;

use am_service::backups::restore_service::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
