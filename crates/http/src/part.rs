//! A request that came inside another one, and is answered as if it had come by itself.

use std::collections::HashMap;

use lambda_http::http::header::{CONTENT_TYPE, IF_MATCH};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt as _};

use crate::respond::respond_to;
use crate::{Handle, Problem, Request, Response, Route};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What such a request says; who asks, it has from the one around it.
pub struct Part<'a> {
    pub route: &'a Route,
    pub path: &'a str,
    pub idempotency_key: &'a str,
    pub if_match: Option<&'a str>,
    /// JSON.
    pub body: String,
}

impl Request {
    /// The request that a part of this one is.
    pub fn part(&self, part: &Part<'_>) -> Result<Self, Problem> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers() {
            if ![IDEMPOTENCY_KEY, IF_MATCH, CONTENT_TYPE].contains(name) {
                headers.append(name, value.clone());
            }
        }
        let mut set = |name: HeaderName, field: &str, value: &str| {
            let value = HeaderValue::from_str(value).ok().filter(|it| it.to_str().is_ok());
            let rule = || Problem::invalid(field, "must be visible ASCII");
            headers.insert(name, value.ok_or_else(rule)?);
            Ok::<_, Problem>(())
        };
        set(IDEMPOTENCY_KEY, "/key", part.idempotency_key)?;
        set(CONTENT_TYPE, "/body", "application/json")?;
        if let Some(if_match) = part.if_match {
            set(IF_MATCH, "/if_match", if_match)?;
        }
        let mut request = lambda_http::http::Request::new(Body::Text(part.body.clone()));
        *request.method_mut() = part.route.method.clone();
        *request.headers_mut() = headers;
        let parameters: HashMap<String, Vec<String>> = part
            .route
            .parameters_of(part.path)
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .collect();
        let request = request.with_raw_http_path(part.path).with_path_parameters(parameters);
        let context = self.api_context().cloned().map(|mut context| {
            context.route_key = Some(part.route.key());
            RequestContext::ApiGatewayV2(context)
        });
        Ok(Self::from(match context {
            Some(context) => request.with_request_context(context),
            None => request,
        }))
    }
}

/// Answers a part, with a log line of its own.
pub async fn answer_part<C>(context: &C, request: &Request, handle: Handle<C>) -> Response {
    respond_to(context, request, handle).await
}
