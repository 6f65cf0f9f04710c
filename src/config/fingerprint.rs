//! The hash of the settings: the same for the same meaning, wherever the configuration's folder stands and however its
//! file is laid out.

use super::settings::{KeySource, Proxy, Settings};
use super::value::escaped;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The settings as JSON, paths relative to their folder, secrets by the name of their source only, and the SHA-256 of that.
pub(super) fn fingerprint(settings: &Settings) -> Result<(String, String), serde_json::Error> {
    let base = settings.base.as_path();
    let mut portable = settings.clone();
    portable.run.state = relative(base, &portable.run.state);
    let lists = [&mut portable.stripe.files, &mut portable.stripe.customers, &mut portable.stripe.subscriptions]
        .into_iter()
        .chain([&mut portable.identity.overrides])
        .chain(portable.crms.iter_mut().flat_map(|crm| [&mut crm.contacts, &mut crm.companies]));
    for patterns in lists {
        relative_patterns(base, patterns);
    }
    if let Some(Proxy::Secret(KeySource::File(path))) = &mut portable.tether.proxy {
        *path = relative(base, path);
    }
    for product in &mut portable.products {
        relative_patterns(base, &mut product.existing);
        if let KeySource::File(path) = &mut product.key {
            *path = relative(base, path);
        }
    }
    let text = serde_json::to_string(&portable)?;
    let hash = format!("{:x}", Sha256::digest(text.as_bytes()));
    Ok((text, hash))
}

fn relative(base: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(base).unwrap_or(path).to_owned()
}

fn relative_patterns(base: &Path, patterns: &mut [String]) {
    let base = escaped(base);
    for pattern in patterns {
        if let Ok(rest) = Path::new(pattern.as_str()).strip_prefix(&base) {
            *pattern = rest.to_string_lossy().into_owned();
        }
    }
}
