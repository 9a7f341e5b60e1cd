//! Does a service work? `API_URL=https://api.example.com cargo test --test smoke` walks through the
//! deployed one; without API_URL, through a local cloud that it starts.

use std::path::Path;

use local::{Cloud, Options};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_their_way() {
    if let Ok(api) = std::env::var("API_URL") {
        testing::journey::walk(&api).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path());
    let cloud = Cloud::start(&options).await.unwrap();
    testing::journey::walk(&format!("http://{}", cloud.address())).await;
}
