//! Encodings of two and four bytes a character: recognising them, and reading UTF-32.

use std::borrow::Cow;

/// Bytes per unit, and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    TwoLittle,
    TwoBig,
    FourLittle,
    FourBig,
}

impl Width {
    /// Bytes per unit.
    pub fn bytes(self) -> usize {
        match self {
            Self::TwoLittle | Self::TwoBig => 2,
            Self::FourLittle | Self::FourBig => 4,
        }
    }
}

/// How much of a file is looked at.
const LOOKED_AT: usize = 4096;

/// What a byte order mark says, and its length. Some programs write two bytes of it before units of four.
pub(super) fn mark(bytes: &[u8]) -> Option<(Width, usize)> {
    const MARKS: [(&[u8], Width); 4] = [
        (b"\xff\xfe\0\0", Width::FourLittle),
        (b"\0\0\xfe\xff", Width::FourBig),
        (b"\xff\xfe", Width::TwoLittle),
        (b"\xfe\xff", Width::TwoBig),
    ];
    let (mark, width) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark))?;
    let rest = recognised(&bytes[mark.len()..]).filter(|found| found.bytes() == 4);
    Some((rest.unwrap_or(*width), mark.len()))
}

/// What the places of zero bytes in the first lines prove: text in ASCII, or with some, has them in every wide encoding and in
/// no narrow one. Separators, line ends, digits and addresses are ASCII in any language.
pub(super) fn recognised(bytes: &[u8]) -> Option<Width> {
    const LEAST_PERCENT: usize = 20;
    const MOST_ODD_ONES_PERCENT: usize = 2;
    let sample = &bytes[..bytes.len().min(LOOKED_AT)];
    let units = sample.len() / 4;
    if units == 0 {
        return None;
    }
    let mut zeros = [0_usize; 4];
    for unit in sample.chunks_exact(4) {
        for (count, byte) in zeros.iter_mut().zip(unit) {
            *count += usize::from(*byte == 0);
        }
    }
    let often = |place: usize| zeros[place] * 100 >= units * LEAST_PERCENT;
    let never = |place: usize| zeros[place] * 100 <= units * MOST_ODD_ONES_PERCENT;
    let nearly_always = |place: usize| zeros[place] * 100 >= units * (100 - MOST_ODD_ONES_PERCENT);
    let found = [
        (Width::FourLittle, nearly_always(3) && nearly_always(2) && never(0) && often(1)),
        (Width::FourBig, nearly_always(0) && nearly_always(1) && never(3) && often(2)),
        (Width::TwoLittle, often(1) && often(3) && never(0) && never(2)),
        (Width::TwoBig, often(0) && often(2) && never(1) && never(3)),
    ];
    found.into_iter().find(|(_, fits)| *fits).map(|(width, _)| width)
}

/// UTF-32; U+FFFD for what is no character, and whether there was such.
pub(super) fn utf32(bytes: &[u8], order: fn([u8; 4]) -> u32) -> (Cow<'static, str>, bool) {
    let mut text = String::with_capacity(bytes.len() / 4);
    let mut lossy = false;
    let units = bytes.chunks_exact(4);
    let cut_off = !units.remainder().is_empty();
    for unit in units {
        let character = <[u8; 4]>::try_from(unit).ok().and_then(|unit| char::from_u32(order(unit)));
        lossy |= character.is_none();
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if cut_off {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (Cow::Owned(text), lossy || cut_off)
}
