//! The configuration as a JSON Schema, for editors: made from the rows of [`schema`](super::schema), so that it knows every key.

use super::schema::{KEYS, Key, PROXY, SECRET, SECTIONS, Shape};
use crate::model::Place;
use serde_json::{Map, Value, json};

/// The dialect that editors of TOML read.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keys without which their section is refused; of the whole file, under no name.
const REQUIRED: &[(&str, &[&str])] = &[
    ("", &["run", "product"]),
    ("run", &["currency"]),
    ("crm", &["contacts"]),
    ("product", &["name", "key"]),
    ("mrr.coupons.*", &["duration"]),
    ("fx.*", &["rate", "date"]),
];

/// Makes the schema of a value.
type Written = fn() -> Value;

/// How a value is written, by a word of what the key expects; the first that is found holds. What is none of these is text.
const WRITTEN: &[(&str, Written)] = &[
    ("or a list of them", || json!({"type": ["string", "array"], "items": {"type": "string"}})),
    ("true or false", || json!({"type": "boolean"})),
    ("list of places", || {
        let places: Vec<&str> = Place::ALL.iter().map(|place| place.as_str()).collect();
        json!({"type": "array", "items": {"enum": places}})
    }),
    (
        "digits after the point",
        || json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 4}}),
    ),
    ("a size", || json!({"type": ["string", "integer"]})),
    ("a percentage", || json!({"type": ["string", "number"]})),
    ("a fraction or a decimal", || json!({"type": ["string", "integer"]})),
    ("decimal in quotes", || json!({"type": ["string", "integer"]})),
    ("a list of exit codes", || json!({"type": "array", "items": {"enum": [0, 1, 2, 3, 4, 5, 6, 8]}})),
    ("a whole number", || json!({"type": "integer", "minimum": 0})),
    ("nothing", || json!({"const": null})),
];

/// The schema of a configuration. It knows every key and how its value is written; what values mean together (one of two
/// keys, a pattern that finds a file) only `config check` knows.
pub fn json_schema() -> Value {
    let mut properties = Map::new();
    for (name, shape) in SECTIONS {
        let section = match shape {
            Shape::Table => object(name),
            Shape::Repeated => json!({"type": "array", "items": object(name)}),
            Shape::Named => json!({"type": "object", "additionalProperties": object(&format!("{name}.*"))}),
        };
        properties.insert((*name).to_owned(), section);
    }
    json!({
        "$schema": DIALECT,
        "title": format!("Configuration of tether-recon {}", env!("CARGO_PKG_VERSION")),
        "type": "object",
        "properties": properties,
        "required": required(""),
        "additionalProperties": false,
    })
}

fn required(section: &str) -> &'static [&'static str] {
    REQUIRED.iter().find(|(of, _)| *of == section).map_or(&[], |(_, keys)| keys)
}

/// The keys of a section, and no other one.
fn object(section: &str) -> Value {
    let keys = KEYS.iter().filter(|key| key.section == section);
    let properties: Map<String, Value> = keys.map(|key| (key.name.to_owned(), property(key))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required(section),
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let below = format!("{}.{}", key.section, key.name);
    let named = format!("{below}.*");
    let has = |section: &str| KEYS.iter().any(|key| key.section == section);
    let mut said = if has(&below) {
        object(&below)
    } else if key.expects == SECRET {
        object("product.key")
    } else if key.expects == PROXY {
        let mut either = object("product.key");
        either["type"] = json!(["string", "object"]);
        either
    } else if has(&named) {
        // Either the words, or a table of the user's own names.
        json!({"type": ["string", "object"], "additionalProperties": object(&named)})
    } else if let Some(words) = words(key.expects) {
        json!({"enum": words})
    } else {
        WRITTEN
            .iter()
            .find(|(word, _)| key.expects.contains(word))
            .map_or_else(|| json!({"type": "string"}), |(_, as_)| as_())
    };
    if let Some(said) = said.as_object_mut() {
        let default = if key.default.is_empty() { String::new() } else { format!(" Default: {}.", key.default) };
        let expects = key.expects;
        said.insert("description".into(), format!("{}; write {expects}.{default}", key.doc).into());
    }
    said
}

/// The words of a key that takes some words only: `"unit" or "total"`.
fn words(expects: &str) -> Option<Vec<&str>> {
    let mut between = true;
    let mut words = vec![];
    for part in expects.split('"') {
        if between {
            if !matches!(part, "" | ", " | " or ") {
                return None;
            }
        } else {
            words.push(part);
        }
        between = !between;
    }
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::{json_schema, words};
    use crate::config::schema::{KEYS, SECTIONS};
    use serde_json::Value;

    /// The part of the schema that describes the keys of `section`.
    fn section<'s>(schema: &'s Value, section: &str) -> &'s Value {
        section.split('.').fold(schema, |at, part| match part {
            "*" => &at["additionalProperties"],
            name => {
                let found = &at["properties"][name];
                if found["type"] == "array" { &found["items"] } else { found }
            }
        })
    }

    #[test]
    fn every_key_has_its_property_and_every_property_its_key() {
        let schema = json_schema();
        let mut properties = 0;
        for key in KEYS {
            let described = &section(&schema, key.section)["properties"][key.name];
            assert!(described["description"].as_str().unwrap().starts_with(key.doc), "{key:?}");
        }
        for (name, _) in SECTIONS {
            assert!(schema["properties"][*name].is_object(), "{name}");
        }
        let mut seen = std::collections::BTreeSet::new();
        for of in KEYS.iter().map(|key| key.section).filter(|of| seen.insert(*of)) {
            properties += section(&schema, of)["properties"].as_object().unwrap().len();
        }
        assert_eq!(properties, KEYS.len());
    }

    #[test]
    fn only_a_choice_of_words_is_one() {
        assert_eq!(words(r#""void", "all" or "none""#), Some(vec!["void", "all", "none"]));
        for text in ["a folder in quotes", r#""https://…", or a folder"#, r#"a size such as "16GB""#] {
            assert_eq!(words(text), None, "{text}");
        }
    }
}
