//! Letters, as whoever they go to finds them in the outbox of a local cloud.

use std::path::Path;

use mail_parser::MessageParser;
use reqwest::{Client, StatusCode};
use serde_json::json;

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Letter {
    /// Where its link leads.
    pub fn link(&self) -> &str {
        self.text.lines().find(|line| line.starts_with("http")).expect("the letter has a link")
    }

    /// What is behind the `#` of its link.
    pub fn token(&self) -> &str {
        self.link().split_once('#').expect("the link has a token").1
    }
}

/// All letters of a data folder, the oldest first.
pub fn letters(data: &Path) -> Vec<Letter> {
    let Ok(entries) = std::fs::read_dir(data.join("outbox")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "eml"));
    paths.sort();
    let read = |path| {
        let bytes = std::fs::read(path).unwrap();
        let message = MessageParser::default().parse(&bytes).expect("a letter is a message");
        let to = message.to().and_then(|to| to.first()).and_then(|to| to.address());
        Letter {
            to: to.unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap_or_default().into_owned(),
        }
    };
    paths.iter().map(read).collect()
}

/// The newest letter to somebody.
pub fn newest_letter(data: &Path, to: &str) -> Letter {
    let all = letters(data).into_iter().rev();
    all.into_iter().find(|letter| letter.to == to).expect("somebody wrote to them")
}

/// Asks a service that keeps everything in `data` to let somebody sign up, and reads the token in the letter.
pub async fn sign_up_token(api: &str, data: &Path, email: &str) -> String {
    let ask = Client::new().post(format!("{api}/v1/sign-ups")).json(&json!({ "email": email }));
    let answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "{:?}", answer.text().await);
    newest_letter(data, email).token().to_owned()
}
