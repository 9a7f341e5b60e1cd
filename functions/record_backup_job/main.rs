use std::process::ExitCode;

use am_service::record_backup_job::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
