//! Does a service work? `API_URL=https://api.example.com cargo test --test smoke` walks through the
//! deployed one; without API_URL, through a local cloud that it starts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../journey/mod.rs"]
mod journey;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use local::{Cloud, Options};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_their_way() {
    if let Ok(api) = std::env::var("API_URL") {
        journey::walk(&api).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options {
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("template.yaml"),
        parameters: BTreeMap::new(),
        data: folder.path().to_owned(),
        address: any,
        objects_address: any,
        binaries: None,
    };
    let cloud = Cloud::start(&options).await.unwrap();
    journey::walk(&format!("http://{}", cloud.address())).await;
}
