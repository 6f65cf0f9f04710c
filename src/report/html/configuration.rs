//! The configuration as key and value, as it was understood: defaults filled in, keys by the name of their source alone.

use super::super::model::ReportModel;
use serde_json::Value;

/// Every setting with a value, in the order of the configuration's sections.
pub(super) fn settings(model: &ReportModel) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    flatten("", &model.manifest.configuration, &mut lines);
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Null => {}
        Value::Object(members) => members.iter().for_each(|(key, value)| flatten(&below(key), value, lines)),
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.iter().all(is_plain) => {
            lines.push((path.to_owned(), items.iter().map(text).collect::<Vec<_>>().join(", ")));
        }
        Value::Array(items) => {
            (1..).zip(items).for_each(|(number, item): (u32, _)| flatten(&format!("{path} {number}"), item, lines));
        }
        plain => lines.push((path.to_owned(), text(plain))),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn settings_are_named_by_their_path_and_lists_of_tables_are_numbered() {
        let value = serde_json::json!({
            "run": {"currency": "usd", "none": null},
            "fields": {"name": ["crm", "stripe"], "empty": []},
            "product": [{"name": "core"}, {"name": "academy", "creation": false}],
        });
        let mut lines = Vec::new();
        super::flatten("", &value, &mut lines);
        let lines: Vec<String> = lines.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            lines,
            [
                "run.currency=usd",
                "fields.name=crm, stripe",
                "product 1.name=core",
                "product 2.name=academy",
                "product 2.creation=false"
            ]
        );
    }
}
