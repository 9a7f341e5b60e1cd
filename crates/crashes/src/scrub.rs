//! Personal data does not leave with a crash.

use std::net::{IpAddr, SocketAddr};

use domain::token::PREFIXES;

/// What words are parted by, beside white space: what quotes, encloses or joins values. Not a colon,
/// which is within some addresses.
const BETWEEN: &str = "\"'`<>()[]{},;=|#/\\&?!";

/// Folders that have a folder for each person: on Windows in any case, and with spaces in the names.
const HOMES: [&str; 2] = ["home", "Users"];

/// What of a link opens the file that it leads to.
const KEYS: [&str; 2] = ["X-Amz-Signature", "X-Amz-Security-Token"];

/// `text` without e-mail addresses, network addresses, session tokens, the keys in links and the names
/// of home folders.
pub fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut home = None;
    let (mut before, mut is_key) = ("", false);
    while !rest.is_empty() {
        if let Some(separator) = home.take() {
            let name = rest.find(|c| ends_name(separator, c)).unwrap_or(rest.len());
            // A quote that ends, and no O'Brien.
            let name = rest[..name].find("' ").unwrap_or(name);
            clean.push_str(if name == 0 { "" } else { "[user]" });
            rest = &rest[name..];
        }
        let end = rest.find(is_between).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        clean.push_str(if is_key { "[key]" } else { stand_in(word).unwrap_or(word) });
        let separators = behind.find(|c| !is_between(c)).unwrap_or(behind.len());
        let (separators, behind) = behind.split_at(separators);
        clean.push_str(separators);
        rest = behind;
        is_key = separators == "=" && KEYS.contains(&word);
        // Backslashes come in pairs where a path is written in JSON, and in fours where that is.
        let windows =
            separators.bytes().all(|byte| byte == b'\\') || separators == "/" && is_drive(before);
        home = match separators {
            "" => None,
            _ if windows && HOMES.iter().any(|it| word.eq_ignore_ascii_case(it)) => Some('\\'),
            "/" if HOMES.contains(&word) => Some('/'),
            _ => None,
        };
        before = word;
    }
    clean
}

/// White space, what is listed, and what typography has for it: quotes, dashes, an ellipsis. Not every
/// sign, since names are written with some: `A` and a ring for `Å`, an apostrophe, a hyphen.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || BETWEEN.contains(c)
        || matches!(c, '\u{ab}' | '\u{bb}' | '\u{2012}'..='\u{2018}' | '\u{201a}'..='\u{205e}')
        || matches!(c, '\u{3001}'..='\u{301f}')
}

/// `C:`, before a path with either slash.
fn is_drive(word: &str) -> bool {
    matches!(word.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// Where the name of a home folder ends.
fn ends_name(separator: char, c: char) -> bool {
    match separator {
        '/' => c.is_whitespace() || BETWEEN.contains(c),
        // There may be a `'` in it: O'Brien.
        _ => "\\/:;,\"<>|?*\n\r".contains(c),
    }
}

fn stand_in(word: &str) -> Option<&'static str> {
    if is_email(word) {
        return Some("[email]");
    }
    if has_token(word) {
        return Some("[token]");
    }
    if has_encoded_home(word) {
        return Some("[path]");
    }
    // With a port behind it, a word before it, or another one.
    let bare = word.trim_end_matches(['.', ':', '\u{2019}']);
    let range = bare.split_once('-').is_some_and(|(from, to)| is_address(from) && is_address(to));
    let found = [word, bare].into_iter().any(|word| {
        let before = word.rsplit_once(':').map_or(word, |(before, _)| before);
        let after = word.split_once(':').map_or(word, |(_, after)| after);
        [word, before, after].into_iter().any(is_address)
    });
    (range || found).then_some("[address]")
}

/// A token, or what was cut off it. Not `param1_value`.
fn has_token(word: &str) -> bool {
    let of_tokens = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let found = PREFIXES.iter().flat_map(|prefix| word.match_indices(prefix));
    found.into_iter().any(|(at, prefix)| {
        let behind = &word[at + prefix.len()..];
        let long = behind.find(|c| !of_tokens(c)).unwrap_or(behind.len()) >= 16;
        long || !word[..at].ends_with(of_tokens)
    })
}

/// A path below a home folder, as it is written within a URL.
fn has_encoded_home(word: &str) -> bool {
    // Most words have none.
    word.contains('%') && {
        let word = word.to_ascii_lowercase();
        ["%2fhome%2f", "%2fusers%2f"].iter().any(|home| word.contains(home))
    }
}

/// With a digit, or `add::` and `dead::beef`, which are code, would be some.
fn is_address(part: &str) -> bool {
    let part = part.split('%').next().unwrap_or(part);
    let parsed = part.parse::<IpAddr>().is_ok() || part.parse::<SocketAddr>().is_ok();
    parsed && part.contains(|c: char| c.is_ascii_digit())
}

/// Endings of files, which have an `@` in them for other reasons: `icon@2x.png`.
const FILES: [&str; 9] = ["css", "gif", "jpeg", "jpg", "js", "png", "svg", "ts", "webp"];

/// What a place is not, but a URL behind an `@`: `load@https://example.com/app.js`, in some stacks.
const SCHEMES: [&str; 4] = ["app:", "file:", "http:", "https:"];

/// Something at a place. Not `@sentry`, a package, nor `app@1.2.3`, a release, nor `Order@1b2c3d`, an
/// object in memory.
fn is_email(word: &str) -> bool {
    let parted = word.rsplit_once('@').or_else(|| word.rsplit_once("%40"));
    let Some((local, place)) = parted else { return false };
    if SCHEMES.contains(&place) {
        return false;
    }
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
            ("C:/Users/Eva Ek/app.db, c:/users/eva/b", "C:/Users/[user]/app.db, c:/users/[user]/b"),
            (
                r"C:\Users\O'Brien\a, C:\\\\Users\\\\eva\\\\b",
                r"C:\Users\[user]\a, C:\\\\Users\\\\[user]\\\\b",
            ),
            ("/Users/A\u{30a}sa/x, /Users/Åsa–Berg/x", "/Users/[user]/x, /Users/[user]/x"),
            (
                r"open 'C:\Users\eva' is full, C: users cannot be listed",
                r"open 'C:\Users\[user]' is full, C: users cannot be listed",
            ),
            ("o’brien@example.com at ‘192.0.2.7’", "[email] at ‘[address]"),
            ("ip:2001:db8:1:2::, net:fe80::1.", "[address], [address]"),
            ("src=file%3A%2F%2F%2FUsers%2Feva%2Fa.js", "src=[path]"),
            ("“192.0.2.7”, „eva@example.com“…", "“[address]”, „[email]“…"),
            ("addr:192.0.2.7. ip:2001:db8::1. for:192.0.2.7:", "[address] [address] [address]"),
            ("host:192.0.2.7:443. 192.0.2.1-192.0.2.9", "[address] [address]"),
            ("/1?X-Amz-Signature=a1b2&X-Amz-Date=3", "/1?X-Amz-Signature=[key]&X-Amz-Date=3"),
            (
                "param1_value, stream1_reader, =%3Dam1_AZu-AAAAZnVMKUpS",
                "param1_value, stream1_reader, =[token]",
            ),
            ("load@https://example.com/app.js:1:2", "load@https://example.com/app.js:1:2"),
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
