use std::process::ExitCode;

use am_service::add_appendix::handle;
use runtime::{OsEntropy, http};

fn main() -> ExitCode {
    http(
        |env| Ok((env.store()?, env.objects()?)),
        |(store, objects), request| Box::pin(handle(store, objects, &OsEntropy, request)),
    )
}
