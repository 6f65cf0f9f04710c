//! `config schema`: what an editor is told agrees with what the program takes.

use crate::json_schema::Schema;
use crate::site::{Site, repository};
use serde_json::{Map, Value};
use std::path::Path;

fn schema() -> Schema {
    let printed = Site::new(1).expect("config schema", 0).stdout;
    Schema::of(serde_json::from_str(&printed).unwrap())
}

fn configuration(name: &str) -> Value {
    let text = std::fs::read_to_string(repository().join("config").join(name)).unwrap();
    serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap()
}

/// Whether the program takes `value` as a configuration.
fn taken(value: &Value) -> bool {
    let text = toml::to_string(value).unwrap();
    tether_recon::config::parse(&text, Path::new("/books")).is_ok()
}

/// `value` without every member that is not `wanted`, one at a time: what came of each, and where it stood.
fn without(value: &Value, change: &impl Fn(&mut Map<String, Value>, &str), changed: &mut Vec<(String, Value)>) {
    let mut pointers = vec![];
    members(value, "", &mut pointers);
    for pointer in pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut other = value.clone();
        change(other.pointer_mut(parent).unwrap().as_object_mut().unwrap(), name);
        changed.push((pointer.clone(), other));
    }
}

fn members(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                members(value, &format!("{at}/{name}"), pointers);
                // What stands in these tables is called as the user likes.
                if !["/fx", "/mrr/coupons", "/mrr/currency_digits"].contains(&at) {
                    pointers.push(format!("{at}/{name}"));
                }
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, one)| members(one, &format!("{at}/{place}"), pointers));
        }
        _ => {}
    }
}

#[test]
fn the_demo_and_every_key_of_the_example_are_as_the_schema_says() {
    let schema = schema();
    assert_eq!(schema.unknown_keywords(), Vec::<String>::new());
    for name in ["demo.toml", "example.toml"] {
        let sound = configuration(name);
        assert!(name == "example.toml" || taken(&sound), "{name}");
        assert_eq!(schema.problems(&sound), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_misspelt_key_and_a_value_of_another_kind_are_refused_by_both() {
    let schema = schema();
    let sound = configuration("demo.toml");
    let (mut misspelt, mut mistyped, mut missing) = (vec![], vec![], vec![]);
    let rename = |object: &mut Map<String, Value>, name: &str| {
        let value = object.remove(name).unwrap();
        object.insert(format!("{name}x"), value);
    };
    without(&sound, &rename, &mut misspelt);
    without(&sound, &|object, name| drop(object.insert(name.to_owned(), serde_json::json!([[1]]))), &mut mistyped);
    without(&sound, &|object, name| drop(object.remove(name)), &mut missing);
    assert!(misspelt.len() > 40, "{}", misspelt.len());
    for (pointer, wrong) in misspelt.iter().chain(&mistyped) {
        assert!(!schema.problems(wrong).is_empty(), "the schema takes {pointer}: {wrong}");
        assert!(!taken(wrong), "the program takes {pointer}: {wrong}");
    }
    // What the schema misses the program does too; the program may ask for more.
    for (pointer, wrong) in &missing {
        assert!(schema.problems(wrong).is_empty() || !taken(wrong), "only the schema asks for {pointer}");
    }
}
