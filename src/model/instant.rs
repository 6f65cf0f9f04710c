//! Instants: UTC, to the second.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(DateTime<Utc>);

/// The text is no instant that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date or time; write it as 2026-11-01T00:00:00Z")]
pub struct InstantError(pub String);

impl Instant {
    /// The first second behind the last that can be written with four digits of a year.
    const YEAR_10000: i64 = 253_402_300_800;
    /// The first second of the year 1.
    const YEAR_1: i64 = -62_135_596_800;

    /// Whether the seconds after 1970 lie in the years 1 to 9999: what an export may mean.
    pub const fn in_calendar(seconds: i64) -> bool {
        Self::YEAR_1 <= seconds && seconds < Self::YEAR_10000
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z, if a calendar can show it.
    pub fn from_epoch_seconds(seconds: i64) -> Option<Self> {
        Utc.timestamp_opt(seconds, 0).single().map(Self)
    }

    /// `time` cut to the second.
    pub fn from_utc(time: DateTime<Utc>) -> Self {
        Self::from_epoch_seconds(time.timestamp()).unwrap_or(Self(time))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn epoch_seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, as tables hold instants.
    pub fn epoch_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Reads ISO 8601: a date, a date and time with `T` or a space (UTC unless an offset stands there), in the years 1 to
    /// 9999.
    pub fn parse(text: &str) -> Result<Self, InstantError> {
        let text = text.trim();
        Self::parse_any_year(text)
            .filter(|instant| (1..=9999).contains(&instant.0.year()))
            .ok_or_else(|| InstantError(text.to_owned()))
    }

    fn parse_any_year(text: &str) -> Option<Self> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::from_utc(time.with_timezone(&Utc)));
        }
        for format in ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
            if let Ok(time) = DateTime::parse_from_str(text, format) {
                return Some(Self::from_utc(time.with_timezone(&Utc)));
            }
        }
        let bare = text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
        for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = NaiveDateTime::parse_from_str(bare, format) {
                return Some(Self::from_utc(time.and_utc()));
            }
        }
        NaiveDate::parse_from_str(bare, "%Y-%m-%d")
            .ok()
            .and_then(|date| date.and_hms_opt(0, 0, 0))
            .map(|time| Self::from_utc(time.and_utc()))
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl std::str::FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn every_documented_way_to_write_an_instant_is_read_as_utc() {
        for (text, expected) in [
            ("2026-11-01T00:00:00Z", Some("2026-11-01T00:00:00Z")),
            ("2026-11-01T02:00:00+02:00", Some("2026-11-01T00:00:00Z")),
            ("2026-11-01T02:00:00.999+0200", Some("2026-11-01T00:00:00Z")),
            ("2026-11-01 13:45", Some("2026-11-01T13:45:00Z")),
            ("2026-11-01 13:45:07", Some("2026-11-01T13:45:07Z")),
            ("2026-11-01 13:45:07 UTC", Some("2026-11-01T13:45:07Z")),
            ("2026-11-01", Some("2026-11-01T00:00:00Z")),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z")),
            ("9999-12-31T23:59:59-05:00", None),
            ("+12026-11-01", None),
            ("0000-01-01", None),
            ("01/11/2026", None),
            ("yesterday", None),
        ] {
            assert_eq!(Instant::parse(text).ok().map(|i| i.to_string()).as_deref(), expected, "{text:?}");
        }
    }
}
