//! Points in time as servers write them, to the second.

use std::fmt;

use serde::{Serialize, Serializer};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Days of 400 years, after which the calendar repeats.
const ERA: u64 = 146_097;

/// Days from the first of March of the year 0, with which eras begin, to the first of January 1970.
const EPOCH: u64 = 719_468;

/// A point in time, from 1970 on. It is written as RFC 3339 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// So many seconds after 1970 began.
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The seconds since 1970 began.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// How many seconds after another this is; 0 if it is before.
    pub fn since(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }

    /// Reads `20261122064716Z` or `2026-11-22T06:47:16Z`; `None` if it is neither, or the beginning of 1970, which servers write
    /// for never.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.strip_suffix('Z')?.chars().filter(|c| !matches!(c, '-' | ':' | 'T')).collect();
        if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
        let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let moment = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
        (moment > 0).then_some(Self(moment))
    }
}

/// Days from 1970 on. Years are counted from March, so that the day that leap years have more is their last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - EPOCH
}

/// Year, month and day of a day from 1970 on.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0 / DAY);
        let (hour, minute, second) = (self.0 % DAY / 3600, self.0 % 3600 / 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
