//! The proleptic Gregorian calendar within Python's years, 1 to 9999.
//!
//! Text is read by `iso` and `pattern`.

/// 0001-01-01 and 9999-12-31 as days since 1970.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;

/// A date and time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// Microseconds since 1970 on the clock that was written down.
    pub(super) micros: i64,
    /// How far that clock is ahead of UTC, in microseconds.
    pub(super) offset: i64,
}

/// The time of a day, not yet known to exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) micros: i64,
}

impl Time {
    /// Microseconds, whether or not there is such a time: offsets may have 99 minutes.
    pub(super) fn to_micros(self) -> i64 {
        (self.hour * 3600 + self.minute * 60 + self.second) * super::MICROS + self.micros
    }
}

/// Puts a day and a time together. `None` if the time does not exist or the offset is a day or more.
pub(super) fn local(day: i64, time: Time, offset: i64) -> Option<Local> {
    let exists = time.hour < 24 && time.minute < 60 && time.second < 60;
    (exists && offset.abs() < super::DAY).then(|| Local { micros: day * super::DAY + time.to_micros(), offset })
}

/// Whether a day since 1970 is within Python's years.
pub(crate) fn is_day(day: i64) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day)
}

/// A calendar date as days since 1970, if it exists.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    let length = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let exists = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=length).contains(&day);
    exists.then(|| days_since_1970(year, month, day))
}

/// A day of an ISO week as days since 1970, if it exists. Weeks start on Monday, which is 1.
pub(super) fn week_day(year: i64, week: i64, weekday: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=7).contains(&weekday) || week < 1 {
        return None;
    }
    let first = first_monday(year);
    let day = first + (week - 1) * 7 + weekday - 1;
    // A year may start, by weeks, before or after its first of January; the last year would then run over.
    let within = first + (week - 1) * 7 < first_monday(year + 1);
    (within && is_day(day)).then_some(day)
}

/// The Monday of the week that holds the fourth of January.
fn first_monday(year: i64) -> i64 {
    let fourth = days_since_1970(year, 1, 4);
    // 1970-01-01 was a Thursday.
    fourth - (fourth + 3).rem_euclid(7)
}

/// The date of a day that is counted from 1970: year, month and day.
pub fn date(days: i64) -> (i64, i64, i64) {
    // The inverse of `days_since_1970`, in eras of 400 years that begin in March.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Counts in years that start in March, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_dates_count_from_1970() {
        let check = |date: (i64, i64, i64), expected: Option<i64>| {
            assert_eq!(day(date.0, date.1, date.2), expected, "{date:?}");
        };
        check((1970, 1, 1), Some(0));
        check((1, 1, 1), Some(FIRST_DAY));
        check((9999, 12, 31), Some(LAST_DAY));
        check((2000, 2, 29), Some(11016));
        check((1900, 2, 29), None);
        check((2024, 3, 1), Some(19783));
        check((2024, 4, 31), None);
        check((2024, 13, 1), None);
        check((2024, 1, 0), None);
        check((0, 12, 31), None);
    }

    #[test]
    fn week_dates_count_from_the_week_of_the_fourth_of_january() {
        let check = |date: (i64, i64, i64), expected: Option<i64>| {
            assert_eq!(week_day(date.0, date.1, date.2), expected, "{date:?}");
        };
        check((2020, 1, 1), day(2019, 12, 30));
        check((2020, 53, 7), day(2021, 1, 3));
        check((2021, 53, 1), None);
        check((1, 1, 1), day(1, 1, 1));
        check((9999, 52, 5), day(9999, 12, 31));
        check((9999, 52, 6), None);
        check((2020, 0, 1), None);
        check((2020, 1, 8), None);
    }
}
