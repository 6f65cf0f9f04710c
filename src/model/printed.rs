//! Texts that somebody else wrote (headings, values, replies, names), made fit to be printed.

use std::borrow::Cow;

/// Whether a terminal or a page would obey the character rather than show it: a control character, or an invisible one that
/// lets the text around it be read in another order.
pub fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line, with a space for each character that would be obeyed: it can neither draw nor forge a line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    spaced(text, is_obeyed)
}

/// The same of a page of our own, whose line ends and tabs stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    spaced(text, |character| is_obeyed(character) && !matches!(character, '\n' | '\t'))
}

fn spaced(text: &str, obeyed: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if text.contains(obeyed) { text.replace(obeyed, " ").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::{harmless, one_line};

    #[test]
    fn what_would_be_obeyed_becomes_a_space_and_a_page_keeps_its_lines() {
        let text = "heading `\u{1b}[2Jid\r\u{7}`\n\tMüller \u{202e}evil\n";
        assert_eq!(harmless(text), "heading ` [2Jid  `\n\tMüller  evil\n");
        assert_eq!(one_line(text), "heading ` [2Jid  `  Müller  evil ");
    }
}
