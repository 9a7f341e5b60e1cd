//! The letter of a morning: what somebody was told and has not read.

use domain::{CompanyName, Language};

use crate::Letter;
use crate::letters::Parts;

/// A letter names no more; the page has the rest.
const NAMED_MAX: usize = 20;

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Assigned,
    Mentioned,
    Commented,
    Changed,
}

/// Something that somebody was told.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    pub what: What,
    /// Who has done it, if that is known.
    pub by: Option<&'a str>,
    /// What people call the record.
    pub number: Option<&'a str>,
    pub title: &'a str,
}

impl News<'_> {
    fn line(&self, language: Language) -> String {
        let by = self.by.unwrap_or(match language {
            Language::Sv => "Någon",
            Language::En => "Somebody",
            Language::De => "Jemand",
        });
        let record = match self.number {
            Some(number) => format!("{number} {}", self.title),
            None => self.title.to_owned(),
        };
        match (language, self.what) {
            (Language::Sv, What::Assigned) => format!("{by} har tilldelat dig: {record}"),
            (Language::Sv, What::Mentioned) => format!("{by} har nämnt dig: {record}"),
            (Language::Sv, What::Commented) => format!("{by} har kommenterat: {record}"),
            (Language::Sv, What::Changed) => format!("{by} har ändrat: {record}"),
            (Language::En, What::Assigned) => format!("{by} has assigned to you: {record}"),
            (Language::En, What::Mentioned) => format!("{by} has mentioned you: {record}"),
            (Language::En, What::Commented) => format!("{by} has commented on: {record}"),
            (Language::En, What::Changed) => format!("{by} has changed: {record}"),
            (Language::De, What::Assigned) => format!("{by} hat Ihnen zugewiesen: {record}"),
            (Language::De, What::Mentioned) => format!("{by} hat Sie erwähnt: {record}"),
            (Language::De, What::Commented) => format!("{by} hat kommentiert: {record}"),
            (Language::De, What::Changed) => format!("{by} hat geändert: {record}"),
        }
    }
}

/// To somebody who wants to hear each day what concerns them: the newest first.
pub fn daily(language: Language, company: &CompanyName, news: &[News<'_>], link: &str) -> Letter {
    let (company, more) = (company.as_str(), news.len().saturating_sub(NAMED_MAX));
    let (subject, rest, button, after) = match language {
        Language::Sv => (
            format!("Nytt för dig hos {company}"),
            format!("Och {more} till."),
            "Öppna inkorgen",
            "Du får det här varje dag för att du har valt det. Det väljer du bort på samma sida.",
        ),
        Language::En => (
            format!("News for you at {company}"),
            format!("And {more} more."),
            "Open the inbox",
            "You get this every day because you chose to. You can end it on the same page.",
        ),
        Language::De => (
            format!("Neues für Sie bei {company}"),
            format!("Und {more} weitere."),
            "Eingang öffnen",
            "Sie erhalten dies täglich, weil Sie es so gewählt haben. Auf derselben Seite können Sie es beenden.",
        ),
    };
    let lines = news.iter().take(NAMED_MAX).map(|it| it.line(language));
    let before = lines.chain((more > 0).then_some(rest)).collect();
    Parts { language, subject, before, link: Some((button, link)), after: vec![after] }.letter()
}
