use std::process::ExitCode;

use am_service::backups::open_run::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
