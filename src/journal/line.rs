//! One line of the journal: `{"seq":N,"record":…,"crc":"xxxxxxxx"}` and a newline.

const HEAD: &[u8] = b"{\"seq\":";
const MIDDLE: &[u8] = b",\"record\":";
const CRC: &[u8] = b",\"crc\":\"";
const END: &[u8] = b"\"}";
/// `,"crc":"xxxxxxxx"}`
const TAIL: usize = CRC.len() + 8 + END.len();

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFault {
    /// It is not of the shape that a whole line has: it may be the beginning of one.
    NotWhole,
    /// It is of the right shape, and its content is not what was written.
    Checksum,
}

/// Appends the line that holds `record` (one JSON object, no newline in it) to `out`.
pub(super) fn encode(seq: u64, record: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(HEAD);
    out.extend_from_slice(seq.to_string().as_bytes());
    out.extend_from_slice(MIDDLE);
    out.extend_from_slice(record);
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(CRC);
    out.extend_from_slice(format!("{crc:08x}").as_bytes());
    out.extend_from_slice(END);
    out.push(b'\n');
}

/// Takes a line (without its newline) apart into its number and its record's JSON.
pub(super) fn decode(line: &[u8]) -> Result<(u64, &[u8]), LineFault> {
    let split = line.len().checked_sub(TAIL).ok_or(LineFault::NotWhole)?;
    let (content, tail) = line.split_at(split);
    let crc = tail
        .strip_prefix(CRC)
        .and_then(|t| t.strip_suffix(END))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or(LineFault::NotWhole)?;
    if crc32fast::hash(content) != crc {
        return Err(LineFault::Checksum);
    }
    let rest = content.strip_prefix(HEAD).ok_or(LineFault::Checksum)?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let seq = std::str::from_utf8(&rest[..digits]).ok().and_then(|d| d.parse().ok()).ok_or(LineFault::Checksum)?;
    let record = rest[digits..].strip_prefix(MIDDLE).ok_or(LineFault::Checksum)?;
    Ok((seq, record))
}

#[cfg(test)]
mod tests {
    use super::{LineFault, decode, encode};

    #[test]
    fn a_line_is_read_as_written_and_every_changed_byte_is_noticed() {
        let mut line = Vec::new();
        encode(42, br#"{"wait":{"key":"a"}}"#, &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(decode(&line), Ok((42, br#"{"wait":{"key":"a"}}"#.as_slice())));
        for at in 0..line.len() {
            let mut damaged = line.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn the_beginning_of_a_line_is_told_apart_from_a_changed_one() {
        let mut line = Vec::new();
        encode(42, br#"{"wait":{"key":"a"}}"#, &mut line);
        line.pop();
        for cut in 0..line.len() {
            assert_eq!(decode(&line[..cut]), Err(LineFault::NotWhole), "{cut} bytes");
        }
        line[12] ^= 1;
        assert_eq!(decode(&line), Err(LineFault::Checksum));
    }
}
