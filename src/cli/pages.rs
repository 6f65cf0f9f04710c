//! What is printed of the command line itself: completions for shells, manual pages.

use super::Cli;
use crate::app::exit::AppError;
use clap::builder::StyledStr;
use clap::{Command as CommandLine, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

/// The completions of `shell`, as a script that it reads.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = vec![];
    generate(shell, &mut shown(), "tether-recon", &mut script);
    script
}

/// The manual page of the command that `words` name, in roff; of the whole program where there are none.
///
/// # Errors
/// [`AppError::Usage`] when there is no such command.
pub fn man(words: &[String]) -> Result<Vec<u8>, AppError> {
    let mut command = shown().disable_help_subcommand(true);
    // With the flags of every command, and with the name that each is called by.
    command.build();
    let mut command = &command;
    for word in words {
        let found = command.get_subcommands().find(|known| known.get_name() == word.as_str());
        command = found.ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(CommandLine::get_name).collect();
            let of = command.get_bin_name().unwrap_or("tether-recon");
            let others =
                if known.is_empty() { "nor any other".to_owned() } else { format!("only {}", known.join(", ")) };
            AppError::Usage(format!("`{of}` has no command `{word}`, {others}").into())
        })?;
    }
    let name = command.get_display_name().unwrap_or("tether-recon").to_owned();
    let page = Man::new(command.clone()).title(name.to_uppercase()).manual("tether-recon");
    let mut roff = vec![];
    let sections =
        [Man::render_title, Man::render_name_section, Man::render_synopsis_section, Man::render_description_section];
    let rendered = sections.iter().try_for_each(|section| section(&page, &mut roff)).and_then(|()| {
        if command.get_arguments().any(|argument| !argument.is_hide_set()) {
            page.render_options_section(&mut roff)?;
        }
        if command.has_subcommands() {
            page.render_subcommands_section(&mut roff)?;
        }
        Ok(())
    });
    rendered.map_err(|error| AppError::Internal(Box::new(error)))?;
    roff.extend_from_slice(below(command).as_bytes());
    Ok(roff)
}

/// What stands below the help, its lines as they are: a page would fill them into one.
fn below(command: &CommandLine) -> String {
    let mut out = String::new();
    let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for part in text.trim_end().split("\n\n") {
        let Some((heading, lines)) = part.split_once(":\n") else { continue };
        out.extend([".SH ", &heading.to_uppercase(), "\n.nf\n"]);
        for line in lines.lines() {
            // A full stop or an apostrophe at the beginning would be a request; a backslash begins an escape.
            out += "\\&";
            out += &line.replace('\\', "\\e").replace('-', "\\-");
            out.push('\n');
        }
        out += ".fi\n";
    }
    out
}

/// The command line without what its help does not show: a command cannot be taken out, so it is put together anew.
fn shown() -> CommandLine {
    let whole = Cli::command();
    let visible = whole.get_subcommands().filter(|command| !command.is_hide_set());
    let mut shown = CommandLine::new("tether-recon")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments().cloned())
        .subcommands(visible.cloned())
        .subcommand_required(true);
    for (text, set) in [
        (whole.get_about(), CommandLine::about as fn(CommandLine, StyledStr) -> CommandLine),
        (whole.get_long_about(), CommandLine::long_about),
        (whole.get_after_long_help(), CommandLine::after_long_help),
    ] {
        if let Some(text) = text {
            shown = set(shown, text.clone());
        }
    }
    shown
}
