//! As much of JSON Schema (draft 2020-12) as this repository's schemas use; any other keyword is a failure.

use serde_json::{Map, Value};
use std::path::Path;

/// Keywords that say nothing about what is valid.
const WORDS: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "$comment"];

/// Keywords that are held.
const RULES: [&str; 12] = [
    "$ref",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "items",
    "minimum",
    "maximum",
    "pattern",
];

/// A schema.
pub struct Schema(Value);

impl Schema {
    pub fn of(schema: Value) -> Self {
        Self(schema)
    }

    pub fn read(path: &Path) -> Self {
        Self(crate::files::json(path))
    }

    /// What is wrong with `value`, by the place in it.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = vec![];
        self.check(&self.0, value, "", &mut problems);
        problems
    }

    /// Keywords of the schema that [`Schema::problems`] would pass over.
    pub fn unknown_keywords(&self) -> Vec<String> {
        let mut unknown = vec![];
        keywords(&self.0, &mut unknown);
        unknown
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        let Value::Object(schema) = schema else {
            if schema == &Value::Bool(false) {
                problems.push(format!("{at}: nothing is expected here"));
            }
            return;
        };
        let mut wrong = |what: String| problems.push(format!("{at}: {what}"));
        if let Some(types) = schema.get("type") {
            let types: Vec<&str> = types.as_array().map_or_else(
                || types.as_str().into_iter().collect(),
                |types| types.iter().filter_map(Value::as_str).collect(),
            );
            if !types.iter().any(|name| is_a(value, name)) {
                wrong(format!("{value} is none of {types:?}"));
            }
        }
        if let Some(Value::Array(words)) = schema.get("enum")
            && !words.contains(value)
        {
            wrong(format!("{value} is no known word"));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            wrong(format!("{value} is not {}", schema["const"]));
        }
        if let Some(number) = value.as_f64() {
            let beyond = |name: &str, by: fn(f64, f64) -> bool| {
                schema.get(name).and_then(Value::as_f64).is_some_and(|limit| by(number, limit))
            };
            if beyond("minimum", |number, limit| number < limit) || beyond("maximum", |number, limit| number > limit) {
                wrong(format!("{value} is out of range"));
            }
        }
        if let (Some(pattern), Some(text)) = (schema.get("pattern").and_then(Value::as_str), value.as_str())
            && !regex::Regex::new(pattern).unwrap().is_match(text)
        {
            wrong(format!("{text} is not of the form {pattern}"));
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.0.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("no {name}"));
            self.check(target, value, at, problems);
        }
        match value {
            Value::Array(list) => {
                if let Some(items) = schema.get("items") {
                    for (place, item) in list.iter().enumerate() {
                        self.check(items, item, &format!("{at}/{place}"), problems);
                    }
                }
            }
            Value::Object(object) => self.members(schema, object, at, problems),
            _ => {}
        }
    }

    fn members(&self, schema: &Map<String, Value>, object: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                problems.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in object {
            let below = format!("{at}/{name}");
            if let Some(names) = schema.get("propertyNames") {
                self.check(names, &Value::from(name.as_str()), &below, problems);
            }
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            if let Some(rule) = known.or_else(|| schema.get("additionalProperties")) {
                self.check(rule, value, &below, problems);
            }
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.as_number().is_some_and(|number| !number.to_string().contains(['.', 'e', 'E'])),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

fn keywords(schema: &Value, unknown: &mut Vec<String>) {
    let Value::Object(schema) = schema else { return };
    for (keyword, value) in schema {
        match keyword.as_str() {
            "properties" | "$defs" => value.as_object().unwrap().values().for_each(|below| keywords(below, unknown)),
            "items" | "additionalProperties" | "propertyNames" => keywords(value, unknown),
            word if WORDS.contains(&word) || RULES.contains(&word) => {}
            other => unknown.push(other.to_owned()),
        }
    }
}
