//! `POST /v1/invitation-previews`: what an invitation is to, before somebody accepts it. Anyone who has its token. It
//! uses nothing up, and is no GET, so that the token stands in no log.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode,
    json, not_stored,
};
use domain::{CompanyName, Email, InvitationToken, Role, ShortName, Timestamp};
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::Store;

use super::{INVITATION_ENDED, invitation_ended, is_open};

/// The token of a link.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "InvitationPreviewRequest")
)]
#[serde(deny_unknown_fields)]
struct Body {
    token: InvitationToken,
}

/// What an invitation is to.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct InvitationPreview {
    company: CompanyName,
    /// What stands behind the @ of its people's own names.
    short_name: Option<ShortName>,
    role: Role,
    /// The address that it was sent to: a new person may log in with it.
    email: Option<Email>,
    expires_at: Timestamp,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "preview-invitation",
        routes: &[Route::post("/v1/invitation-previews")],
        summary: "What an invitation is to",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<InvitationPreview>(StatusCode::OK, "The invitation.")],
        problems: &[Code::CROSS_SITE_REQUEST, Code::NOT_FOUND, INVITATION_ENDED, Code::BUSY],
    },
    build: |env| env.store(),
    handle: Handle::Anyone(|store, request| Box::pin(handle(store, request))),
};

async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    request.refuse_other_sites()?;
    let Body { token } = request.json()?;
    let invited = store.invited(&token).await?.ok_or_else(Problem::not_found)?;
    if !invited.is_backed || !is_open(&invited.invitation.content, request.now()) {
        return Err(invitation_ended());
    }
    let (company, invitation) = (&invited.company.content, &invited.invitation.content);
    let preview = InvitationPreview {
        company: company.name.clone(),
        short_name: company.short_name.clone(),
        role: invitation.role,
        email: invited.sent_to.clone(),
        expires_at: invitation.expires_at,
    };
    Ok(not_stored(json(StatusCode::OK, &preview)))
}
