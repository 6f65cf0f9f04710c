//! Bytes → text: UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252. What was used is recorded.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// A file's text.
pub(super) struct Decoded<'b> {
    pub text: Cow<'b, str>,
    /// In words, as `InputFile::encoding` shows it.
    pub encoding: &'static str,
    /// Some bytes were no text in an encoding that the file itself declares; U+FFFD stands in their place.
    pub lossy: bool,
}

/// What `bytes` are when they are no text at all, and what to do about it.
pub(super) fn refuse_binary(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
        // Once is unpacked while reading.
        (super::gzip::MAGIC, "it is compressed with gzip twice; unpack it once"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first"),
        (b"\xff\xfe\x00\x00", "it is UTF-32 text; save it as UTF-8"),
        (b"\x00\x00\xfe\xff", "it is UTF-32 text; save it as UTF-8"),
    ];
    const TAR_AT: usize = 257;
    let known = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, advice)| *advice);
    let tar = bytes.get(TAR_AT..).is_some_and(|rest| rest.starts_with(b"ustar"));
    known.or(tar.then_some("it is a tar archive; unpack it, and configure the files that come out"))
}

/// Reads `bytes` as text, without a copy when they are UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    for (bom, encoding, name) in [
        (&b"\xef\xbb\xbf"[..], UTF_8, "UTF-8 with BOM"),
        (b"\xff\xfe", UTF_16LE, "UTF-16LE"),
        (b"\xfe\xff", UTF_16BE, "UTF-16BE"),
    ] {
        if let Some(rest) = bytes.strip_prefix(bom) {
            let (text, lossy) = encoding.decode_without_bom_handling(rest);
            return Decoded { text, encoding: name, lossy };
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), encoding: "UTF-8", lossy: false },
        // Cut off inside a character, after others that are UTF-8: an export that breaks off, not another encoding.
        Err(error) if error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii() => {
            Decoded { text: String::from_utf8_lossy(bytes), encoding: "UTF-8", lossy: true }
        }
        Err(_) => {
            let (text, lossy) = WINDOWS_1252.decode_without_bom_handling(bytes);
            Decoded { text, encoding: "windows-1252", lossy }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, refuse_binary};

    #[test]
    fn every_encoding_that_exports_come_in_gives_the_same_text() {
        let utf16 = |order: fn(u16) -> [u8; 2], bom: &[u8]| {
            let mut bytes = bom.to_vec();
            bytes.extend("Zoë".encode_utf16().flat_map(order));
            bytes
        };
        for (bytes, encoding, lossy, text) in [
            ("Zoë".as_bytes().to_vec(), "UTF-8", false, "Zoë"),
            ("\u{feff}Zoë".as_bytes().to_vec(), "UTF-8 with BOM", false, "Zoë"),
            (utf16(u16::to_le_bytes, b"\xff\xfe"), "UTF-16LE", false, "Zoë"),
            (utf16(u16::to_be_bytes, b"\xfe\xff"), "UTF-16BE", false, "Zoë"),
            (b"Zo\xeb".to_vec(), "windows-1252", false, "Zoë"),
            ("Zoë\nZoë".as_bytes()[..8].to_vec(), "UTF-8", true, "Zoë\nZo\u{fffd}"),
            (b"\xef\xbb\xbfZo\xeb".to_vec(), "UTF-8 with BOM", true, "Zo\u{fffd}"),
        ] {
            let decoded = decode(&bytes);
            assert_eq!((decoded.encoding, decoded.lossy, &*decoded.text), (encoding, lossy, text), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_what_to_do() {
        assert!(refuse_binary(b"PK\x03\x04rest").unwrap().contains("save the sheet as CSV"));
        assert!(refuse_binary(&[&[b'x'; 257][..], b"ustar"].concat()).unwrap().contains("tar archive"));
        assert!(refuse_binary(b"id,email").is_none());
    }
}
