//! Does a service work? `API_URL=https://api.example.com cargo test --test smoke` walks through the
//! deployed one, as the person whose address is SIGN_UP_EMAIL, by the SIGN_UP_TOKEN that `make-sign-up-token` makes for
//! it; without API_URL, through a local cloud that it starts.

use std::path::Path;

use local::{Cloud, Options};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_their_way() {
    if let Ok(api) = std::env::var("API_URL") {
        let [email, token] = ["SIGN_UP_EMAIL", "SIGN_UP_TOKEN"]
            .map(|name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set")));
        testing::journey::walk(&api, &email, &token).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(Path::new(env!("CARGO_MANIFEST_DIR")), folder.path());
    let cloud = Cloud::start(&options).await.unwrap();
    let (api, email) = (format!("http://{}", cloud.address()), testing::journey::new_address());
    let token = testing::letters::sign_up_token(&api, folder.path(), &email).await;
    testing::journey::walk(&api, &email, &token).await;
}
