//! `starform history`: the generations of an environment, newest first.
//!
//! Effects: reads a file for the project's name, asks the control plane, prints. Always holds: no line is wider
//! than the terminal; a revision without room stands in a line of its own, and what is shortened is whole in the JSON. Read on in `diff` and `rollback`.

use std::path::Path;

use starform_contract::{EnvironmentName, ProjectId, ProjectName};
use starform_dsl::Project;
use starform_plan::{
    document::{ObjectCounts, Summary},
    view::values,
};
use starform_reconciler::{
    api::body::{ApplyState, Author, HistoryEntry, Items},
    time::Timestamp,
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{known, print, print_json};
use crate::{
    args::{Global, OnePlace, PlanFormat, TellArgs},
    backend::{project_id, say_nothing_accepted},
    exit::{Exit, Failure},
    remote::{Remote, failure},
    terminal::Terminal,
};

/// As many as the control plane tells of.
const TOLD: usize = 200;
/// Digits of a token's id that tell it from others.
const ID: usize = 8;

pub(crate) async fn run(
    args: &TellArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let next = "`starform status` tells how it does";
    let remote = remote(global, "history", next)?;
    let place = find(&remote, &args.place, &args.path, terminal).await?;
    let all: Items<HistoryEntry> = remote.get(&place.route("history")).await.map_err(failure)?;
    if all.items.is_empty() {
        place.refuse_unknown()?;
        say_nothing_accepted(&place.name, &place.environment);
    }
    match args.format {
        PlanFormat::Json => print_json(&all),
        PlanFormat::Human => print(&text(&place, &all.items, terminal.width)),
    }
    Ok(Exit::Success)
}

/// One environment on the control plane.
pub(super) struct Found {
    pub(super) name: ProjectName,
    pub(super) environment: EnvironmentName,
    pub(super) id: ProjectId,
    /// As the file has it, where it was read.
    project: Option<Project>,
}

impl Found {
    pub(super) fn route(&self, what: &str) -> String {
        let (id, environment) = (self.id, &self.environment);
        format!("/v1/projects/{id}/environments/{environment}/{what}")
    }

    /// Of an environment that nothing was accepted for: whether the file has it is all that tells it from a
    /// misspelt one.
    fn refuse_unknown(&self) -> anyhow::Result<()> {
        let Self {
            name, environment, ..
        } = self;
        let Some(project) = &self.project else {
            let message =
                format!("nothing was ever accepted for {name}/{environment}; check both names");
            return Err(Failure::because(Exit::Error, message));
        };
        let options = crate::args::PlanOptions {
            env: vec![environment.clone()],
            ..Default::default()
        };
        super::plan::check_options(project, &options)
    }
}

/// The control plane, which alone keeps what was accepted before.
pub(super) fn remote(global: &Global, command: &str, next: &str) -> anyhow::Result<Remote> {
    let server = global.server.as_deref().ok_or_else(|| {
        let message = format!(
            "`starform {command}` needs a control plane: without one the cluster keeps only what is accepted now. {next}. With one, give --server URL or set STARFORM_SERVER; `starform serve` runs it"
        );
        Failure::because(Exit::Error, message)
    })?;
    Remote::new(server, global)
}

pub(super) async fn find(
    remote: &Remote,
    place: &OnePlace,
    path: &Path,
    terminal: Terminal,
) -> anyhow::Result<Found> {
    let project = match place.project {
        Some(_) => None,
        None => Some(read(path, terminal)?),
    };
    let named = project.as_ref().map(|project| project.name().clone());
    let name = place.project.clone().or(named);
    let name = name.expect("the file is read where no project is named");
    Ok(Found {
        id: project_id(remote, &name).await?,
        environment: place.env.clone(),
        name,
        project,
    })
}

/// The project of a file of which the names alone matter, so that warnings would be noise.
pub(super) fn read(path: &Path, terminal: Terminal) -> anyhow::Result<Project> {
    known(path, terminal)
        .map(|(_, project)| project)
        .inspect_err(|_| say!("--project NAME does without the file"))
}

/// What one line says; the revision may go on in the next one.
struct Line {
    number: String,
    when: String,
    who: String,
    changes: String,
    outcome: &'static str,
    revision: String,
}

fn text(place: &Found, entries: &[HistoryEntry], width: usize) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let head = Line {
        number: "generation".to_owned(),
        when: "accepted (UTC)".to_owned(),
        who: "by".to_owned(),
        changes: "changes".to_owned(),
        outcome: "outcome",
        revision: "revision".to_owned(),
    };
    let lines: Vec<Line> = std::iter::once(head)
        .chain(entries.iter().map(line))
        .collect();
    let widest = |of: fn(&Line) -> &str| {
        let widths = lines.iter().map(|line| of(line).width());
        widths.max().unwrap_or(0)
    };
    let columns = [
        widest(|line| &line.number),
        widest(|line| &line.when),
        widest(|line| &line.who),
        widest(|line| &line.changes),
        widest(|line| line.outcome),
    ];
    let mut text = format!("{}/{}\n", place.name, place.environment);
    for line in &lines {
        text.push_str(&row(line, columns, width));
        text.push('\n');
    }
    if entries.len() >= TOLD {
        text.push_str("older generations are kept too, and not listed\n");
    }
    text
}

fn row(line: &Line, columns: [usize; 5], width: usize) -> String {
    let Line {
        number,
        when,
        who,
        changes,
        outcome,
        revision,
    } = line;
    let [a, b, c, d, e] = columns;
    let row = format!("{number:>a$}  {when:b$}  {who:c$}  {changes:d$}  {outcome:e$}  ");
    if row.width() + revision.width() <= width {
        return format!("{row}{revision}").trim_end().to_owned();
    }
    let indent = a + 2;
    let below = shortened(revision, width.saturating_sub(indent));
    format!("{}\n{:indent$}{below}", row.trim_end(), "")
}

fn line(entry: &HistoryEntry) -> Line {
    let mark = if entry.current { "* " } else { "" };
    let revision = entry.revision.as_deref().unwrap_or("-");
    Line {
        number: format!("{mark}{}", entry.generation),
        when: moment(entry.created_at),
        who: who(&entry.by),
        changes: counts(&entry.summary),
        outcome: outcome(entry),
        revision: values::visible(revision),
    }
}

/// To the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_string()
        .replacen('T', " ", 1)
        .chars()
        .take(16)
        .collect()
}

/// A person by their name, as approvals call them; of other tokens the kind and the beginning of the id.
fn who(by: &Author) -> String {
    if let Some(person) = &by.person {
        return values::visible(person);
    }
    let id: String = by.token.chars().take(ID).collect();
    format!("{} {id}", by.kind.as_str())
}

/// As the marks of a plan; settings in words.
fn counts(summary: &Summary) -> String {
    let ObjectCounts {
        create,
        update,
        replace,
        delete,
        retain,
        adopt,
    } = &summary.objects;
    let all = [
        ("+", *create),
        ("~", *update),
        ("-/+", *replace),
        ("-", *delete),
        (".", *retain),
        ("=", *adopt),
    ];
    let some = all.iter().filter(|(_, count)| *count > 0);
    let mut words: Vec<String> = some.map(|(mark, count)| format!("{mark}{count}")).collect();
    if summary.settings > 0 {
        let settings = usize::try_from(summary.settings).unwrap_or(usize::MAX);
        words.push(values::count(settings, "setting"));
    }
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}

fn outcome(entry: &HistoryEntry) -> &'static str {
    match entry.state {
        ApplyState::Pending => "not begun",
        ApplyState::Progressing => "under way",
        ApplyState::Converged => "converged",
        ApplyState::Partial => "failed partly",
    }
}

/// At most `room` columns wide.
fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + c.width().unwrap_or(0) + 1 > room {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_without_room_stands_below_and_whole() {
        let line = Line {
            number: "* 12".to_owned(),
            when: "2026-01-02 03:04".to_owned(),
            who: "admin 0191f0a4".to_owned(),
            changes: "+1 ~12 -/+3 -4 .5".to_owned(),
            outcome: "failed partly",
            revision: "rollback to generation 3".to_owned(),
        };
        let columns = [10, 16, 14, 17, 13];
        let told = row(&line, columns, 80);
        assert_eq!(
            told,
            "      * 12  2026-01-02 03:04  admin 0191f0a4  +1 ~12 -/+3 -4 .5  failed partly\n            rollback to generation 3"
        );
        assert!(told.lines().all(|line| line.width() <= 80));
        assert!(row(&line, columns, 120).ends_with("failed partly  rollback to generation 3"));
    }

    #[test]
    fn a_revision_of_wide_letters_stays_in_its_columns() {
        assert_eq!(shortened("設定設定", 8), "設定設定");
        assert_eq!(shortened("設定設定", 7), "設定設…");
        assert_eq!(shortened("設定設定", 6), "設定…");
        assert_eq!(shortened("v1.4.0", 6), "v1.4.0");
    }
}
