//! Sending.

use std::error::Error;
use std::sync::OnceLock;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_types::SdkConfig;
use domain::Email;

use crate::Letter;

/// What people see as the name of who writes.
const SENDER: &str = "AM Service";

/// A letter was not sent. The cause names no address.
#[derive(Debug, thiserror::Error)]
#[error("the mail was not taken")]
pub struct MailError(#[source] Box<dyn Error + Send + Sync>);

/// Who sends mail, and as whom.
#[derive(Clone)]
pub struct Mailer {
    config: SdkConfig,
    /// Made when the first letter is sent: most requests send none.
    ses: OnceLock<Client>,
    from: String,
    /// The set of SES's that keeps mail from addresses that do not exist, or whose people complained.
    configuration_set: String,
}

impl Mailer {
    /// Sends as `no-reply` of `domain`.
    pub fn new(config: SdkConfig, domain: &str, configuration_set: String) -> Self {
        Self {
            config,
            ses: OnceLock::new(),
            from: format!("{SENDER} <no-reply@{domain}>"),
            configuration_set,
        }
    }

    /// Hands a letter over to be sent. Whether it arrives is not known then.
    pub async fn send(&self, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let failed = |error: aws_sdk_sesv2::error::BuildError| MailError(error.into());
        let body = Body::builder()
            .text(text(&letter.text).map_err(failed)?)
            .html(text(&letter.html).map_err(failed)?)
            .build();
        let message = Message::builder().subject(text(&letter.subject).map_err(failed)?).body(body);
        let sent = self
            .ses
            .get_or_init(|| Client::new(&self.config))
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .configuration_set_name(&self.configuration_set)
            .send()
            .await;
        sent.map_err(|error| MailError(error.into_service_error().into()))?;
        Ok(())
    }
}
