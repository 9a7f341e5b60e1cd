//! What a password may be.

use std::fmt;

use domain::RuleError;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use crate::common;

/// NIST SP 800-63B-4 for a password that is the only factor.
pub const PASSWORD_CHARS_MIN: usize = 15;
/// Twice what NIST asks to allow; hashing costs the same for any length below.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// What is behind can only make a password harder to guess, and to judge it can take seconds.
const JUDGED_CHARS_MAX: usize = 40;

/// What many take, in languages that the judge of passwords does not know.
const EVERYDAY: [&str; 64] = [
    "sommar",
    "vinter",
    "höst",
    "våren",
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
    "måndag",
    "tisdag",
    "onsdag",
    "torsdag",
    "fredag",
    "lördag",
    "söndag",
    "lösenord",
    "losenord",
    "hemligt",
    "hejsan",
    "älskling",
    "fotboll",
    "ishockey",
    "sverige",
    "stockholm",
    "göteborg",
    "malmö",
    "företag",
    "verkstad",
    "maskin",
    "svarv",
    "fräs",
    "kvalitet",
    "avvikelse",
    "protokoll",
    "frühling",
    "winter",
    "herbst",
    "januar",
    "februar",
    "märz",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "passwort",
    "kennwort",
    "geheim",
    "fussball",
    "deutschland",
];

fn judge(text: &str, known: &[&str]) -> Score {
    let first: Zeroizing<String> = Zeroizing::new(text.chars().take(JUDGED_CHARS_MAX).collect());
    zxcvbn(&first, known).score()
}

/// A password as someone sent it, in Unicode's NFKC form. It cannot be printed, and is wiped from
/// memory when dropped.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a password may not be taken, for people, and as a code for a client that says it in the person's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("must have at least {PASSWORD_CHARS_MIN} characters; a few words in a row are good")]
    TooShort,
    #[error("is one of the passwords that are commonly taken")]
    Common,
    #[error("is too easy to guess: avoid common words and patterns, your name and company")]
    Guessable,
}

impl WeakPassword {
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::Common => "password_common",
            Self::Guessable => "password_guessable",
        }
    }
}

/// A password that someone wants to have from now on. It is none yet: it has to be accepted first.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct NewPassword(Password);

impl NewPassword {
    /// The password, if it may be one: long, none that is commonly taken, and not easily guessed from common
    /// words, keyboard patterns or `known` (the person's e-mail address, name and company), with what stands before
    /// and behind its letters or without. No rules on its composition, as NIST says. Of some texts, it takes tens
    /// of milliseconds.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn accept(self, known: &[String]) -> Result<Password, WeakPassword> {
        let text = &self.0.0;
        if text.chars().count() < PASSWORD_CHARS_MIN {
            return Err(WeakPassword::TooShort);
        }
        let bare = text.trim_matches(|c: char| !c.is_alphabetic());
        if common::is_common(text) || common::is_common(bare) {
            return Err(WeakPassword::Common);
        }
        let known: Vec<&str> = known.iter().map(String::as_str).chain(EVERYDAY).collect();
        let weak = |text: &str| judge(text, &known) < Score::Four;
        if weak(text) || (bare.len() < text.len() && weak(bare)) {
            return Err(WeakPassword::Guessable);
        }
        Ok(self.0)
    }
}

impl TryFrom<String> for Password {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let text = Zeroizing::new(text);
        // Counted before normalizing, which may lengthen a text eighteenfold.
        if text.is_empty() || text.chars().count() > PASSWORD_CHARS_MAX {
            return Err(RuleError::new(format!("must have 1 to {PASSWORD_CHARS_MAX} characters")));
        }
        Ok(Self(Zeroizing::new(text.nfkc().collect())))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(feature = "openapi")]
mod schemas {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{NewPassword, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Password};

    fn password(chars_min: usize, meaning: &str) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "writeOnly": true,
            "minLength": chars_min,
            "maxLength": PASSWORD_CHARS_MAX,
            "description": meaning,
        })
    }

    impl JsonSchema for Password {
        fn schema_name() -> Cow<'static, str> {
            "Password".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            password(1, "A password.")
        }
    }

    impl JsonSchema for NewPassword {
        fn schema_name() -> Cow<'static, str> {
            "NewPassword".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let meaning = "Hard to guess: not of common words, your name and company alone.";
            password(PASSWORD_CHARS_MIN, meaning)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let known = ["eva.ek@verkstad-ab.example", "eva.ek", "Verkstad AB", "Eva Ek"];
        let known = known.map(str::to_owned);
        let password = Password::try_from(text.to_owned()).map_err(|rule| rule.to_string())?;
        NewPassword(password).accept(&known).map(|_| ()).map_err(|weak| weak.to_string())
    }

    #[test]
    fn a_few_words_in_a_row_are_a_good_password() {
        assert_eq!(check("two lathes and a mill"), Ok(()));
        assert_eq!(check("brus på linje sju igen"), Ok(()));
        assert_eq!(check(&"grönt träd kör långsamt ".repeat(5)), Ok(()));
    }

    #[test]
    fn short_common_and_personal_passwords_are_refused() {
        for text in [
            "kort",
            "aaaaaaaaaaaaaaaaaaaa",
            "passwordpassword",
            "123456789012345",
            "qwertyuiopasdfgh",
            "eva.ek@verkstad-ab.example",
            "Verkstad ABVerkstad AB",
            "abcabcabcabcabcabc",
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple!",
            "thisismypassword",
            "ihatepasswords1",
            "iloveyousomuch123",
            "liverpoolfootballclub",
            "sommar2024sommar",
            "Winter2025Winter!",
            "Fotboll2024Fotboll",
            "todayismonday2026",
            "passwordispassword",
            "manchesterunited1",
            "stockholm2024stockholm",
            "Verkstad AB 2026!",
            "thequickbrownfox",
            "du gamla du fria",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&"x".repeat(129)).is_err());
    }

    /// Whoever makes texts that are hard to judge waits no longer than others, or not much: what is judged is
    /// short. The first of these took two seconds, the second ended the debug build.
    #[test]
    fn a_text_that_is_hard_to_judge_is_judged() {
        let hard = "651[s+t1x<2+c(30@bxz%b(6%l%le6%|84z12l%ltba41z4xte8$4x3|115i<gl$7405{eo2$<es(+49o(t4||<!tsxx%{@t0@s|";
        assert_eq!(judge(hard, &[]), judge(&hard[..JUDGED_CHARS_MAX], &[]));
        for hard in [hard.to_owned(), "3e".repeat(64), "4@8({[<369".repeat(12), "é".repeat(128)] {
            let _ = check(&hard);
        }
    }

    #[test]
    fn a_password_cannot_be_printed() {
        let password = Password::try_from("two lathes and a mill".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
    }
}
