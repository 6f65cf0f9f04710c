//! The TOML document with its places: sections that are asked for keys, and complain by themselves.

use super::problem::Problems;
use super::schema::{self, SECTIONS, Shape};
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// One table of the document. Opening it reports every key that nobody knows.
#[derive(Debug, Clone)]
pub(super) struct Section<'d> {
    /// The section in [`schema::KEYS`]: `product.key`.
    schema: &'static str,
    /// The section as the user finds it: `product[2].key`.
    path: String,
    /// Where the section begins.
    pub(super) offset: usize,
    table: Option<&'d DeTable<'d>>,
}

impl<'d> Section<'d> {
    /// Opens `table` and reports keys that its section does not have.
    pub(super) fn open(
        schema: &'static str,
        path: String,
        offset: usize,
        table: &'d DeTable<'d>,
        problems: &mut Problems<'_>,
    ) -> Self {
        for name in table.keys() {
            if schema::find(schema, name.get_ref()).is_none() {
                let message = unknown_key(schema, name.get_ref());
                problems.at(name.span().start, join(&path, name.get_ref()), message);
            }
        }
        Self { schema, path, offset, table: Some(table) }
    }

    /// A section that the file does not have: every key is absent.
    pub(super) fn absent(schema: &'static str) -> Self {
        Self { schema, path: schema.to_owned(), offset: 0, table: None }
    }

    /// The path of one of its keys as the user finds it.
    pub(super) fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The value of a key, unread.
    pub(super) fn value(&self, key: &'static str) -> Option<&'d Value<'d>> {
        debug_assert!(
            schema::find(self.schema, key).is_some(),
            "{}.{key} has no row in the table of keys",
            self.schema
        );
        self.table?.get(key)
    }

    /// Where a key's value stands, or the section if the key is absent.
    pub(super) fn offset_of(&self, key: &'static str) -> usize {
        self.value(key).map_or(self.offset, |value| value.span().start)
    }

    /// Reads a key that may be absent. `None` also after a problem, which is then noted.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        problems: &mut Problems<'_>,
        parse: impl FnOnce(&DeValue<'d>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.value(key)?;
        match parse(value.get_ref()) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                problems.at(value.span().start, self.path(key), format!("{why}; {}", self.advice(key)));
                None
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        problems: &mut Problems<'_>,
        parse: impl FnOnce(&DeValue<'d>) -> Result<T, String>,
    ) -> Option<T> {
        if self.value(key).is_none() {
            problems.at(self.offset, self.path(key), format!("is missing; {}", self.advice(key)));
        }
        self.read(key, problems, parse)
    }

    /// Opens a table inside this section.
    pub(super) fn subsection(
        &self,
        key: &'static str,
        schema: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Section<'d>> {
        let value = self.value(key)?;
        let Some(table) = as_table(value) else {
            // The value is not shown: it may be a secret that was pasted where its source belongs.
            let why = format!("found {}", kind(value.get_ref()));
            problems.at(value.span().start, self.path(key), format!("{why}; {}", self.advice(key)));
            return None;
        };
        Some(Self::open(schema, self.path(key), value.span().start, table, problems))
    }

    fn advice(&self, key: &'static str) -> String {
        schema::find(self.schema, key)
            .map_or_else(String::new, |row| format!("write {}, like {} = {}", row.expects, row.name, row.example))
    }
}

/// The whole file: its sections, each in the shape it must have.
#[derive(Debug)]
pub(super) struct Document<'d> {
    root: &'d DeTable<'d>,
}

impl<'d> Document<'d> {
    /// Reports sections that nobody knows.
    pub(super) fn open(root: &'d DeTable<'d>, problems: &mut Problems<'_>) -> Self {
        for name in root.keys() {
            if !SECTIONS.iter().any(|(section, _)| section == name.get_ref()) {
                problems.at(name.span().start, name.get_ref().as_ref(), unknown_section(name.get_ref()));
            }
        }
        Self { root }
    }

    /// The section `[name]`; absent if the file has none.
    pub(super) fn section(&self, name: &'static str, problems: &mut Problems<'_>) -> Section<'d> {
        let opened = self.root.get(name).and_then(|value| {
            if let Some(table) = as_table(value) {
                Some(Section::open(name, name.to_owned(), value.span().start, table, problems))
            } else {
                problems.at(value.span().start, name, format!("found {}; write [{name}] once", kind(value.get_ref())));
                None
            }
        });
        opened.unwrap_or_else(|| Section::absent(name))
    }

    /// Every `[[name]]`, in the order of the file.
    pub(super) fn repeated(&self, name: &'static str, problems: &mut Problems<'_>) -> Vec<Section<'d>> {
        let Some(value) = self.root.get(name) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            let message = format!("found {}; write [[{name}]] with two brackets", kind(value.get_ref()));
            problems.at(value.span().start, name, message);
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = if items.len() == 1 { name.to_owned() } else { format!("{name}[{}]", index + 1) };
            match as_table(item) {
                Some(table) => sections.push(Section::open(name, path, item.span().start, table, problems)),
                None => problems.at(item.span().start, path, format!("write [[{name}]] with keys below it")),
            }
        }
        sections
    }

    /// The entries of a table whose keys are the user's own names: name, its offset, its value.
    pub(super) fn named(
        &self,
        name: &'static str,
        problems: &mut Problems<'_>,
    ) -> Vec<(&'d str, usize, &'d Value<'d>)> {
        let Some(value) = self.root.get(name) else { return Vec::new() };
        named_entries(name, value, problems)
    }

    /// Whether the file has the section at all.
    pub(super) fn has(&self, name: &'static str) -> bool {
        self.root.contains_key(name)
    }
}

/// The entries of a table whose keys are the user's own names, in the order of the file.
pub(super) fn named_entries<'d>(
    path: &str,
    value: &'d Value<'d>,
    problems: &mut Problems<'_>,
) -> Vec<(&'d str, usize, &'d Value<'d>)> {
    let Some(table) = as_table(value) else {
        problems.at(value.span().start, path, format!("found {}; write [{path}] once", kind(value.get_ref())));
        return Vec::new();
    };
    let mut entries: Vec<_> =
        table.iter().map(|(name, value)| (name.get_ref().as_ref(), name.span().start, value)).collect();
    entries.sort_by_key(|(_, offset, _)| *offset);
    entries
}

/// The table of a value.
pub(super) fn as_table<'d>(value: &'d Value<'d>) -> Option<&'d DeTable<'d>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text in quotes",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn join(path: &str, key: &str) -> String {
    format!("{path}.{key}")
}

fn unknown_key(section: &'static str, name: &str) -> String {
    if let Some(near) = schema::nearest(name, schema::keys_of(section)) {
        return format!("is no key of [{section}]; did you mean `{near}`?");
    }
    if let Some(row) = elsewhere(name) {
        return format!("is no key of [{section}]; it stands under [{}]", row.section);
    }
    let known: Vec<&str> = schema::keys_of(section).collect();
    format!("is no key of [{section}]; it knows {}", known.join(", "))
}

fn unknown_section(name: &str) -> String {
    if let Some((near, shape)) = schema::nearest(name, SECTIONS.iter().map(|(section, _)| *section))
        .and_then(|near| SECTIONS.iter().find(|(section, _)| *section == near))
    {
        return match shape {
            Shape::Repeated => format!("is no section; did you mean [[{near}]]?"),
            Shape::Table | Shape::Named => format!("is no section; did you mean [{near}]?"),
        };
    }
    if let Some(row) = elsewhere(name) {
        return format!("stands before any section; it belongs under [{}]", row.section);
    }
    let known: BTreeSet<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
    format!("is no section; there are {}", known.into_iter().collect::<Vec<_>>().join(", "))
}

/// A key of that very name in another section that the user can write.
fn elsewhere(name: &str) -> Option<&'static schema::Key> {
    schema::KEYS.iter().find(|key| key.name == name && !key.section.contains('*'))
}
