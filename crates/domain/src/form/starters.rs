//! The types that a company starts with: its own from then on, to be changed as it likes.

use serde::Deserialize;

use super::{Definition, Form};
use crate::RecordType;

#[derive(Deserialize)]
struct Starter {
    #[serde(rename = "type")]
    record_type: RecordType,
    form: Form,
}

/// A service order, a deviation, an inspection with a checklist, a machine.
pub fn starters() -> Vec<(RecordType, Definition)> {
    let starters: Vec<Starter> =
        serde_json::from_str(include_str!("starters.json")).expect("the starters are forms");
    let sound =
        |it: Starter| (it.record_type, Definition::new(it.form).expect("the starters are sound"));
    starters.into_iter().map(sound).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;
    use crate::form::{Field, Labels};

    #[test]
    fn starters_are_sound_and_say_all_in_three_languages() {
        let all = starters();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["service_order", "deviation", "inspection", "machine"]);
        for (name, definition) in &all {
            let form = definition.form();
            let whole =
                |labels: &Labels| labels.sv.is_some() && labels.en.is_some() && labels.de.is_some();
            let of_field = |field: &Field| {
                let choices = field.options.iter().chain(&field.lines);
                whole(&field.labels) && choices.clone().all(|it| whole(&it.labels))
            };
            assert!(whole(&form.labels), "{name}");
            assert!(form.states.iter().all(|state| whole(&state.labels)), "{name}");
            for field in &form.fields {
                assert!(
                    of_field(field) && field.columns.iter().all(of_field),
                    "{name}: {}",
                    field.name
                );
            }
            assert!(form.json_schema(Language::En)["properties"].is_object());
        }
    }
}
