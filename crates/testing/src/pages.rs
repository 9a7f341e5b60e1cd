//! A web client, as the function that serves it has it.

/// A client of one page and one script, and as these are packed.
pub const PAGES: [(&str, &[u8]); 9] = [
    ("index.html", b"<!doctype html>"),
    ("index.html.br", b"the page by brotli"),
    ("index.html.gz", b"the page by gzip"),
    ("worker.js", b"self"),
    ("worker.js.br", b"the worker by brotli"),
    ("worker.js.gz", b"the worker by gzip"),
    ("assets/app-1.js", b"export {}"),
    ("assets/app-1.js.br", b"the script by brotli"),
    ("assets/app-1.js.gz", b"the script by gzip"),
];
