//! Bytes → text, in whichever encoding: what a byte order mark says, what is stated, or what the bytes prove. What was used
//! is recorded; a row of which some bytes are no text is never guessed at.

use super::wide::{Width, mark, recognised};
use crate::config::TextEncoding;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// A file's text.
pub(super) struct Decoded<'b> {
    pub text: Cow<'b, str>,
    /// In words, as `InputFile::encoding` shows it.
    pub encoding: &'static str,
    /// Some bytes were no text in the encoding; U+FFFD stands in their place.
    pub lossy: bool,
}

impl Decoded<'_> {
    /// Whether the text begins as JSON does: no heading of a table does.
    pub fn is_json(&self) -> bool {
        matches!(self.text.trim_start().as_bytes().first(), Some(b'{' | b'['))
    }
}

/// What `bytes` are when they are no text at all, and what to do about it.
pub(super) fn refuse_binary(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an old Excel workbook; save the sheet as CSV"),
        // Once is unpacked while reading.
        (super::gzip::MAGIC, "it is compressed with gzip twice; unpack it once"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first"),
    ];
    const TAR_AT: usize = 257;
    let known = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, advice)| *advice);
    let tar = bytes.get(TAR_AT..).is_some_and(|rest| rest.starts_with(b"ustar"));
    known.or(tar.then_some("it is a tar archive; unpack it, and configure the files that come out"))
}

/// Reads `bytes` as text, without a copy when they are UTF-8. A byte order mark stands above what is `stated`, and that above
/// what the bytes look like.
pub(super) fn decode(bytes: &[u8], stated: Option<TextEncoding>) -> Decoded<'_> {
    let mut decoded = by_mark(bytes).unwrap_or_else(|| match stated {
        Some(stated) => as_stated(bytes, stated),
        None => by_look(bytes),
    });
    // Files that were put together bring more than one mark.
    if decoded.text.starts_with('\u{feff}') {
        let trim = |text: &str| text.len() - text.trim_start_matches('\u{feff}').len();
        decoded.text = match decoded.text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[trim(text)..]),
            Cow::Owned(mut text) => {
                text.drain(..trim(&text));
                Cow::Owned(text)
            }
        };
    }
    decoded
}

fn by_mark(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some((width, length)) = mark(bytes) {
        return Some(wide(&bytes[length..], width));
    }
    let rest = bytes.strip_prefix(b"\xef\xbb\xbf")?;
    let (text, lossy) = UTF_8.decode_without_bom_handling(rest);
    Some(Decoded { text, encoding: "UTF-8 with BOM", lossy })
}

fn as_stated(bytes: &[u8], stated: TextEncoding) -> Decoded<'_> {
    match stated {
        TextEncoding::Utf16 => {
            wide(bytes, recognised(bytes).filter(|width| width.bytes() == 2).unwrap_or(Width::TwoLittle))
        }
        TextEncoding::Utf32 => {
            wide(bytes, recognised(bytes).filter(|width| width.bytes() == 4).unwrap_or(Width::FourLittle))
        }
        TextEncoding::Label(encoding) => narrow(bytes, encoding),
    }
}

fn by_look(bytes: &[u8]) -> Decoded<'_> {
    if let Some(width) = recognised(bytes) {
        return wide(bytes, width);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), encoding: UTF_8.name(), lossy: false },
        Err(_) if is_damaged_utf8(bytes) => {
            Decoded { text: String::from_utf8_lossy(bytes), encoding: UTF_8.name(), lossy: true }
        }
        Err(_) => narrow(bytes, WINDOWS_1252),
    }
}

/// Whether bytes that are not UTF-8 throughout are so but for some: they hold characters of several bytes, and not many
/// more places that are none. In Windows-1252 such a character is a rare coincidence (`É®`), every lone accent is not.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    const FOREIGN: usize = 4;
    let (mut characters, mut places) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        characters += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        places += usize::from(!chunk.invalid().is_empty());
    }
    characters > 0 && places <= characters * FOREIGN
}

fn wide(bytes: &[u8], width: Width) -> Decoded<'_> {
    match width {
        Width::TwoLittle => named(UTF_16LE.decode_without_bom_handling(bytes), "UTF-16LE"),
        Width::TwoBig => named(UTF_16BE.decode_without_bom_handling(bytes), "UTF-16BE"),
        Width::FourLittle => named(super::wide::utf32(bytes, u32::from_le_bytes), "UTF-32LE"),
        Width::FourBig => named(super::wide::utf32(bytes, u32::from_be_bytes), "UTF-32BE"),
    }
}

fn named<'b>((text, lossy): (Cow<'b, str>, bool), encoding: &'static str) -> Decoded<'b> {
    Decoded { text, encoding, lossy }
}

/// The bytes in an encoding that was stated, or in Windows-1252.
fn narrow<'b>(bytes: &'b [u8], encoding: &'static Encoding) -> Decoded<'b> {
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    let name = if encoding == WINDOWS_1252 { "windows-1252" } else { encoding.name() };
    // Five bytes of Windows-1252 are nothing; the decoder makes control characters of them.
    let is_control = |c: char| matches!(c, '\u{81}' | '\u{8d}' | '\u{8f}' | '\u{90}' | '\u{9d}');
    if encoding == WINDOWS_1252 && bytes.iter().any(|byte| is_control(char::from(*byte))) {
        return Decoded { text: Cow::Owned(text.replace(is_control, "\u{fffd}")), encoding: name, lossy: true };
    }
    Decoded { text, encoding: name, lossy }
}

#[cfg(test)]
mod tests {
    use super::{decode, refuse_binary};
    use crate::config::TextEncoding;

    #[test]
    fn every_encoding_that_exports_come_in_gives_the_same_text() {
        let utf16 = |order: fn(u16) -> [u8; 2], bom: &[u8]| {
            let mut bytes = bom.to_vec();
            bytes.extend("id,Zoë\n".encode_utf16().flat_map(order));
            bytes
        };
        let utf32 = |order: fn(u32) -> [u8; 4], bom: &[u8]| {
            let mut bytes = bom.to_vec();
            bytes.extend("id,Zoë\n".chars().flat_map(|c| order(u32::from(c))));
            bytes
        };
        for (bytes, encoding, lossy, text) in [
            ("id,Zoë\n".as_bytes().to_vec(), "UTF-8", false, "id,Zoë\n"),
            ("\u{feff}id,Zoë\n".as_bytes().to_vec(), "UTF-8 with BOM", false, "id,Zoë\n"),
            ("\u{feff}\u{feff}id,Zoë\n".as_bytes().to_vec(), "UTF-8 with BOM", false, "id,Zoë\n"),
            (utf16(u16::to_le_bytes, b"\xff\xfe"), "UTF-16LE", false, "id,Zoë\n"),
            (utf16(u16::to_be_bytes, b"\xfe\xff"), "UTF-16BE", false, "id,Zoë\n"),
            (utf16(u16::to_le_bytes, b""), "UTF-16LE", false, "id,Zoë\n"),
            (utf16(u16::to_be_bytes, b""), "UTF-16BE", false, "id,Zoë\n"),
            (utf32(u32::to_le_bytes, b"\xff\xfe\0\0"), "UTF-32LE", false, "id,Zoë\n"),
            (utf32(u32::to_be_bytes, b"\0\0\xfe\xff"), "UTF-32BE", false, "id,Zoë\n"),
            // Written so by some Java programs: the mark in two bytes.
            (utf32(u32::to_le_bytes, b"\xff\xfe"), "UTF-32LE", false, "id,Zoë\n"),
            (utf32(u32::to_be_bytes, b"\xfe\xff"), "UTF-32BE", false, "id,Zoë\n"),
            (utf32(u32::to_le_bytes, b""), "UTF-32LE", false, "id,Zoë\n"),
            (b"Zo\xeb".to_vec(), "windows-1252", false, "Zoë"),
            (b"Zo\xeb \x80\x81".to_vec(), "windows-1252", true, "Zoë €\u{fffd}"),
            // One place of another encoding in a file of UTF-8, and a chance `É®` in one of Windows-1252.
            ([&b"Zo\xc3\xab\nZo\xeb\n"[..], b"x"].concat(), "UTF-8", true, "Zoë\nZo\u{fffd}\nx"),
            (b"CAF\xc9\xae \xe9t\xe9 \xe9t\xe9 o\xf9 l\xe0".to_vec(), "windows-1252", false, "CAFÉ® été été où là"),
            ("Zoë\nZoë".as_bytes()[..8].to_vec(), "UTF-8", true, "Zoë\nZo\u{fffd}"),
            (b"\xef\xbb\xbfZo\xeb".to_vec(), "UTF-8 with BOM", true, "Zo\u{fffd}"),
            // NUL bytes are damage, not an encoding.
            (b"id,x\n1,a\0b\n".to_vec(), "UTF-8", false, "id,x\n1,a\0b\n"),
            // A lone surrogate, and a value that is no character.
            ([utf16(u16::to_le_bytes, b""), vec![0x3d, 0xd8, b'x', 0]].concat(), "UTF-16LE", true, "id,Zoë\n\u{fffd}x"),
            (
                [utf32(u32::to_le_bytes, b"\xff\xfe\0\0"), vec![0, 0, 0x11, 0]].concat(),
                "UTF-32LE",
                true,
                "id,Zoë\n\u{fffd}",
            ),
            ([utf16(u16::to_be_bytes, b""), vec![0]].concat(), "UTF-16BE", true, "id,Zoë\n\u{fffd}"),
        ] {
            let decoded = decode(&bytes, None);
            assert_eq!((decoded.encoding, decoded.lossy, &*decoded.text), (encoding, lossy, text), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_stated_stands_above_looks_and_below_a_mark() {
        let utf16: Vec<u8> = "Имя\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, label, encoding, lossy, text) in [
            (&b"Zo\xc3\xab"[..], "windows-1252", "windows-1252", false, "ZoÃ«"),
            (b"Zo\xeb\n\xc4\x85", "utf-8", "UTF-8", true, "Zo\u{fffd}\ną"),
            (b"\xef\xbb\xbfZo\xc3\xab", "windows-1252", "UTF-8 with BOM", false, "Zoë"),
            (b"\xcf\xf0", "windows-1251", "windows-1251", false, "Пр"),
            (&utf16, "utf-16", "UTF-16LE", false, "Имя\n"),
        ] {
            let decoded = decode(bytes, TextEncoding::named(label));
            assert_eq!((decoded.encoding, decoded.lossy, &*decoded.text), (encoding, lossy, text), "{bytes:?}");
        }
        assert_eq!(TextEncoding::named("utf-9"), None);
    }

    #[test]
    fn what_is_no_text_is_named_with_what_to_do() {
        assert!(refuse_binary(b"PK\x03\x04rest").unwrap().contains("save the sheet as CSV"));
        assert!(refuse_binary(&[&[b'x'; 257][..], b"ustar"].concat()).unwrap().contains("tar archive"));
        assert!(refuse_binary(b"id,email").is_none());
    }
}
