use std::process::ExitCode;

use am_service::backups::trace_chain::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
