//! gzip, recognised by its first bytes: the members of a file, one after the other, as one text.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

/// A file that begins so is compressed with gzip.
pub(super) const MAGIC: &[u8] = b"\x1f\x8b";

/// Up to here a file may grow as much as it likes.
const ALWAYS: u64 = 256 << 20;

/// Beyond [`ALWAYS`], a file that grows by more than this is no export: they grow five- to fiftyfold.
const MOST_GROWTH: u64 = 300;

/// Unpacks what `packed` holds; `size` is the number of its bytes. What is packed is read as it is needed, so that both
/// forms are never held at once.
///
/// # Errors
/// `FileTooLarge` beyond `limit` bytes; what `packed` fails with; damaged, cut off or endless data with what to do.
pub(super) fn unpack(packed: impl BufRead, size: u64, limit: u64) -> Result<Vec<u8>> {
    let most = limit.min(ALWAYS.max(size.saturating_mul(MOST_GROWTH)));
    let mut bytes = Vec::new();
    let mut unpacked = flate2::bufread::MultiGzDecoder::new(packed);
    let read = unpacked.by_ref().take(most).read_to_end(&mut bytes);
    read.and_then(|_| unpacked.read(&mut [0])).map_err(told).and_then(|further| {
        if further > 0 && most == limit {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if further > 0 {
            let (mib, times) = (most >> 20, most / size.max(1));
            let detail = format!(
                "its gzip data unpacks to more than {mib} MiB, over {times} times its size, as no export does; unpack it and \
                 look, and configure what comes out if it is right"
            );
            return Err(Error::new(ErrorKind::InvalidData, detail));
        }
        Ok(bytes)
    })
}

/// The words of the decoder in words for a person; what the disk fails with stays as it is.
fn told(error: Error) -> Error {
    let what = match error.kind() {
        ErrorKind::UnexpectedEof => "breaks off",
        ErrorKind::InvalidInput | ErrorKind::InvalidData => "is damaged",
        _ => return error,
    };
    Error::new(ErrorKind::InvalidData, format!("its gzip data {what} ({error}); export or fetch it again"))
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use std::io::{Read, Write};

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: &[u8]) -> Result<String, String> {
        let text = unpack(bytes, bytes.len() as u64, u64::MAX).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn members_follow_one_another() {
        let both = [packed(b"id,email\n"), packed(b""), packed(b"1,a@example.com\n")].concat();
        assert_eq!(unpacked(&both).unwrap(), "id,email\n1,a@example.com\n");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_refused_and_never_read_in_part() {
        let whole = packed("cus_1,ada@example.com\n".repeat(50).as_bytes());
        for cut in [3, whole.len() / 2, whole.len() - 5] {
            assert!(unpacked(&whole[..cut]).unwrap_err().contains("breaks off"), "{cut}");
        }
        // The last eight bytes are the checksum and the length.
        for (place, flip) in [(whole.len() - 8, 1), (whole.len() - 1, 1)] {
            let mut damaged = whole.clone();
            damaged[place] ^= flip;
            assert!(unpacked(&damaged).unwrap_err().contains("is damaged"), "{place}");
        }
        let trailing = [whole, b"rest".to_vec()].concat();
        assert!(unpacked(&trailing).unwrap_err().contains("gzip data"));
    }

    #[test]
    fn what_unpacks_without_end_is_refused_at_the_limit() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::copy(&mut std::io::repeat(b'0').take(super::ALWAYS + 1), &mut encoder).unwrap();
        let bomb = encoder.finish().unwrap();
        let small = (bomb.len() as u64).min(super::ALWAYS / super::MOST_GROWTH);
        let error = unpack(&bomb[..], small, u64::MAX).unwrap_err().to_string();
        assert_eq!(unpack(&bomb[..], small, 1000).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
        assert!(error.contains("more than 256 MiB") && error.contains("as no export does"), "{error}");
    }
}
