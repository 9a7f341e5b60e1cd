use std::process::ExitCode;

use am_service::open_backup_run::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
