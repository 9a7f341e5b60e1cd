//! Personal data does not leave with a crash.

use std::net::{IpAddr, SocketAddr};

use domain::token::PREFIX;

/// What words are parted by, beside white space: what quotes, encloses or joins values. Not a colon,
/// which is within some addresses.
const BETWEEN: &str = "\"'`<>()[]{},;=|#/\\&?!";

/// Folders that have a folder for each person: on Windows in any case, and with spaces in the names.
const HOMES: [&str; 2] = ["home", "Users"];

/// `text` without e-mail addresses, network addresses, session tokens and the names of home folders.
pub fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut home = None;
    while !rest.is_empty() {
        if let Some(separator) = home.take() {
            let name = rest.find(|c| ends_name(separator, c)).unwrap_or(rest.len());
            clean.push_str(if name == 0 { "" } else { "[user]" });
            rest = &rest[name..];
        }
        let end = rest.find(is_between).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        clean.push_str(stand_in(word).unwrap_or(word));
        let separators = behind.find(|c| !is_between(c)).unwrap_or(behind.len());
        let (separators, behind) = behind.split_at(separators);
        clean.push_str(separators);
        rest = behind;
        // Backslashes come in pairs where a path is written in JSON.
        home = match separators {
            "/" if HOMES.contains(&word) => Some('/'),
            "\\" | "\\\\" if HOMES.iter().any(|it| word.eq_ignore_ascii_case(it)) => Some('\\'),
            _ => None,
        };
    }
    clean
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || BETWEEN.contains(c)
}

/// Where the name of a home folder ends.
fn ends_name(separator: char, c: char) -> bool {
    match separator {
        '/' => is_between(c),
        _ => "\\/:;,\"'<>|?*\n\r".contains(c),
    }
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
    [word, bare, before, after].into_iter().any(is_address).then_some("[address]")
}

/// With a digit, or `add::` and `dead::beef`, which are code, would be some.
fn is_address(part: &str) -> bool {
    let part = part.split('%').next().unwrap_or(part);
    let parsed = part.parse::<IpAddr>().is_ok() || part.parse::<SocketAddr>().is_ok();
    parsed && part.contains(|c: char| c.is_ascii_digit())
}

/// Endings of files, which have an `@` in them for other reasons: `icon@2x.png`.
const FILES: [&str; 9] = ["css", "gif", "jpeg", "jpg", "js", "png", "svg", "ts", "webp"];

/// Something at a place. Not `@sentry`, a package, nor `app@1.2.3`, a release, nor `Order@1b2c3d`, an
/// object in memory.
fn is_email(word: &str) -> bool {
    let parted = word.rsplit_once('@').or_else(|| word.rsplit_once("%40"));
    let Some((local, place)) = parted else { return false };
    let place = place.trim_end_matches('.').split(':').next().unwrap_or(place);
    if local.is_empty() || local.ends_with(':') || place.is_empty() {
        return false;
    }
    let numeric = |label: &str| label.starts_with(|c: char| c.is_ascii_digit());
    match place.rsplit_once('.') {
        None => !place.bytes().all(|byte| byte.is_ascii_hexdigit()),
        Some((_, last)) if FILES.contains(&last) => false,
        Some((_, last)) => !(numeric(place) && numeric(last)) || place.parse::<IpAddr>().is_ok(),
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
                "open /home/[user]/a.txt, C:\\Users\\[user]",
            ),
            (r"C:\\Users\\eva\\a.js", r"C:\\Users\\[user]\\a.js"),
            (r"c:\users\Eva Ek\app\a.js: gone", r"c:\users\[user]\app\a.js: gone"),
            ("\"C:\\Users\\Eva Ek\" at home", "\"C:\\Users\\[user]\" at home"),
            ("/home/ /Users/", "/home/ /Users/"),
            ("fe80::1%en0, add::<u8>, dead::beef, ::", "[address], add::<u8>, dead::beef, ::"),
            (
                "icon@2x.png, Order@1b2c3d, npm:@sentry/node",
                "icon@2x.png, Order@1b2c3d, npm:@sentry/node",
            ),
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
