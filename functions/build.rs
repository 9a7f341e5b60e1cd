//! Marks each binary with an id of its build, by which Sentry finds the symbols that were cut off it.

fn main() {
    println!("cargo::rerun-if-changed=functions/build.rs");
    println!("cargo::rustc-link-arg-bins=-Wl,--build-id=sha1");
}
