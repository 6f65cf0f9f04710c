//! What can still be told of an object that cannot be read.

/// What the text of such an object names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Torn<'a> {
    /// What it says that it is, or what its id tells; empty: neither does.
    pub kind: &'a str,
    pub id: Option<&'a str>,
    /// The customers in it, each once, in the order of the text. Of one that is itself a customer, none.
    pub customers: Vec<&'a str>,
}

/// Looks through text that is no JSON, or none as Stripe writes it.
pub(super) fn torn(text: &str) -> Torn<'_> {
    if !text.starts_with('{') {
        return Torn { customers: customers(text), ..Torn::default() };
    }
    let id = values(text, "\"id\"").next();
    let told = match id.and_then(|id| id.split_once('_')) {
        Some(("cus", _)) => "customer",
        Some(("sub", _)) => "subscription",
        _ => "",
    };
    // The kind stands near the beginning; behind a list or an object it may be another's.
    let own = text.find([']', '}']).unwrap_or(text.len());
    let kind = values(&text[..own], "\"object\"").next().unwrap_or(told);
    match kind {
        "customer" => Torn { kind, id, customers: Vec::new() },
        "subscription" => Torn { kind, id, customers: customers(text) },
        _ => Torn { kind: "", id: None, customers: customers(text) },
    }
}

/// The subscription that an item or a discount names.
pub(super) fn subscription(text: &str) -> Option<&str> {
    values(text, "\"subscription\"").next()
}

/// The texts that stand behind `key`, where they are whole.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    memchr::memmem::find_iter(text.as_bytes(), key).filter_map(move |at| {
        let value = text[at + key.len()..].trim_start().strip_prefix(':')?.trim_start();
        quoted(value)
    })
}

/// A whole id between quotation marks.
fn quoted(text: &str) -> Option<&str> {
    let (value, _) = text.strip_prefix('"')?.split_once('"')?;
    let like_an_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (!value.is_empty() && value.bytes().all(like_an_id)).then_some(value)
}

/// Behind `customer`, or known by their look.
fn customers(text: &str) -> Vec<&str> {
    let looks = memchr::memmem::find_iter(text.as_bytes(), "\"cus_").filter_map(|at| quoted(&text[at..]));
    let mut found: Vec<&str> = values(text, "\"customer\"").chain(looks).collect();
    // In the order of the text; the same one as often as it is named.
    found.sort_by_key(|name| name.as_ptr());
    let mut seen = std::collections::HashSet::new();
    // `"object":"customer"` is the kind of one, not its id.
    found.retain(|name| *name != "customer" && seen.insert(*name));
    found
}
