//! How dates are written: which number comes first, and where on earth the clock hung.

use super::Instant;
use chrono::offset::LocalResult;
use chrono::{Duration, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

/// The order of day and month where both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// Year, month, day; nothing else is a date.
    Iso,
    /// Month, day, year: 10/14/2026.
    Us,
    /// Day, month, year: 14/10/2026.
    Eu,
}

impl DateOrder {
    /// In words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Iso => "year first",
            Self::Us => "month first",
            Self::Eu => "day first",
        }
    }
}

/// A time zone of the IANA database, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone named `name`: `America/New_York`, whatever the case.
    pub fn named(name: &str) -> Option<Self> {
        chrono_tz::TZ_VARIANTS.into_iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).map(Self)
    }

    /// Every name, for advice.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The instant at which a clock of this zone shows `local`. Of the two in the hour that the clocks go through twice, the
    /// earlier. `None`: it is skipped when the clocks go forward, or lies outside the years 1 to 9999.
    pub fn instant(self, local: NaiveDateTime) -> Option<Instant> {
        let seconds = match self.0.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.timestamp(),
            LocalResult::None => return None,
        };
        Instant::from_epoch_seconds(seconds).filter(|_| Instant::in_calendar(seconds))
    }

    /// The first instant of a day: midnight, or what follows where the clocks skip it.
    pub fn start_of_day(self, midnight: NaiveDateTime) -> Option<Instant> {
        const STEP_MINUTES: i64 = 15;
        // No zone ever skipped more than a day.
        (0..=96).find_map(|step| self.instant(midnight.checked_add_signed(Duration::minutes(step * STEP_MINUTES))?))
    }
}

impl std::fmt::Display for TimeZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::TimeZone;
    use chrono::NaiveDateTime;

    #[test]
    fn a_local_time_is_one_instant_or_none() {
        for (zone, local, expected) in [
            ("UTC", "2026-10-14 09:00:00", Some("2026-10-14T09:00:00Z")),
            ("america/new_york", "2026-10-14 09:00:00", Some("2026-10-14T13:00:00Z")),
            ("America/New_York", "2026-03-08 02:30:00", None),
            // Twice that night: the earlier, still summer time.
            ("America/New_York", "2026-11-01 01:30:00", Some("2026-11-01T05:30:00Z")),
            ("Asia/Kathmandu", "2026-01-01 00:00:00", Some("2025-12-31T18:15:00Z")),
            ("Pacific/Auckland", "0001-01-01 00:00:00", None),
        ] {
            let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S").unwrap();
            let found = TimeZone::named(zone).unwrap().instant(local).map(|instant| instant.to_string());
            assert_eq!(found.as_deref(), expected, "{zone} {local}");
        }
        assert_eq!(TimeZone::named("Mars/Olympus"), None);
        // Lebanon's clocks go forward at midnight.
        let midnight = NaiveDateTime::parse_from_str("2026-03-29 00:00:00", "%Y-%m-%d %H:%M:%S").unwrap();
        let day = TimeZone::named("Asia/Beirut").unwrap().start_of_day(midnight).unwrap();
        assert_eq!(day.to_string(), "2026-03-28T22:00:00Z");
    }
}
