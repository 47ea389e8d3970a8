//! Five-field schedules by the grammar that Kubernetes' CronJob controller uses.
//! Pure. Accepts exactly numbers, names of months and days, `*`, `?`, lists, ranges and steps; the week is 0–6.
//! Source: the standard parser of robfig/cron v3, without its descriptors and `TZ=` prefix.

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    #[error("`{word}` is not written as five fields")]
    Descriptor {
        word: String,
        /// The same schedule in fields, where there is one.
        fields: Option<&'static str>,
    },
    #[error("a time zone does not belong in the schedule")]
    TimeZone,
    #[error("a schedule has five fields, this one has {0}")]
    FieldCount(usize),
    #[error("the {field} `{text}` is not between {min} and {max}")]
    OutOfRange {
        field: &'static str,
        text: String,
        min: u32,
        max: u32,
    },
    #[error("the {field} `{text}` is not a number{names}")]
    NotANumber {
        field: &'static str,
        text: String,
        /// ` or a name such as …`, or empty.
        names: &'static str,
    },
    #[error("the range `{text}` of the {field} runs backwards")]
    Backwards { field: &'static str, text: String },
    #[error("the step of `{text}` in the {field} is not a number from 1")]
    Step { field: &'static str, text: String },
}

struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Names of values from `min` on.
    names: &'static [&'static str],
    names_text: &'static str,
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        min: 0,
        max: 59,
        names: &[],
        names_text: "",
    },
    Field {
        name: "hour",
        min: 0,
        max: 23,
        names: &[],
        names_text: "",
    },
    Field {
        name: "day of month",
        min: 1,
        max: 31,
        names: &[],
        names_text: "",
    },
    Field {
        name: "month",
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
        names_text: " or a name such as `jan`",
    },
    Field {
        name: "day of week",
        min: 0,
        max: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        names_text: " or a name such as `mon`",
    },
];

const DESCRIPTORS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Whether the text is a schedule; fields are parted by white space.
pub fn check(text: &str) -> Result<(), InvalidSchedule> {
    if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        return Err(InvalidSchedule::TimeZone);
    }
    if text.starts_with('@') {
        let fields = DESCRIPTORS
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, fields)| *fields);
        return Err(InvalidSchedule::Descriptor {
            word: text.to_owned(),
            fields,
        });
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(InvalidSchedule::FieldCount(parts.len()));
    }
    FIELDS
        .iter()
        .zip(parts)
        .try_for_each(|(field, part)| part.split(',').try_for_each(|item| check_item(field, item)))
}

/// The most days that a month has, from January.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a schedule ever comes. Only a day that none of its months has keeps it from that, and only where no day of
/// the week is named: of the two kinds of day one is enough.
pub fn is_ever_due(text: &str) -> bool {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [_, _, days, months, week] = parts.as_slice() else {
        return true;
    };
    // A step greater than 1 makes of all days some that are named.
    let any_day = |item: &str| matches!(item, "*" | "?" | "*/1" | "?/1");
    if !week.split(',').any(any_day) {
        return true;
    }
    let [_, _, day, month, _] = &FIELDS;
    (1..).zip(DAYS).any(|(number, last)| {
        holds(month, months, number) && (1..=last).any(|number| holds(day, days, number))
    })
}

/// Whether a field that is well formed names a value.
fn holds(field: &Field, text: &str, value: u32) -> bool {
    text.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (number(field, low), number(field, high)),
            None if matches!(range, "*" | "?") => (Ok(field.min), Ok(field.max)),
            None if item.contains('/') => (number(field, range), Ok(field.max)),
            None => (number(field, range), number(field, range)),
        };
        match (low, high, whole(step)) {
            (Ok(low), Ok(high), Some(step)) if step > 0 => {
                (low..=high).contains(&value) && (value - low).is_multiple_of(step)
            }
            (Ok(_) | Err(_), Ok(_) | Err(_), Some(_) | None) => true,
        }
    })
}

/// `*`, `?`, `N`, `N-M`, each with an optional `/STEP`.
fn check_item(field: &Field, item: &str) -> Result<(), InvalidSchedule> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        whole(step)
            .filter(|step| *step > 0)
            .ok_or_else(|| InvalidSchedule::Step {
                field: field.name,
                text: item.to_owned(),
            })?;
    }
    if range == "*" || range == "?" {
        return Ok(());
    }
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    if number(field, low)? > number(field, high)? {
        return Err(InvalidSchedule::Backwards {
            field: field.name,
            text: range.to_owned(),
        });
    }
    Ok(())
}

fn number(field: &Field, text: &str) -> Result<u32, InvalidSchedule> {
    let lower = text.to_lowercase();
    let named = (field.min..)
        .zip(field.names)
        .find(|(_, name)| **name == lower)
        .map(|(value, _)| value);
    let value = named
        .or_else(|| whole(text))
        .ok_or_else(|| InvalidSchedule::NotANumber {
            field: field.name,
            text: text.to_owned(),
            names: field.names_text,
        })?;
    if (field.min..=field.max).contains(&value) {
        Ok(value)
    } else {
        Err(InvalidSchedule::OutOfRange {
            field: field.name,
            text: text.to_owned(),
            min: field.min,
            max: field.max,
        })
    }
}

fn whole(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
