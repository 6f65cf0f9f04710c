//! Files of JSON: Stripe's objects, or Tether's customers.

use super::facts::Facts;
use super::{Found, What};
use crate::load::fault::Origin;
use crate::load::head::whole_objects;
use crate::load::{stripe, tether};
use serde_json::{Map, Value};

/// Lists and events inside one another, deeper than this, are not looked into.
const DEEPEST: usize = 6;

/// What a text of JSON holds, and how many rows; of one that is not `whole` its beginning.
///
/// # Errors
/// Why it is nothing that is read.
pub(super) fn recognise(text: &str, whole: bool, origin: &Origin<'_>) -> Result<(Found, u64), String> {
    let shortened = if whole { std::borrow::Cow::Borrowed(text) } else { whole_objects(text) };
    let values: Vec<Value> = serde_json::Deserializer::from_str(&shortened).into_iter().map_while(Result::ok).collect();
    let mut objects = Vec::new();
    for value in &values {
        gather(value, 0, &mut objects);
    }
    let headings = |object: &&Map<String, Value>| object.keys().cloned().collect::<Vec<String>>();
    if objects.first().is_some_and(|first| !first.contains_key("object") && tether::unmistakable(&headings(first))) {
        let mut facts = Facts::default();
        for object in &objects {
            let text = |member: &str| object.get(member).and_then(Value::as_str).map(str::to_owned);
            facts.external_ids.extend(text("external_id"));
            facts.emails.extend(text("email").map(|email| email.to_lowercase()));
        }
        let shape = "existing Tether customers (JSON)".to_owned();
        return Ok((Found { what: What::Existing, shape, or: vec![], facts }, objects.len() as u64));
    }
    let found = stripe::objects(&shortened, origin).map_err(|detail| {
        let detail = detail.strip_prefix("it, ").unwrap_or(&detail);
        detail.to_owned()
    })?;
    let Some((what, shape, rows)) = found else {
        return Err("it holds objects of Stripe that nothing is taken from".to_owned());
    };
    let mut facts = Facts::default();
    for object in &objects {
        look_into(object, 0, &mut facts);
    }
    // What else it holds is not for a table.
    let shape =
        if whole { shape.split(';').next().unwrap_or(&shape).to_owned() } else { "Stripe API (JSON)".to_owned() };
    Ok((Found { what, shape, or: vec![], facts }, rows))
}

/// The objects of a value: its own, or those of the lists in it.
fn gather<'v>(value: &'v Value, depth: usize, objects: &mut Vec<&'v Map<String, Value>>) {
    match value {
        Value::Array(elements) if depth < DEEPEST => {
            for element in elements {
                gather(element, depth + 1, objects);
            }
        }
        Value::Object(members) => {
            let kind = members.get("object").and_then(Value::as_str);
            let inner = match kind {
                Some("list" | "search_result") => members.get("data"),
                Some("event") => members.get("data").and_then(|data| data.get("object")),
                Some(_) => None,
                None => ["data", "customers", "customer"]
                    .iter()
                    .filter_map(|member| members.get(*member))
                    .find(|inner| inner.is_array() || inner.is_object()),
            };
            match inner {
                Some(inner) if depth < DEEPEST => gather(inner, depth + 1, objects),
                _ => objects.push(members),
            }
        }
        _ => {}
    }
}

/// The currencies and the metadata of an object and of what stands in it.
fn look_into(members: &Map<String, Value>, depth: usize, facts: &mut Facts) {
    let kind = members.get("object").and_then(Value::as_str);
    if let (Some("subscription" | "price" | "plan"), Some(Value::String(currency))) = (kind, members.get("currency")) {
        facts.count_currencies(std::iter::once(currency.as_str()));
    }
    if let (Some("customer"), Some(Value::Object(metadata))) = (kind, members.get("metadata")) {
        facts.take_members(metadata);
    }
    if depth < DEEPEST {
        for value in members.values() {
            let mut inner = Vec::new();
            if value.is_object() || value.is_array() {
                gather(value, depth, &mut inner);
            }
            for object in inner {
                look_into(object, depth + 1, facts);
            }
        }
    }
}
