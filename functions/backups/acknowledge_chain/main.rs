use std::process::ExitCode;

use am_service::backups::acknowledge_chain::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
