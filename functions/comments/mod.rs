//! What people say about records.

pub mod add;
pub mod delete;
pub mod edit;
pub mod list;

use am_http::{Code, Problem, Response, StatusCode, etag, json, with_header};
use domain::{Comment, CommentText, Role, UserId};
use lambda_http::http::header::ETAG;
use serde::Deserialize;
use store::tenant::Session;

use crate::shapes::CommentView;

const NOT_YOURS: Code = Code::new(
    StatusCode::FORBIDDEN,
    "not_yours",
    "Only who has written a comment changes it; admins may delete it.",
);

/// What somebody says.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CommentWords"))]
#[serde(deny_unknown_fields)]
pub struct Words {
    text: CommentText,
    /// Whom it is for in particular: people of the company, by their ids, 20 at most.
    #[serde(default)]
    mentions: Vec<UserId>,
}

impl Words {
    /// The comment, if all whom it mentions belong to the company. Those whom it has mentioned before may have gone.
    fn comment(self, found: &[UserId], before: &[UserId]) -> Result<Comment, Problem> {
        let comment = Comment::new(self.text, self.mentions)
            .map_err(|rule| Problem::invalid("/mentions", rule.to_string()))?;
        let known = |who: &&UserId| found.contains(who) || before.contains(who);
        match comment.mentions.iter().find(|who| !known(who)) {
            Some(who) => {
                Err(Problem::invalid("/mentions", format!("{who} does not belong to the company")))
            }
            None => Ok(comment),
        }
    }
}

/// Whether somebody may change a comment of this author's.
fn is_theirs(session: &Session, author: UserId) -> Result<(), Problem> {
    if session.user == author {
        return Ok(());
    }
    Err(Problem::new(NOT_YOURS, "Somebody else has written it."))
}

/// Whether somebody may take such a comment away.
fn may_delete(session: &Session, author: UserId) -> Result<(), Problem> {
    if session.role >= Role::Admin { Ok(()) } else { is_theirs(session, author) }
}

fn changed(view: &CommentView) -> Response {
    with_header(json(StatusCode::OK, view), ETAG, &etag(view.version))
}
