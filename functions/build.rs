//! Marks each binary with an id of its build, by which Sentry finds the symbols that were cut off it; and
//! lists every function below this folder, so that nobody has to.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=functions");
    println!("cargo::rustc-link-arg-bins=-Wl,--build-id=sha1");
    let (mut listed, mut routes) = (String::new(), String::new());
    for subject in folders(Path::new("functions"))? {
        for function in folders(&Path::new("functions").join(&subject))? {
            let main = Path::new("functions").join(&subject).join(&function).join("main.rs");
            if main.exists() {
                let folder = format!("{subject}/{function}");
                let module = format!("{subject}::{function}");
                listed.push_str(&format!("    {module}::FUNCTION.listed({folder:?}),\n"));
                // What has no route of its own lists those of the others.
                if function != "unknown" && fs::read_to_string(&main)?.contains("runtime::http(") {
                    routes
                        .push_str(&format!("    crate::{module}::FUNCTION.declaration.routes,\n"));
                }
            }
        }
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("functions.rs"), format!("vec![\n{listed}]\n"))?;
    fs::write(Path::new(&out).join("routes.rs"), format!("&[\n{routes}]\n"))
}

/// The names of the folders in a folder, sorted.
fn folders(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
