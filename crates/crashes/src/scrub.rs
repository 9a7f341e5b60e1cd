//! Personal data does not leave with a crash.

use std::net::{IpAddr, SocketAddr};

use domain::token::PREFIX;

/// What words are parted by, beside white space: what quotes, encloses or joins values. Not a colon,
/// which is within some addresses.
const BETWEEN: &str = "\"'`<>()[]{},;=|#/\\&?!";

/// Folders that have a folder for each person.
const HOMES: [&str; 2] = ["home", "Users"];

/// `text` without e-mail addresses, network addresses, session tokens and the names of home folders.
pub fn scrub(text: &str) -> String {
    let parts = text.split_inclusive(|c: char| c.is_whitespace() || BETWEEN.contains(c));
    let mut clean = String::with_capacity(text.len());
    let mut in_homes = false;
    for part in parts {
        let word = part.trim_end_matches(|c: char| c.is_whitespace() || BETWEEN.contains(c));
        let separator = &part[word.len()..];
        let folder = separator.starts_with(['/', '\\']);
        let stand_in =
            stand_in(word).or_else(|| (in_homes && !word.is_empty()).then_some("[user]"));
        clean.push_str(stand_in.unwrap_or(word));
        clean.push_str(separator);
        // Two separators may follow each other: C:\\Users\\eva, as it is written in JSON.
        in_homes = folder && (HOMES.contains(&word) || (in_homes && word.is_empty()));
    }
    clean
}

fn stand_in(word: &str) -> Option<&'static str> {
    if is_email(word) {
        return Some("[email]");
    }
    if word.contains(PREFIX) {
        return Some("[token]");
    }
    // With a port behind it, or a word before it.
    let bare = word.trim_end_matches(['.', ':']);
    let before = word.rsplit_once(':').map_or(word, |(before, _)| before);
    let after = word.split_once(':').map_or(word, |(_, after)| after);
    let is_address =
        |part: &str| part.parse::<IpAddr>().is_ok() || part.parse::<SocketAddr>().is_ok();
    [word, bare, before, after].into_iter().any(is_address).then_some("[address]")
}

/// Something at a place. Not `@sentry`, a package, nor `app@1.2.3`, a release.
fn is_email(word: &str) -> bool {
    let parted = word.rsplit_once('@').or_else(|| word.rsplit_once("%40"));
    let Some((local, place)) =
        parted.filter(|(local, place)| !local.is_empty() && !place.is_empty())
    else {
        return false;
    };
    let numeric = |label: &str| label.starts_with(|c: char| c.is_ascii_digit());
    let is_release = numeric(place) && place.rsplit('.').next().is_some_and(numeric);
    local.contains('@') || !is_release || place.parse::<IpAddr>().is_ok()
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
            ("{\"email\":\"eva@example.com\",\"n\":1}", "{\"email\":\"[email]\",\"n\":1}"),
            ("user=<Éva@exämple.com>;", "user=<[email]>;"),
            ("GET /x?email=eva%40example.com", "GET /x?email=[email]"),
            ("from 192.0.2.7:4711, via 2001:db8::1", "from [address], via [address]"),
            ("[2001:db8::1]:443 and 10.0.0.1", "[[address]]:443 and [address]"),
            ("Bearer am1_AZu-AAAAZnVMKUpS", "Bearer [token]"),
            ("at SOURCE#192.0.2.7/ATTEMPTS#192.0.2.7", "at SOURCE#[address]/ATTEMPTS#[address]"),
            ("a network: 2001:db8:1:2::, and ::1.", "a network: [address], and [address]"),
            ("http://192.0.2.7:8080/x ip:192.0.2.7:80", "http://[address]/x [address]"),
            (
                "open /home/eva/a.txt, C:\\Users\\eva ek",
                "open /home/[user]/a.txt, C:\\Users\\[user] ek",
            ),
            (r"C:\\Users\\eva\\a.js", r"C:\\Users\\[user]\\a.js"),
            ("/srv/homepage/users/x at home /x", "/srv/homepage/users/x at home /x"),
            ("at eva@192.0.2.7, eva@3.example.com", "at [email], [email]"),
            (
                "node_modules/@sentry/node, app@1.2.3, @, a@",
                "node_modules/@sentry/node, app@1.2.3, @, a@",
            ),
            ("version 1.2.3 at 12:30:05", "version 1.2.3 at 12:30:05"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }
}
