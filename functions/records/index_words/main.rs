use std::process::ExitCode;

use am_service::records::index_words::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
