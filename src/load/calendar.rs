//! Dates as people's programs write them → instants. The order of day and month is stated, or proved by the values of the whole
//! file; it is never guessed, and never another one from row to row.

use super::columns::{Epoch, plain_instant};
use crate::config::Reading;
use crate::model::{DateOrder, Instant, TimeZone};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use polars::prelude::*;

/// How a file's dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calendar {
    order: Option<DateOrder>,
    known_by: KnownBy,
    zone: TimeZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownBy {
    Statement,
    Values,
}

/// A column of dates: its heading, its cells, and the lines of its rows.
pub(super) struct DateColumn<'c> {
    pub heading: &'c str,
    pub cells: &'c StringChunked,
    pub lines: &'c UInt32Chunked,
}

/// The file's values do not tell the order of day and month: where, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undecided {
    pub line: u64,
    pub heading: String,
    pub detail: String,
    /// They contradict one another; else they prove nothing.
    pub contradicts: bool,
}

impl Calendar {
    /// The calendar of a file: the order that `reading` states, else the one that the values of `columns` prove. A preset
    /// states none: CRMs write the year first or as the user's locale does, so numeric dates are a locale's or a spreadsheet's.
    ///
    /// # Errors
    /// There are numeric dates, and either none of them has a day above 12, or they contradict one another.
    pub fn of_file(reading: &Reading, columns: &[DateColumn<'_>]) -> Result<Self, Undecided> {
        let zone = reading.time_zone.unwrap_or(TimeZone::UTC);
        let (order, known_by) = match reading.dates {
            Some(stated) => (Some(stated), KnownBy::Statement),
            None => (proved(columns)?, KnownBy::Values),
        };
        Ok(Self { order, known_by, zone })
    }

    /// The order of numeric dates and how it is known, where there is one.
    pub fn dates_in_words(self) -> Option<String> {
        let how = match self.known_by {
            KnownBy::Statement => "as configured",
            KnownBy::Values => "its values prove it",
        };
        self.order.map(|order| format!("{} ({how})", order.words()))
    }

    /// The order that the file's own values prove.
    pub fn proved(self) -> Option<DateOrder> {
        self.order.filter(|_| self.known_by == KnownBy::Values)
    }

    /// The zone of times without an offset, unless it is UTC.
    pub fn zone_in_words(self) -> Option<String> {
        (self.zone != TimeZone::UTC).then(|| self.zone.name().to_owned())
    }

    /// The instants of a column. `unreadable` is told row and reason of each value that is none; such a cell is null.
    pub fn instants(
        self,
        cells: &StringChunked,
        epoch: Epoch,
        mut unreadable: impl FnMut(usize, &'static str),
    ) -> PolarsResult<Column> {
        let values: Int64Chunked = cells
            .iter()
            .enumerate()
            .map(|(row, cell)| self.millis(cell?, epoch).map_err(|why| unreadable(row, why)).ok())
            .collect();
        values.with_name(cells.name().clone()).into_column().cast(&crate::table::INSTANT)
    }

    /// Milliseconds since 1970, whole seconds; or why `value` is no instant.
    pub fn millis(self, value: &str, epoch: Epoch) -> Result<i64, &'static str> {
        // Nearly every value of nearly every file.
        if (self.zone == TimeZone::UTC || value.ends_with('Z') || value.ends_with(" UTC"))
            && let Some(millis) = plain_instant(value)
        {
            return Ok(millis);
        }
        if let Some(millis) = epoch.read(value) {
            return Ok(millis);
        }
        let written = Written::read(value)?;
        let (year, month, day) = match (written.date, self.order) {
            (Date::Known { year, month, day }, _) => (year, month, day),
            (Date::Numbers { first, second, year }, Some(DateOrder::Us)) => (year, first, second),
            (Date::Numbers { first, second, year }, Some(DateOrder::Eu)) => (year, second, first),
            (Date::Numbers { .. }, Some(DateOrder::Iso)) => return Err("only dates with the year first are expected"),
            (Date::Numbers { .. }, None) => return Err("the order of day and month is not known"),
        };
        let date = NaiveDate::from_ymd_opt(year, month, day).ok_or(match (written.date, self.order) {
            (Date::Numbers { .. }, Some(DateOrder::Us)) => "there is no such day with the month first",
            (Date::Numbers { .. }, _) => "there is no such day with the day first",
            _ => "there is no such day",
        })?;
        let instant = match (written.time, written.offset) {
            (time, Some(offset)) => {
                let local = date.and_time(time.unwrap_or(NaiveTime::MIN));
                let seconds = local.and_utc().timestamp() - i64::from(offset);
                Instant::from_epoch_seconds(seconds).filter(|_| Instant::in_calendar(seconds))
            }
            (None, None) => self.zone.start_of_day(date.and_time(NaiveTime::MIN)),
            (Some(time), None) => self.local(date.and_time(time))?,
        };
        instant.map(Instant::epoch_millis).ok_or("it lies outside the years 1 to 9999")
    }

    fn local(self, time: NaiveDateTime) -> Result<Option<Instant>, &'static str> {
        match self.zone.instant(time) {
            None if (2..9999).contains(&chrono::Datelike::year(&time)) => {
                Err("the clocks of the configured time zone skipped this time")
            }
            found => Ok(found),
        }
    }
}

/// The order that the values prove; `None`: there are no numeric dates.
fn proved(columns: &[DateColumn<'_>]) -> Result<Option<DateOrder>, Undecided> {
    // The first value of each kind: heading, line, value.
    let (mut any, mut day_first, mut month_first) = (None, None, None);
    for DateColumn { heading, cells, lines } in columns {
        for (cell, line) in cells.iter().zip(lines.iter()) {
            let Some(value) = cell.filter(|value| value.as_bytes().get(4) != Some(&b'-')) else { continue };
            let Ok(Written { date: Date::Numbers { first, second, year }, .. }) = Written::read(value) else {
                continue;
            };
            let place = (*heading, line.map_or(0, u64::from), value);
            any.get_or_insert(place);
            let is_day = |month, day| NaiveDate::from_ymd_opt(year, month, day).is_some();
            match (is_day(first, second), is_day(second, first)) {
                (true, false) => month_first.get_or_insert(place),
                (false, true) => day_first.get_or_insert(place),
                _ => continue,
            };
            if day_first.is_some() && month_first.is_some() {
                break;
            }
        }
    }
    let advice = "state the order with dates = \"us\" (10/14/2026) or \"eu\" (14/10/2026)";
    let undecided = |(heading, line, value): (&str, u64, &str), why: String, contradicts: bool| Undecided {
        line,
        heading: heading.to_owned(),
        detail: format!("`{value}` {why}; {advice}"),
        contradicts,
    };
    match (any, month_first, day_first) {
        (None, ..) => Ok(None),
        (_, Some(_), None) => Ok(Some(DateOrder::Us)),
        (_, None, Some(_)) => Ok(Some(DateOrder::Eu)),
        (_, Some((_, line, value)), Some(place)) => Err(undecided(
            place,
            format!("has the day first, `{value}` on line {line} the month: the file contradicts itself"),
            true,
        )),
        (Some(place), None, None) => Err(undecided(
            place,
            "may have the day first or the month, and no date of the file has a day above 12 to tell".to_owned(),
            false,
        )),
    }
}

/// A date and time as written, before anything is known of its order and zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    date: Date,
    time: Option<NaiveTime>,
    /// Seconds east of UTC.
    offset: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Date {
    Known {
        year: i32,
        month: u32,
        day: u32,
    },
    /// Two numbers in front of a year.
    Numbers {
        first: u32,
        second: u32,
        year: i32,
    },
}

const NO_DATE: &str = "it is no date that can be read";
const TWO_DIGITS: &str = "a year of two digits may be of any century";

impl Written {
    fn read(value: &str) -> Result<Self, &'static str> {
        let value = value.trim();
        if is_serial(value) {
            return Err("it is the number of a spreadsheet's day; format the column as a date and export it again");
        }
        let (date, rest) = date(value)?;
        if rest.is_empty() {
            return Ok(Self { date, time: None, offset: None });
        }
        // An offset may stand behind a date alone.
        let rest = rest.trim_start_matches([',', ' ']);
        let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim_start();
        let (time, rest) = time(rest).map_or((None, rest), |(time, rest)| (Some(time), rest));
        let offset =
            offset(rest.trim_start()).ok_or(if rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic()) {
                "it names a time zone by an abbreviation or a name; offsets (+02:00) are read, or state time_zone"
            } else {
                NO_DATE
            })?;
        Ok(Self { date, time, offset })
    }
}

/// Days since 1900 as spreadsheets count them, of some decades around now, with a fraction or without.
fn is_serial(value: &str) -> bool {
    let (days, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    days.len() == 5 && digits(days) && digits(fraction)
}

/// The date that `value` begins with, and the rest.
fn date(value: &str) -> Result<(Date, &str), &'static str> {
    let (mut first, mut rest) = word(value);
    // `Wed, 14 Oct 2026`
    if is_weekday(first) {
        (first, rest) = word(rest.trim_start_matches(['.', ',', ' ']));
    }
    if first.is_empty() {
        return Err(NO_DATE);
    }
    if let Some(month) = month(first) {
        // `Oct 14, 2026`
        let (day, rest) = word(rest.trim_start_matches(['.', ' ', '-']));
        let (year, rest) = word(rest.trim_start_matches([',', ' ', '-']));
        return Ok((Date::Known { year: year_of(year)?, month, day: number(day)? }, rest));
    }
    let separator = rest.chars().next().filter(|c| matches!(c, '/' | '.' | '-' | ' ')).ok_or(NO_DATE)?;
    let (second, rest) = word(rest[1..].trim_start());
    if let Some(month) = month(second) {
        // `14 Oct 2026`, `14-Oct-2026`, `14. Oct 2026`
        let (year, rest) = word(rest.trim_start_matches(['.', ',', ' ', '-', '/']));
        return Ok((Date::Known { year: year_of(year)?, month, day: number(first)? }, rest));
    }
    if separator == ' ' {
        return Err(NO_DATE);
    }
    let (third, rest) = word(rest.strip_prefix(separator).ok_or(NO_DATE)?);
    if first.len() == 4 {
        return Ok((Date::Known { year: year_of(first)?, month: number(second)?, day: number(third)? }, rest));
    }
    Ok((Date::Numbers { first: number(first)?, second: number(second)?, year: year_of(third)? }, rest))
}

/// The letters or the digits that `text` begins with, and the rest.
fn word(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let fits = |c: char| if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
    text.split_at(text.find(|c: char| !fits(c)).unwrap_or(text.len()))
}

fn number(text: &str) -> Result<u32, &'static str> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or(NO_DATE)
}

fn year_of(text: &str) -> Result<i32, &'static str> {
    match text.len() {
        4 => text.parse().ok().filter(|year| *year > 0).ok_or(NO_DATE),
        2 if text.bytes().all(|byte| byte.is_ascii_digit()) => Err(TWO_DIGITS),
        _ => Err(NO_DATE),
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Whether `text` is `word`, or its first letters, at least three.
fn shortens(text: &str, word: &str) -> bool {
    text.len() >= 3 && word.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
}

fn month(text: &str) -> Option<u32> {
    (1..).zip(MONTHS).find(|(_, name)| shortens(text, name)).map(|(number, _)| number)
}

fn is_weekday(text: &str) -> bool {
    WEEKDAYS.iter().any(|name| shortens(text, name))
}

/// `H:MM`, `HH:MM:SS` with a fraction or without, with `AM` or `PM` or without; and the rest.
fn time(text: &str) -> Option<(NaiveTime, &str)> {
    let (hour, rest) = word(text);
    let (minute, mut rest) = word(rest.strip_prefix(':')?);
    let mut second = "00";
    if let Some(behind) = rest.strip_prefix(':') {
        (second, rest) = word(behind);
        if let Some(fraction) = rest.strip_prefix('.') {
            let (digits, behind) = word(fraction);
            digits.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
            rest = behind;
        }
    }
    if minute.len() != 2 || second.len() != 2 {
        return None;
    }
    let mut hour = number(hour).ok()?;
    let halves = [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)];
    let behind = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let half = halves.iter().find(|(half, _)| behind.get(..half.len()).is_some_and(|b| b.eq_ignore_ascii_case(half)));
    if let Some((half, later)) = half {
        (1..=12).contains(&hour).then_some(())?;
        hour = hour % 12 + later;
        rest = &behind[half.len()..];
    }
    Some((NaiveTime::from_hms_opt(hour, number(minute).ok()?, number(second).ok()?)?, rest))
}

/// Nothing, `Z`, `UTC`, `GMT`, `+0200`, `+02:00`, `+02`; `Z-0300` as Salesforce's Data Loader reads it, by the offset. The inner
/// `None`: none is written.
#[allow(clippy::option_option, reason = "no offset and no offset that can be read are not the same")]
fn offset(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    let utc =
        ["Z", "UTC", "GMT"].iter().find(|word| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word)));
    let rest = utc.map_or(text, |word| &text[word.len()..]);
    if rest.is_empty() {
        return Some(Some(0));
    }
    // `GMT-8` means many things.
    if utc.is_some_and(|word| *word != "Z") {
        return None;
    }
    let sign = match rest.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = &rest[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if hours.len() == 2 && minutes.len() == 2 => (hours, minutes),
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None if digits.len() == 2 => (digits, "00"),
        _ => return None,
    };
    let (hours, minutes) = (number(hours).ok()?, number(minutes).ok()?);
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    // From Baker Island to Kiritimati.
    (hours <= 14 && minutes < 60).then_some(Some(sign * seconds))
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
