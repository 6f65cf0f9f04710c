//! How cells look: restrained, numbers aligned by their decimals, one colour for headings and one for what is wrong.

use super::columns::Kind;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, FormatUnderline};

const INK: u32 = 0x26_2626;
const FAINT: u32 = 0x6B_6B6B;
const RULE: u32 = 0x8C_8C8C;
const HEADING: u32 = 0xEE_F1F4;
/// Behind a cell that must be 0.
const SHADE: u32 = 0xE8_F0E6;
const ACCENT: u32 = 0x1F_4E79;
/// What is wrong: dark enough to be told from the rest without its colour.
const WRONG: u32 = 0x9C_1C1C;

/// The colours of sheets' tabs.
pub(super) const TAB_SUMMARY: Color = Color::RGB(ACCENT);
pub(super) const TAB_ATTENTION: Color = Color::RGB(0xC7_7700);
pub(super) const TAB_EMPTY: Color = Color::RGB(0xD9_D9D9);
pub(super) const TAB_PROOF: Color = Color::RGB(RULE);

/// The format that every spreadsheet knows as text, by its number.
const TEXT: u8 = 49;
const INSTANT: &str = "yyyy-mm-dd hh:mm:ss";
const COUNT: &str = "#,##0;-#,##0;0";

/// An amount's number format: `#,##0.00`.
fn money(digits: u8) -> String {
    let fraction = if digits == 0 { String::new() } else { format!(".{}", "0".repeat(digits.into())) };
    format!("#,##0{fraction};-#,##0{fraction}")
}

/// As [`money`], with room for four digits more.
fn exact(digits: u8) -> String {
    let point = if digits == 0 { "." } else { "" };
    let more = money(digits).replace(';', &format!("{point}????;"));
    format!("{more}{point}????")
}

/// The formats of the workbook.
pub(super) struct Formats {
    pub(super) title: Format,
    pub(super) headline: Format,
    pub(super) section: Format,
    pub(super) note: Format,
    pub(super) label: Format,
    pub(super) text: Format,
    pub(super) link: Format,
    /// A text beside a number.
    pub(super) beside: Format,
    pub(super) link_beside: Format,
    pub(super) heading: Format,
    /// Over texts that stand beside numbers.
    pub(super) heading_beside: Format,
    pub(super) heading_right: Format,
    pub(super) instant: Format,
    pub(super) count: Format,
    pub(super) money: Format,
    /// An amount that may have four digits more than the currency: their room is kept, so that points stand in line.
    pub(super) exact: Format,
    pub(super) total_exact: Format,
    pub(super) given_exact: Format,
    pub(super) total_label: Format,
    pub(super) total_count: Format,
    pub(super) total_money: Format,
    pub(super) given_label: Format,
    pub(super) given_count: Format,
    pub(super) given_money: Format,
    /// A cell that must be 0.
    pub(super) check: Format,
    /// Such a cell that is not.
    pub(super) wrong: Format,
    kinds: [Format; Kind::ALL.len()],
}

impl Formats {
    /// The formats for amounts of a currency with `digits` digits.
    pub(super) fn new(digits: u8) -> Self {
        let plain = || Format::new().set_font_color(INK).set_align(FormatAlign::Top);
        // A text beside a number does not touch it.
        let beside = |format: Format| format.set_align(FormatAlign::Left).set_indent(1);
        let link = || plain().set_font_color(ACCENT).set_underline(FormatUnderline::Single);
        let number = |code: &str| plain().set_num_format(code).set_align(FormatAlign::Right);
        let cash = money(digits);
        // Zeros of a roll-forward are many and say nothing: a dash lets the others be seen.
        let dashed = format!("{cash};\"–\"");
        let exact = exact(digits);
        let heading = plain()
            .set_bold()
            .set_background_color(HEADING)
            .set_border_bottom(FormatBorder::Thin)
            .set_border_bottom_color(RULE);
        let total = |format: Format| format.set_bold().set_border_top(FormatBorder::Thin).set_border_top_color(RULE);
        let given = |format: Format| format.set_font_color(FAINT).set_italic();
        let check =
            plain().set_num_format(format!("{cash};0")).set_align(FormatAlign::Right).set_background_color(SHADE);
        let kinds = Kind::ALL.map(|kind| match kind {
            // A text format: what is typed over stays text too, leading zeros and `=` included.
            Kind::Text => beside(plain()).set_num_format_index(TEXT),
            Kind::Money => number(&cash),
            Kind::Count => number("0"),
            Kind::Instant => plain().set_num_format(INSTANT).set_align(FormatAlign::Left),
            Kind::YesNo => plain().set_align(FormatAlign::Left),
            Kind::Number => plain().set_align(FormatAlign::Right),
        });
        Self {
            title: plain().set_bold().set_font_size(16).set_font_color(ACCENT),
            headline: plain().set_bold().set_font_size(12),
            section: plain()
                .set_bold()
                .set_font_size(12)
                .set_font_color(ACCENT)
                .set_border_bottom(FormatBorder::Medium)
                .set_border_bottom_color(ACCENT),
            note: plain().set_font_color(FAINT),
            label: plain(),
            text: plain().set_num_format_index(TEXT).set_align(FormatAlign::Left),
            link_beside: beside(link()),
            beside: beside(plain()),
            link: link(),
            heading_right: heading.clone().set_align(FormatAlign::Right).set_text_wrap(),
            heading_beside: beside(heading.clone()),
            heading,
            instant: plain().set_num_format(INSTANT).set_align(FormatAlign::Left),
            count: number(COUNT),
            money: number(&dashed),
            given_exact: given(number(&exact)),
            total_exact: total(number(&exact)),
            exact: number(&exact),
            total_label: total(plain()),
            total_count: total(number(COUNT)),
            total_money: total(number(&cash)),
            given_label: given(plain()),
            given_count: given(number(COUNT)),
            given_money: given(number(&cash)),
            check,
            wrong: Format::new().set_font_color(0xFF_FFFF).set_background_color(WRONG).set_bold(),
            kinds,
        }
    }

    /// The format of a table's cells of one kind.
    pub(super) fn of(&self, kind: Kind) -> &Format {
        &self.kinds[kind as usize]
    }
}

/// The numbers by which the finished workbook knows the formats of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Styles([u32; Kind::ALL.len()]);

impl Styles {
    /// Reads them off the cells of a sample row, one per kind in their order: `<c r="A2" s="7"/>…`.
    pub(super) fn read(row: &str) -> Option<Self> {
        let mut styles = row.split("<c ").skip(1).map(|cell| {
            let (_, style) = cell.split_once(" s=\"")?;
            style.split_once('"')?.0.parse().ok()
        });
        let mut found = [0; Kind::ALL.len()];
        for place in &mut found {
            *place = styles.next()??;
        }
        Some(Self(found))
    }

    /// The style of cells of one kind.
    pub(super) fn of(&self, kind: Kind) -> u32 {
        self.0[kind as usize]
    }
}
