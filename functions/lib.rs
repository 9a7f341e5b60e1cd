//! The functions of AM Service by subject, a module each, named for what it does. `mod.rs` is the function,
//! `main.rs` its Lambda binary. Handlers are a library too, so that tests and the local cloud run the very
//! code that AWS runs.

pub mod accounts;
pub mod api;
pub mod appendices;
pub mod backups;
pub mod changes;
pub mod comments;
pub mod crashes;
pub mod inbox;
pub mod overview;
pub mod people;
pub mod policy;
pub mod records;
pub mod types;
pub mod web;

pub mod new_password;
pub mod post;
pub mod quota;
pub mod resources;
pub mod shapes;

/// Every function, as build.rs has found them in their folders.
pub fn all() -> Vec<runtime::Function> {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"))
}
