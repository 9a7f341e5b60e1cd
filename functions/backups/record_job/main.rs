use std::process::ExitCode;

use am_service::backups::record_job::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
