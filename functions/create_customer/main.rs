use std::process::ExitCode;

use am_service::create_customer::handle;
use runtime::{OsEntropy, http};

fn main() -> ExitCode {
    http(
        |env| Ok((env.store()?, env.passwords()?)),
        |(store, passwords), request| Box::pin(handle(store, passwords, &OsEntropy, request)),
    )
}
