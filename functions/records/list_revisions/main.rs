use std::process::ExitCode;

use am_service::records::list_revisions::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
