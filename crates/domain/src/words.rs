//! The words that a record is found by. Letters are told apart as people do: case and the way in which an accent is
//! encoded do not count, å is not a. A part number is found whole and by its parts: of SKF6205-2RS these are skf62052rs,
//! skf6205, 2rs, skf and 6205.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::{Comment, Record, RecordId};

/// Nobody types more of a word. What is longer is found by its beginning.
pub const WORD_CHARS_MAX: usize = 40;
/// Of a record: as many as three pages of text have. The title's and the number's come first.
pub const WORDS_MAX: usize = 1_000;
/// Of a question.
pub const QUERY_WORDS_MAX: usize = 10;

/// A word of a question that is shorter than this is looked for as it is. So many words begin with two letters that
/// these say nothing.
pub const BEGINNING_CHARS_MIN: usize = 3;

/// Whether a word is what somebody asks for: it begins so.
pub fn is_asked(word: &str, asked: &str) -> bool {
    if asked.chars().nth(BEGINNING_CHARS_MIN - 1).is_some() {
        word.starts_with(asked)
    } else {
        word == asked
    }
}

/// The words of a question. A record is found that has a word for each of them. `None`: there are too many.
pub fn query(text: &str) -> Option<BTreeSet<String>> {
    let words: BTreeSet<String> = runs(&folded(text)).map(cut).collect();
    (words.len() <= QUERY_WORDS_MAX).then_some(words)
}

/// The words of a record: of its title, its number and all texts of its fields.
pub fn of_record(record: &Record) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    add(record.title.as_str(), &mut words);
    if let Some(number) = &record.number {
        add(number.as_str(), &mut words);
    }
    for value in record.fields.as_map().values() {
        add_texts(value, &mut words);
    }
    words
}

/// The words of what somebody says.
pub fn of_comment(comment: &Comment) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    add(comment.text.as_str(), &mut words);
    words
}

fn add_texts(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        // Ids are no words.
        Value::String(text) if text.parse::<RecordId>().is_ok() => {}
        Value::String(text) => add(text, words),
        Value::Array(items) => items.iter().for_each(|it| add_texts(it, words)),
        Value::Object(members) => members.values().for_each(|it| add_texts(it, words)),
        // Figures are not what people look for.
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add(text: &str, words: &mut BTreeSet<String>) {
    let mut insert = |word: &str| {
        if words.len() < WORDS_MAX && !word.is_empty() {
            words.insert(cut(word));
        }
    };
    for token in folded(text).split_whitespace() {
        let parts: Vec<&str> = runs(token).collect();
        if parts.len() > 1 {
            insert(&parts.concat());
        }
        for part in parts {
            insert(part);
            letters_and_digits(part).for_each(&mut insert);
        }
    }
}

/// Without the ways in which one text is written differently: NFKC, lower case.
fn folded(text: &str) -> String {
    let lower: String = text.nfkc().collect::<String>().to_lowercase();
    lower.nfkc().map(|c| if c == 'ς' { 'σ' } else { c }).collect::<String>().replace('ß', "ss")
}

/// What stands between all that is neither a letter nor a digit.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_part =
        |c: char| c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c);
    text.split(move |c| !is_part(c)).filter(|run| !run.is_empty())
}

/// Of a run with both, its runs of letters and of digits, unless they are single.
fn letters_and_digits(run: &str) -> impl Iterator<Item = &str> {
    let mut starts = vec![0];
    let mut before = None;
    for (at, c) in run.char_indices() {
        if before.is_some_and(|before: char| before.is_numeric() != c.is_numeric()) {
            starts.push(at);
        }
        before = Some(c);
    }
    starts.push(run.len());
    let pieces: Vec<&str> = starts.windows(2).map(|it| &run[it[0]..it[1]]).collect();
    let several = pieces.len() > 1;
    pieces.into_iter().filter(move |piece| several && piece.chars().nth(1).is_some())
}

fn cut(word: &str) -> String {
    word.chars().take(WORD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(title: &str) -> Vec<String> {
        let json = serde_json::json!({ "type": "note", "title": title });
        let record: Record = serde_json::from_value(json).unwrap();
        of_record(&record).into_iter().collect()
    }

    #[test]
    fn a_part_number_is_found_whole_and_in_parts() {
        assert_eq!(words("SKF6205-2RS"), ["2rs", "6205", "rs", "skf", "skf6205", "skf62052rs"]);
        assert_eq!(words("DEV-1042"), ["1042", "dev", "dev1042"]);
        assert_eq!(words("M8"), ["m8"]);
    }

    #[test]
    fn case_and_encoding_do_not_count_and_letters_do() {
        assert_eq!(words("LÄCKAGE"), words("la\u{308}ckage"));
        assert_eq!(words("Åsa"), ["åsa"]);
        assert_ne!(words("Åsa"), words("Asa"));
        assert_eq!(words("STRASSE"), words("Straße"));
        assert_eq!(words("ﬁlter ２０"), ["20", "filter"]);
    }

    #[test]
    fn texts_within_fields_are_words_and_ids_are_not() {
        let json = serde_json::json!({
            "type": "note", "title": "x",
            "fields": { "a": ["Oil leak", { "b": "M8" }], "id": "01KEZ00000RECRDAAAAAAAAAAA", "n": 12.5, "ok": true },
        });
        let record: Record = serde_json::from_value(json).unwrap();
        let words: Vec<String> = of_record(&record).into_iter().collect();
        assert_eq!(words, ["leak", "m8", "oil", "x"]);
    }

    #[test]
    fn long_texts_and_words_have_limits() {
        assert_eq!(words(&"a".repeat(100)), ["a".repeat(WORD_CHARS_MAX)]);
        let text: String = (0..2_000).map(|n| format!("w{n:04}x ")).collect();
        let json = serde_json::json!({ "type": "note", "title": "first", "fields": { "t": text } });
        let record: Record = serde_json::from_value(json).unwrap();
        let words = of_record(&record);
        assert_eq!(words.len(), WORDS_MAX);
        assert!(words.contains("first"));
    }

    #[test]
    fn a_question_is_its_words() {
        let asked: Vec<String> = query(" Läckage, SKF6205-2RS! ").unwrap().into_iter().collect();
        assert_eq!(asked, ["2rs", "läckage", "skf6205"]);
        assert!(query(" -- ").unwrap().is_empty());
        assert!(query("a b c d e f g h i j").is_some() && query("a b c d e f g h i j k").is_none());
    }
}
