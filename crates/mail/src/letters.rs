//! What each letter says, in each language: as text, and as HTML that says the same. Whatever people have named is
//! escaped, and no link stands in a name.

use std::fmt::Write as _;

use domain::{CompanyName, Language, PersonName};

/// A letter, whoever it goes to. Its link opens something, so it cannot be printed.
pub struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// A letter as its parts: what the person reads, a link if there is one, and what they read below it.
pub(crate) struct Parts<'a> {
    pub(crate) language: Language,
    pub(crate) subject: String,
    pub(crate) before: Vec<String>,
    /// What the link does, and where it leads.
    pub(crate) link: Option<(&'a str, &'a str)>,
    pub(crate) after: Vec<&'a str>,
}

/// To somebody who wants to sign a company up.
pub fn sign_up(language: Language, link: &str) -> Letter {
    let (subject, before, button, after) = match language {
        Language::Sv => (
            "Skapa ditt konto",
            "Du har bett om att skapa ett konto för ditt företag.",
            "Skapa konto",
            "Länken gäller i ett dygn. Om du inte har bett om den behöver du inte göra något.",
        ),
        Language::En => (
            "Create your account",
            "You asked to create an account for your company.",
            "Create account",
            "The link works for a day. If you did not ask for it, you need not do anything.",
        ),
        Language::De => (
            "Konto anlegen",
            "Sie möchten ein Konto für Ihr Unternehmen anlegen.",
            "Konto anlegen",
            "Der Link gilt einen Tag. Wenn Sie ihn nicht angefordert haben, müssen Sie nichts tun.",
        ),
    };
    simple(language, subject, before, (button, link), after)
}

/// To somebody who wants to sign up under an address that has an account.
pub fn signed_up_before(language: Language, link: &str) -> Letter {
    let (subject, before, button, after) = match language {
        Language::Sv => (
            "Du har redan ett konto",
            "Du har bett om att skapa ett konto, men din e-postadress har redan ett.",
            "Logga in",
            "Om du har glömt lösenordet kan du välja ett nytt på samma sida. Om du inte har bett om detta behöver du \
             inte göra något.",
        ),
        Language::En => (
            "You have an account already",
            "You asked to create an account, but your e-mail address has one already.",
            "Log in",
            "If you forgot your password, you can set a new one on the same page. If you did not ask for this, you \
             need not do anything.",
        ),
        Language::De => (
            "Sie haben bereits ein Konto",
            "Sie möchten ein Konto anlegen, aber zu Ihrer E-Mail-Adresse gibt es bereits eines.",
            "Anmelden",
            "Wenn Sie Ihr Passwort vergessen haben, können Sie dort ein neues setzen. Wenn Sie dies nicht angefordert \
             haben, müssen Sie nichts tun.",
        ),
    };
    simple(language, subject, before, (button, link), after)
}

/// To somebody who has forgotten their password.
pub fn reset(language: Language, link: &str) -> Letter {
    let (subject, before, button, after) = match language {
        Language::Sv => (
            "Välj ett nytt lösenord",
            "Du har bett om att välja ett nytt lösenord.",
            "Välj nytt lösenord",
            "Länken gäller i ett dygn och kan användas en gång. Om du inte har bett om den behöver du inte göra något: \
             ditt lösenord gäller fortfarande.",
        ),
        Language::En => (
            "Set a new password",
            "You asked to set a new password.",
            "Set a new password",
            "The link works for a day, once. If you did not ask for it, you need not do anything: your password stays \
             as it is.",
        ),
        Language::De => (
            "Neues Passwort setzen",
            "Sie möchten ein neues Passwort setzen.",
            "Neues Passwort setzen",
            "Der Link gilt einen Tag und nur einmal. Wenn Sie ihn nicht angefordert haben, müssen Sie nichts tun: Ihr \
             Passwort bleibt, wie es ist.",
        ),
    };
    simple(language, subject, before, (button, link), after)
}

/// To somebody who has forgotten the password of an account that does not exist.
pub fn no_account(language: Language, link: &str) -> Letter {
    let (subject, before, button, after) = match language {
        Language::Sv => (
            "Det finns inget konto",
            "Du har bett om att välja ett nytt lösenord, men din e-postadress har inget konto. Kanske loggar du in med \
             en annan adress, eller med ett namn som din arbetsgivare har gett dig.",
            "Skapa konto",
            "Länken gäller i ett dygn. Om du inte har bett om detta behöver du inte göra något.",
        ),
        Language::En => (
            "There is no account",
            "You asked to set a new password, but your e-mail address has no account. Perhaps you log in with another \
             address, or with a name that your employer gave you.",
            "Create account",
            "The link works for a day. If you did not ask for this, you need not do anything.",
        ),
        Language::De => (
            "Es gibt kein Konto",
            "Sie möchten ein neues Passwort setzen, aber zu Ihrer E-Mail-Adresse gibt es kein Konto. Vielleicht melden \
             Sie sich mit einer anderen Adresse an, oder mit einem Namen, den Ihr Arbeitgeber Ihnen gegeben hat.",
            "Konto anlegen",
            "Der Link gilt einen Tag. Wenn Sie dies nicht angefordert haben, müssen Sie nichts tun.",
        ),
    };
    simple(language, subject, before, (button, link), after)
}

/// To somebody whom a colleague invites.
pub fn invitation(
    language: Language,
    company: &CompanyName,
    inviter: Option<&PersonName>,
    link: &str,
) -> Letter {
    let company = company.as_str();
    let (subject, before, button, after) = match (language, inviter.map(PersonName::as_str)) {
        (Language::Sv, inviter) => (
            format!("Inbjudan till {company}"),
            match inviter {
                Some(inviter) => format!("{inviter} bjuder in dig till {company} i AM Service."),
                None => format!("Du är inbjuden till {company} i AM Service."),
            },
            "Öppna inbjudan",
            "Länken kan användas en gång. Om du inte känner till företaget behöver du inte göra något.",
        ),
        (Language::En, inviter) => (
            format!("Invitation to {company}"),
            match inviter {
                Some(inviter) => format!("{inviter} invites you to {company} in AM Service."),
                None => format!("You are invited to {company} in AM Service."),
            },
            "Open the invitation",
            "The link works once. If you do not know the company, you need not do anything.",
        ),
        (Language::De, inviter) => (
            format!("Einladung zu {company}"),
            match inviter {
                Some(inviter) => format!("{inviter} lädt Sie zu {company} in AM Service ein."),
                None => format!("Sie sind zu {company} in AM Service eingeladen."),
            },
            "Einladung öffnen",
            "Der Link gilt nur einmal. Wenn Sie das Unternehmen nicht kennen, müssen Sie nichts tun.",
        ),
    };
    let link = Some((button, link));
    Parts { language, subject, before: vec![before], link, after: vec![after] }.letter()
}

/// To somebody who has logged in where they never did before.
pub fn new_device(language: Language, device: &str, when: &str, link: &str) -> Letter {
    let (subject, before, button, after) = match language {
        Language::Sv => (
            "Ny inloggning",
            [
                "Någon har loggat in på ditt konto från en ny enhet.".to_owned(),
                format!("Enhet: {device}"),
                format!("Tid: {when}"),
            ],
            "Öppna AM Service",
            "Om det inte var du: byt lösenord nu. Då avslutas alla andra inloggningar.",
        ),
        Language::En => (
            "New log-in",
            [
                "Somebody has logged in to your account from a new device.".to_owned(),
                format!("Device: {device}"),
                format!("Time: {when}"),
            ],
            "Open AM Service",
            "If it was not you: change your password now. That ends all other log-ins.",
        ),
        Language::De => (
            "Neue Anmeldung",
            [
                "Jemand hat sich mit einem neuen Gerät bei Ihrem Konto angemeldet.".to_owned(),
                format!("Gerät: {device}"),
                format!("Zeit: {when}"),
            ],
            "AM Service öffnen",
            "Wenn Sie das nicht waren: Ändern Sie jetzt Ihr Passwort. Das beendet alle anderen Anmeldungen.",
        ),
    };
    let (subject, before, link) = (subject.to_owned(), before.to_vec(), Some((button, link)));
    Parts { language, subject, before, link, after: vec![after] }.letter()
}

fn simple(
    language: Language,
    subject: &str,
    before: &str,
    link: (&str, &str),
    after: &str,
) -> Letter {
    let (subject, before) = (subject.to_owned(), vec![before.to_owned()]);
    Parts { language, subject, before, link: Some(link), after: vec![after] }.letter()
}

impl Parts<'_> {
    pub(crate) fn letter(self) -> Letter {
        let (mut text, mut html) = (String::new(), String::new());
        let paragraph = |text: &mut String, html: &mut String, words: &str| {
            let _ = write!(text, "{words}\n\n");
            let _ = writeln!(html, "<p>{}</p>", escaped(words));
        };
        for words in &self.before {
            paragraph(&mut text, &mut html, &one_line(words));
        }
        if let Some((does, link)) = self.link {
            let _ = write!(text, "{does}:\n{link}\n\n");
            let (does, link) = (escaped(does), escaped(link));
            // The link stands there to be read too: people are right not to press what they cannot see.
            let _ = writeln!(html, "<p><a href=\"{link}\">{does}</a></p>\n<p>{link}</p>");
        }
        for words in &self.after {
            paragraph(&mut text, &mut html, words);
        }
        let code = self.language.code();
        let html = format!(
            "<!doctype html>\n<html lang=\"{code}\">\n<head><meta charset=\"utf-8\"></head>\n<body>\n{html}\
             <p>AM Service</p>\n</body>\n</html>\n"
        );
        text.push_str("AM Service\n");
        Letter { subject: one_line(&self.subject), text, html }
    }
}

/// What people have named has no line breaks: none of them writes a header, or a line of ours.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{News, What, daily};

    const LINK: &str = "https://am.example.com/x#am1s_TOKEN";

    fn shown(letter: &Letter) -> String {
        format!("Subject: {}\n\n{}\n---\n{}", letter.subject, letter.text, letter.html)
    }

    #[test]
    fn every_letter_says_what_it_should_in_every_language() {
        let company: CompanyName = "Verkstad AB".to_owned().try_into().unwrap();
        let inviter: PersonName = "Eva Ek".to_owned().try_into().unwrap();
        let what = [What::Assigned, What::Mentioned, What::Commented, What::Changed];
        let news = what.map(|what| News {
            what,
            by: Some("Eva Ek"),
            number: Some("DEV-7"),
            title: "Crack",
        });
        let unnamed = News { what: What::Changed, by: None, number: None, title: "Press 4" };
        let news: Vec<News<'_>> = news.into_iter().chain([unnamed]).collect();
        for language in Language::ALL {
            let letters = [
                sign_up(language, LINK),
                signed_up_before(language, LINK),
                reset(language, LINK),
                no_account(language, LINK),
                invitation(language, &company, Some(&inviter), LINK),
                new_device(language, "Firefox", "2026-11-28 06:00 UTC", LINK),
                daily(language, &company, &news, LINK),
            ];
            let all: Vec<String> = letters.iter().map(shown).collect();
            let name = format!("letters_{}", language.code());
            insta::assert_snapshot!(name, all.join("\n=====\n\n"));
        }
    }

    #[test]
    fn a_name_is_text_in_a_letter_and_nothing_else() {
        let hostile = "<a href=\"https://evil.example\">Verkstad</a> & 'Co'";
        let company: CompanyName = hostile.to_owned().try_into().unwrap();
        let letter = invitation(Language::En, &company, None, LINK);
        assert!(!letter.html.contains("<a href=\"https://evil"), "{}", letter.html);
        assert!(letter.html.contains("&lt;a href=&quot;https://evil.example&quot;&gt;"));
        let device = new_device(Language::En, "a\r\nBcc: b@example.com", "now", LINK);
        assert!(device.text.contains("Device: a  Bcc: b@example.com\n"), "{}", device.text);
    }
}
