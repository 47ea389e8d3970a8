//! How close together two runs of a schedule can be.
//!
//! Pure. Of the five fields only minutes and hours count: what holds for some days may hold for two in
//! a row. The text was checked by the language; what cannot be read counts as every minute.

/// Minutes; at least 1, at most a day.
pub(super) fn least_gap(schedule: &str) -> u32 {
    let mut fields = schedule.split_whitespace();
    let minutes = fields.next().and_then(|field| values(field, 59));
    let hours = fields.next().and_then(|field| values(field, 23));
    let (Some(minutes), Some(hours)) = (minutes, hours) else {
        return 1;
    };
    let due = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute));
    let mut due: Vec<u32> = due.collect();
    due.sort_unstable();
    let Some(first) = due.first() else {
        return 1;
    };
    let next = due.iter().skip(1).copied().chain([first + DAY]);
    let gaps = due.iter().zip(next).map(|(one, next)| next - one);
    gaps.min().unwrap_or(1).max(1)
}

const DAY: u32 = 24 * 60;

/// The values of a field from 0 to `last`, each once; `None` for what is no field of numbers.
fn values(field: &str, last: u32) -> Option<Vec<u32>> {
    let items: Option<Vec<_>> = field.split(',').map(|item| item_of(item, last)).collect();
    let items = items?;
    let held = (0..=last).filter(|value| {
        items.iter().any(|(low, high, step)| {
            (low..=high).contains(&value) && (value - low).is_multiple_of(*step)
        })
    });
    Some(held.collect())
}

/// From, to, step of `*`, `?`, `N`, `N-M`, each with an optional `/STEP`.
fn item_of(item: &str, last: u32) -> Option<(u32, u32, u32)> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
        None => (item, None),
    };
    let (low, high) = match (range.split_once('-'), step) {
        _ if matches!(range, "*" | "?") => (0, last),
        (Some((low, high)), _) => (low.parse().ok()?, high.parse().ok()?),
        // `5/20` runs from 5 to the end.
        (None, Some(_)) => (range.parse().ok()?, last),
        (None, None) => {
            let only = range.parse().ok()?;
            (only, only)
        }
    };
    Some((low, high, step.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::least_gap;

    #[test]
    fn gaps_are_those_of_the_closest_runs() {
        let rows = [
            ("* * * * *", 1),
            ("*/15 * * * *", 15),
            ("*/7 * * * *", 4), // 56, then 0
            ("0,50 * * * *", 10),
            ("5/20 * * * *", 20),
            ("0 3 * * *", 1440),
            ("30 3 * * mon", 1440),
            ("0 1,23 * * *", 120), // over midnight
            ("0 9-17/4 * * *", 240),
            ("0 ? 1 jan *", 60),
            ("nonsense", 1),
        ];
        for (schedule, minutes) in rows {
            assert_eq!(least_gap(schedule), minutes, "{schedule}");
        }
    }
}
