//! Personal data does not leave with a crash.

use std::net::IpAddr;

use domain::token::PREFIX;

/// What words are parted by: white space, and what quotes or encloses a value.
const BETWEEN: &[char] =
    &['"', '\'', '`', '<', '>', '(', ')', '[', ']', '{', '}', ',', ';', '=', '|'];

/// `text` without e-mail addresses, network addresses and session tokens.
pub(super) fn scrub(text: &str) -> String {
    let parts = text.split_inclusive(|c: char| c.is_whitespace() || BETWEEN.contains(&c));
    let mut clean = String::with_capacity(text.len());
    for part in parts {
        let word = part.trim_end_matches(|c: char| c.is_whitespace() || BETWEEN.contains(&c));
        clean.push_str(stand_in(word).unwrap_or(word));
        clean.push_str(&part[word.len()..]);
    }
    clean
}

fn stand_in(word: &str) -> Option<&'static str> {
    let word = word.trim_matches(['.', ':', '!', '?', '/', '\\']);
    let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
    if word.contains('@') || word.contains("%40") {
        Some("[email]")
    } else if word.contains(PREFIX) {
        Some("[token]")
    } else if word.parse::<IpAddr>().is_ok() || without_port.parse::<IpAddr>().is_ok() {
        Some("[address]")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_replaced_and_the_rest_stays() {
        for (text, clean) in [
            ("", ""),
            (
                "nothing personal: 3 of 4 (crates/store/src/lib.rs:70)",
                "nothing personal: 3 of 4 (crates/store/src/lib.rs:70)",
            ),
            ("no login for eva@example.com.", "no login for [email]"),
            ("{\"email\":\"eva@example.com\",\"n\":1}", "{\"email\":\"eva@example.com\",\"n\":1}"),
            ("user=<Éva@exämple.com>;", "user=<[email]>;"),
            ("GET /x?email=eva%40example.com", "GET /x?email=[email]"),
            ("from 192.0.2.7:4711, via 2001:db8::1", "from [address], via [address]"),
            ("[2001:db8::1]:443 and 10.0.0.1", "[[address]]:443 and [address]"),
            ("Bearer am1_AZu-AAAAZnVMKUpS", "Bearer [token]"),
            ("version 1.2.3 at 12:30:05", "version 1.2.3 at 12:30:05"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }
}
