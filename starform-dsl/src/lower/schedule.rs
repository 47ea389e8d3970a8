//! One schedule against the grammar of CronJobs, with the schedule that a common mistake means.
//! Pure. What is put forward is itself a schedule.
//! Read on in `crate::values::cron` for the grammar, and in `value`, which asks.

use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::syntax::quoted;
use crate::values::cron;

pub(super) fn check(text: &str, span: Span) -> Option<Diagnostic> {
    let error = cron::check(text).err()?;
    let diagnostic = Diagnostic::new(codes::BAD_SCHEDULE, span, error.to_string());
    Some(match meant_schedule(text, &error) {
        Some(right) => {
            let right = quoted(&right);
            let title = format!("write {right}");
            diagnostic
                .help(title.clone())
                .fix(if is_certain(text, &error) {
                    Fix::replace(title, span, right)
                } else {
                    Fix::maybe_replace(title, span, right)
                })
        }
        None if error == cron::InvalidSchedule::TimeZone => {
            diagnostic.help("use the property `timezone=\"Europe/Lisbon\"`")
        }
        None => diagnostic.help(
            "write minute, hour, day of month, month and day of week (0–6), as in \"30 3 * * *\"",
        ),
    })
}

/// That a schedule never comes.
pub(super) fn never_due(text: &str, span: Span) -> Option<Diagnostic> {
    let diagnostic = || {
        Diagnostic::new(codes::NEVER_DUE, span, "the schedule never comes")
            .label("no month that it names has such a day")
            .help("name a day that the month has; `28` is in every month")
    };
    (cron::check(text).is_ok() && !cron::is_ever_due(text)).then(diagnostic)
}

/// The schedule that a common mistake means: a word, seconds in front, Sunday as 7, a day's full name.
fn meant_schedule(text: &str, error: &cron::InvalidSchedule) -> Option<String> {
    use cron::InvalidSchedule as E;
    let right = match error {
        E::Descriptor { fields, .. } => fields.map(str::to_owned),
        E::FieldCount(6) => text
            .trim_start()
            .split_once(char::is_whitespace)
            .map(|(_, rest)| rest.trim().to_owned()),
        E::OutOfRange {
            field: "day of week",
            ..
        } => sunday_first(text),
        E::NotANumber { text: word, .. } => {
            let short = word.get(..3).filter(|_| word.len() > 3);
            short.map(|short| text.replace(word.as_str(), short))
        }
        E::OutOfRange { .. }
        | E::TimeZone
        | E::FieldCount(_)
        | E::Backwards { .. }
        | E::Step { .. } => None,
    };
    right.filter(|right| cron::check(right).is_ok())
}

/// Whether what is meant is beyond doubt: seconds and long names are left out, which says less.
fn is_certain(text: &str, error: &cron::InvalidSchedule) -> bool {
    use cron::InvalidSchedule as E;
    match error {
        E::Descriptor { .. } | E::OutOfRange { .. } => true,
        E::FieldCount(_) => text.split_whitespace().next() == Some("0"),
        E::NotANumber { .. } | E::TimeZone | E::Backwards { .. } | E::Step { .. } => false,
    }
}

/// A week of 1 to 7 as one of 0 to 6: `7` is `0`, `5-7` is `0,5-6`, `1-7` is every day.
fn sunday_first(text: &str) -> Option<String> {
    let text = text.trim_end();
    let start = text.rfind(char::is_whitespace)? + 1;
    let items: Vec<String> = text[start..].split(',').map(sunday_of_item).collect();
    let days = if items.iter().any(|item| item == "*") {
        "*".to_owned()
    } else {
        let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
        items.dedup();
        items.join(",")
    };
    Some(format!("{}{days}", &text[..start]))
}

fn sunday_of_item(item: &str) -> String {
    match item {
        "7" => "0".to_owned(),
        "0-7" | "1-7" => "*".to_owned(),
        "6-7" => "0,6".to_owned(),
        item => match item.strip_suffix("-7") {
            Some(first) => format!("0,{first}-6"),
            None => item.to_owned(),
        },
    }
}
