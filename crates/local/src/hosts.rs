//! Which names this machine answers to: a page that has its own name point here must not use a browser that
//! is logged in, and where the service is known to others by a name, that is told to the functions.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::http::uri::Authority;
use hyper::http::{HeaderMap, Uri};

/// Where others find the service, behind a proxy on this machine that speaks TLS: `https://am.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    authority: Authority,
    text: String,
}

impl PublicUrl {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "must be https:// and a host, and nothing behind it";
        let url: Uri = text.trim_end_matches('/').parse().map_err(|_| RULE)?;
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none();
        match (url.scheme_str(), url.authority()) {
            (Some("https"), Some(authority)) if is_bare && !authority.as_str().contains('@') => {
                Ok(Self { authority: authority.clone(), text: format!("https://{authority}") })
            }
            _ => Err(RULE),
        }
    }
}

/// The names that are answered to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    public: Option<PublicUrl>,
}

impl Hosts {
    pub(crate) const fn new(public: Option<PublicUrl>) -> Self {
        Self { public }
    }

    /// Whether a request is meant for this machine.
    pub(crate) fn know(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all("host").iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_here = name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_public = self.public.as_ref().is_some_and(|public| {
            public.authority.as_str().eq_ignore_ascii_case(authority.as_str())
        });
        is_here || is_public
    }

    /// Where a request came from. Only the proxy may say so, which adds to the list what it has seen itself.
    pub(crate) fn source(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.public.is_none() {
            return peer;
        }
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let last = last.and_then(|list| list.to_str().ok()?.rsplit(',').next());
        last.and_then(|address| address.trim().parse().ok()).unwrap_or(peer)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_its_own_names_are_answered_to() {
        let hosts = Hosts::new(Some("https://am.example.com/".parse().unwrap()));
        for (host, known) in [
            ("localhost:3000", true),
            ("LOCALHOST", true),
            ("127.0.0.1:3000", true),
            ("127.1.2.3", true),
            ("[::1]:3000", true),
            ("am.example.com", true),
            ("AM.example.com", true),
            ("am.example.com:8443", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("192.0.2.1", false),
            ("am.example.com@evil.example", false),
            ("", false),
        ] {
            assert_eq!(hosts.know(&headers(&[("host", host)])), known, "{host}");
        }
        assert!(!hosts.know(&headers(&[])), "none");
        assert!(!Hosts::default().know(&headers(&[("host", "am.example.com")])));
    }

    #[test]
    fn what_is_no_public_url_is_refused() {
        for text in
            ["http://am.example.com", "am.example.com", "https://", "https://a/b", "https://u@a"]
        {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
        assert_eq!("https://a:8443/".parse::<PublicUrl>().unwrap().as_str(), "https://a:8443");
    }

    #[test]
    fn only_a_proxy_says_where_a_request_came_from() {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let forwarded = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7")]);
        assert_eq!(Hosts::default().source(peer, &forwarded), peer);
        let hosts = Hosts::new(Some("https://am.example.com".parse().unwrap()));
        assert_eq!(hosts.source(peer, &forwarded).to_string(), "192.0.2.7");
        assert_eq!(hosts.source(peer, &headers(&[("x-forwarded-for", "x")])), peer);
        assert_eq!(hosts.source(peer, &headers(&[])), peer);
    }
}
