use std::process::ExitCode;

use am_service::inbox::send_daily::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
