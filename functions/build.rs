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
                // What has no route of its own lists those of the API; pages are at any path.
                if function != "unknown"
                    && subject != "web"
                    && fs::read_to_string(&main)?.contains("runtime::http(")
                {
                    routes
                        .push_str(&format!("    crate::{module}::FUNCTION.declaration.routes,\n"));
                }
            }
        }
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("functions.rs"), format!("vec![\n{listed}]\n"))?;
    fs::write(Path::new(&out).join("routes.rs"), format!("&[\n{routes}]\n"))?;
    fs::write(Path::new(&out).join("assets.rs"), assets()?)
}

/// The web client, as part of its function, in a release. Otherwise it is read from its folder, so that nobody who changes
/// it builds anything else.
fn assets() -> io::Result<String> {
    if env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        return Ok("&[]".to_owned());
    }
    let dist = env::current_dir()?.join("web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let page = dist.join("index.html");
    if !page.exists() {
        if env::var_os("CARGO_FEATURE_BINS").is_some() {
            return Err(io::Error::other("the web client was not built: run web/build first"));
        }
        return Ok("&[]".to_owned());
    }
    let mut listed = String::new();
    let mut list = |name: String, path: &Path| {
        let path = path.display();
        let packed = |end: &str| format!("include_bytes!(\"{path}{end}\")");
        let (plain, brotli, gzip) = (packed(""), packed(".br"), packed(".gz"));
        listed.push_str(&format!("    ({name:?}, {plain}, {brotli}, {gzip}),\n"));
    };
    for name in ["index.html", "worker.js", "manifest.webmanifest"] {
        list(name.to_owned(), &dist.join(name));
    }
    let mut files: Vec<_> = fs::read_dir(dist.join("assets"))?.collect::<io::Result<_>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".br") && !name.ends_with(".gz") {
            list(format!("assets/{name}"), &file.path());
        }
    }
    Ok(format!("&[\n{listed}]"))
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
