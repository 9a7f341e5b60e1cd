use std::process::ExitCode;

use am_service::store_appendix::handle;
use runtime::{event, now};

fn main() -> ExitCode {
    event(
        |env| Ok((env.store()?, env.objects()?)),
        |(store, objects), event| {
            Box::pin(async move { Ok(handle(store, objects, &event, now()).await?) })
        },
    )
}
