//! What stands between backticks and is no value: commands of this program, and forms that it asks to be written.

/// The words of its command lines.
const COMMANDS: &str =
    "tether-recon run plan apply resume report latest verify explain runs list prune baseline rebuild
    config check init schema notify test sandbox completions man …";

/// Forms of what is to be written.
const FORMS: &[&str] = &["cus_…", "<crm>:<contact id>"];

/// Whether `text` is a command line of this program, or a form; what follows a flag is a name of the program's too.
pub(super) fn is_ours(text: &str) -> bool {
    let is_command = |word: &str| COMMANDS.split_ascii_whitespace().any(|known| known == word);
    let is_flag = |word: &str| word.starts_with("--") || word == "GUARD";
    let is_guard = |word: &str| word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    FORMS.contains(&text) || text.split(' ').all(|word| is_command(word) || is_flag(word) || is_guard(word))
}
