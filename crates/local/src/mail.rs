//! SES v2's protocol, as far as it is used: a letter that is sent becomes a file in `outbox`, which any mail program
//! opens.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use domain::entropy;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use mail_builder::MessageBuilder;
use runtime::OsEntropy;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::conditions::Facts;
use crate::identity::Identities;
use crate::{listen, whole_file};

/// Far more than a letter of ours.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const SEND: &str = "/v2/email/outbound-emails";
const ARN: &str = "arn:aws:ses:eu-central-1:000000000000";

/// Where letters go.
pub(crate) struct Outbox {
    folder: PathBuf,
    /// Whether each letter's link is printed, for who sits in front of it.
    prints: bool,
}

impl Outbox {
    pub(crate) const fn new(folder: PathBuf, prints: bool) -> Self {
        Self { folder, prints }
    }

    /// Keeps a letter, under a name that sorts by time.
    fn keep(&self, letter: &Letter<'_>) -> std::io::Result<String> {
        let message = MessageBuilder::new()
            .from((letter.sender.0, letter.sender.1))
            .to(letter.to)
            .subject(letter.subject)
            .text_body(letter.text)
            .html_body(letter.html)
            .write_to_vec()?;
        let tail = u32::from_be_bytes(entropy::bytes(&OsEntropy));
        let id = format!("{:013}-{tail:08x}", runtime::now().millis());
        std::fs::create_dir_all(&self.folder)?;
        whole_file::write(&self.folder.join(format!("{id}.eml")), &message)?;
        if self.prints {
            println!("mail to {}: {}", letter.to, letter.subject);
            for link in letter.text.lines().filter(|line| line.starts_with("http")) {
                println!("  {link}");
            }
        }
        Ok(id)
    }
}

/// What is read of a request.
struct Letter<'a> {
    sender: (&'a str, &'a str),
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    configuration_set: &'a str,
}

impl<'a> Letter<'a> {
    fn read(json: &'a Value) -> Option<Self> {
        let message = &json["Content"]["Simple"];
        let from = json["FromEmailAddress"].as_str()?;
        let sender = match from.strip_suffix('>').and_then(|it| it.split_once(" <")) {
            Some((name, address)) => (name, address),
            None => ("", from),
        };
        let [to] = json["Destination"]["ToAddresses"].as_array()?.as_slice() else { return None };
        Some(Self {
            sender,
            to: to.as_str()?,
            subject: message["Subject"]["Data"].as_str()?,
            text: message["Body"]["Text"]["Data"].as_str()?,
            html: message["Body"]["Html"]["Data"].as_str()?,
            configuration_set: json["ConfigurationSetName"].as_str()?,
        })
    }

    /// What the sender must be allowed to send by.
    fn resources(&self) -> [String; 2] {
        let domain = self.sender.1.rsplit('@').next().unwrap_or_default();
        let set = self.configuration_set;
        [format!("{ARN}:identity/{domain}"), format!("{ARN}:configuration-set/{set}")]
    }
}

/// Serves the protocol to whoever signs, as far as the template lets them.
pub(crate) async fn serve(outbox: Arc<Outbox>, listener: TcpListener, identities: Arc<Identities>) {
    listen::serve(listener, move |_| {
        let (outbox, identities) = (outbox.clone(), identities.clone());
        service_fn(move |request| {
            let (outbox, identities) = (outbox.clone(), identities.clone());
            async move { Ok::<_, Infallible>(answer(&outbox, &identities, request).await) }
        })
    })
    .await;
}

async fn answer(
    outbox: &Outbox,
    identities: &Identities,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return refused(StatusCode::BAD_REQUEST, "BadRequestException", "cannot be read");
    };
    let body = body.to_bytes();
    let Some(caller) = identities.caller(&parts, &body) else {
        let what = "The request is not signed by anyone known.";
        return refused(StatusCode::FORBIDDEN, "InvalidSignatureException", what);
    };
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let letter = Letter::read(&json);
    let Some(letter) = letter.filter(|_| parts.method == Method::POST && parts.uri.path() == SEND)
    else {
        return refused(StatusCode::BAD_REQUEST, "BadRequestException", "is not served here");
    };
    identities.count(&caller, "ses:SendEmail");
    for resource in letter.resources() {
        if !identities.allow(&caller, "ses:SendEmail", &resource, &Facts::new()) {
            tracing::error!(function = caller, resource, "not allowed by the template");
            let what = format!("{caller} is not authorized to perform ses:SendEmail");
            return refused(StatusCode::FORBIDDEN, "AccessDeniedException", &what);
        }
    }
    match outbox.keep(&letter) {
        Ok(id) => respond(StatusCode::OK, &json!({ "MessageId": id })),
        Err(error) => {
            tracing::error!(%error, "a letter cannot be kept");
            let what = "cannot be kept";
            refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", what)
        }
    }
}

fn refused(status: StatusCode, kind: &'static str, what: &str) -> Response<Full<Bytes>> {
    let mut response = respond(status, &json!({ "message": what }));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

fn respond(status: StatusCode, json: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
