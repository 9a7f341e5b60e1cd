use std::process::ExitCode;

use am_service::get_appendix::handle;
use runtime::http;

fn main() -> ExitCode {
    http(
        |env| Ok((env.store()?, env.objects()?)),
        |(store, objects), request| Box::pin(handle(store, objects, request)),
    )
}
