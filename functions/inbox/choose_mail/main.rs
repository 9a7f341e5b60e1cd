use std::process::ExitCode;

use am_service::inbox::choose_mail::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
