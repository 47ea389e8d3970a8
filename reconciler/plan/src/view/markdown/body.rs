//! What a part of the outline tells, as lines of a `diff` block.
//!
//! Pure. Always holds: the first column is ours, so that a forge colours by what happens; no line of a
//! user's text starts before its own bar.

use crate::{
    document::Action,
    view::{
        outline::{
            self, Beside, Body, Elsewhere, Hidden, Leaf, Line, Loss, Object, Part, Row, Section,
            Service,
        },
        values,
    },
};

/// How much of what is told one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Values,
    /// Of updates only the paths; new services in one line.
    Paths,
}

/// The lines of a `diff` block, and what they leave out.
#[derive(Debug, Default)]
pub(super) struct Diff {
    pub(super) text: String,
    pub(super) left: Hidden,
}

pub(super) fn of_part(part: &Part, detail: Detail) -> Diff {
    let mut diff = Diff::default();
    diff.rows("", &part.settings, detail);
    for service in &part.services {
        diff.service(service, detail);
    }
    for known in &part.elsewhere {
        diff.elsewhere(known);
    }
    if !part.held.is_empty() {
        diff.space();
        let held = part.held.join(", ");
        diff.line(' ', &format!("left as accepted, though different: {held}"));
    }
    if !part.closed.is_empty() {
        diff.space();
    }
    for line in &part.closed {
        diff.title(&titled(Action::Delete, line));
    }
    for section in &part.sections {
        diff.section(section, detail);
    }
    diff
}

/// What the short form counts and the full form tells: settings, new and deleted services' values, long
/// texts, and objects' fields. Without `creates`, what is new is left out.
pub(super) fn exact(short: &Part, full: &Part, creates: bool) -> Diff {
    let mut diff = Diff::default();
    let is_new = full.settings.len() > short.settings.len();
    let settings = full.settings.iter().filter(|row| is_new || row.is_long);
    diff.rows("", settings, Detail::Values);
    for service in &full.services {
        if service.sign == Action::Create && !creates {
            let rows = service.rows.iter();
            let untold = |row: &&Row| !outline::is_told_of_new(&row.path);
            diff.left.values += rows.clone().filter(untold).count();
            diff.left.texts += rows.filter(|row| row.is_long && !untold(row)).count();
            let own = &service.own.objects;
            own.iter().for_each(|object| diff.leave(object));
            continue;
        }
        diff.space();
        let names = service.names.join(", ");
        diff.title(&titled(service.sign, &names));
        let is_told = outline::is_told_in_short(service.sign);
        let rows = service.rows.iter();
        diff.rows(
            "  ",
            rows.filter(|row| !is_told || row.is_long),
            Detail::Values,
        );
        diff.objects("  ", &service.own.objects, creates);
    }
    for section in &full.sections {
        let (left, told): (Vec<&Object>, Vec<&Object>) = section
            .objects
            .iter()
            .filter(|object| outline::has_untold(object))
            .partition(|object| object.sign == Action::Create && !creates);
        left.iter().for_each(|object| diff.leave(object));
        if !told.is_empty() {
            diff.space();
            diff.line(' ', section.title);
        }
        for object in told {
            let is_told = outline::is_told_in_short(object.sign);
            let rows = object.rows.iter();
            diff.of_object(
                "",
                object,
                rows.filter(|row| !is_told || row.is_long),
                Detail::Values,
            );
        }
    }
    diff
}

/// What is lost or opened, in a line.
pub(super) fn of_loss(loss: &Loss) -> String {
    match loss.sign {
        Some(sign) => titled(sign, &loss.text),
        None => format!("! {}", loss.text),
    }
}

/// Objects that the cluster does not have as accepted.
pub(super) fn asides(beside: &Beside) -> String {
    let mut diff = Diff::default();
    for object in &beside.objects {
        diff.title(&titled(object.sign, &object.text));
    }
    if let Some(more) = &beside.more {
        diff.line(' ', more);
    }
    diff.text
}

impl Diff {
    /// `mark` in the first column, then a space.
    fn line(&mut self, mark: char, text: &str) {
        let line = format!("{mark} {text}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn title(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn space(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn objects(&mut self, indent: &str, objects: &[Object], creates: bool) {
        for object in objects {
            if object.sign == Action::Create && !creates {
                self.leave(object);
            } else {
                self.object(indent, object, Detail::Values);
            }
        }
    }

    fn leave(&mut self, object: &Object) {
        self.left.objects += object.count();
        self.left.fields += object.rows.len() * object.count();
    }

    fn service(&mut self, service: &Service, detail: Detail) {
        if !service.is_brief || detail == Detail::Values {
            self.space();
        }
        let same = match service.names.len() {
            1 => service.kind.to_owned(),
            several => format!("the same in {several} services"),
        };
        let was = service.was.as_ref().map(|was| format!("was {was}"));
        let parts = [
            Some(service.names.join(", ")),
            was,
            Some(same),
            Some(service.effect.clone()),
            service.at.as_deref().map(values::visible),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        self.title(&titled(service.sign, &parts.join("  ")));
        if detail == Detail::Paths {
            self.left.values += service.facts.iter().map(|fact| fact.values).sum::<usize>();
        } else {
            for fact in &service.facts {
                let place = placed(fact.at.as_deref());
                self.line('+', &format!("  {} {}{place}", fact.path, fact.value));
            }
        }
        self.rows("  ", &service.rows, detail);
        for line in &service.own.widens {
            self.line('!', &format!("  {line}"));
        }
        for object in &service.own.objects {
            self.object("  ", object, detail);
        }
        let counted = service.own.counted();
        if !counted.is_empty() && detail == Detail::Values {
            self.line(' ', &format!("  {}", counted.join("; ")));
        }
    }

    fn elsewhere(&mut self, known: &Elsewhere) {
        self.space();
        let (names, effect) = (known.names.join(", "), &known.effect);
        let environment = &known.environment;
        let text = format!("{names}  {effect}  the same as in {environment}, above");
        self.title(&titled(known.sign, &text));
    }

    fn section(&mut self, section: &Section, detail: Detail) {
        self.space();
        self.line(' ', section.title);
        if !section.rollouts.is_empty() {
            let services = section.rollouts.join(", ");
            self.line(' ', &format!("rolls out {services}"));
        }
        for object in &section.objects {
            self.object("", object, detail);
        }
        if let Some(creates) = &section.creates {
            self.line('+', creates);
        }
    }

    fn object(&mut self, indent: &str, object: &Object, detail: Detail) {
        self.of_object(indent, object, &object.rows, detail);
    }

    /// With these of its rows.
    fn of_object<'a>(
        &mut self,
        indent: &str,
        object: &Object,
        rows: impl IntoIterator<Item = &'a Row>,
        detail: Detail,
    ) {
        for line in &object.widens {
            self.line('!', &format!("{indent}{line}"));
        }
        let title = titled(object.sign, &format!("{indent}{}", &object.title()));
        self.title(&title);
        let values = self.left.values;
        self.rows(&format!("{indent}  "), rows, detail);
        // What its rows leave out are fields.
        if self.left.values > values {
            self.left.values = values;
            self.leave(object);
        }
    }

    fn rows<'a>(&mut self, indent: &str, rows: impl IntoIterator<Item = &'a Row>, detail: Detail) {
        let rows: Vec<&Row> = rows.into_iter().collect();
        let column = outline::column(rows.iter().copied(), |path| path.chars().count());
        for row in rows {
            match detail {
                Detail::Values => self.row(indent, column, row),
                Detail::Paths => {
                    self.left.values += 1;
                    self.line(outline::sign(row.op), &format!("{indent}{}", row.path));
                }
            }
        }
    }

    fn row(&mut self, indent: &str, column: usize, row: &Row) {
        let place = placed(row.at.as_deref());
        let head = format!("{indent}{}", row.path);
        let gap = column.saturating_sub(row.path.chars().count());
        let wide = format!("{head}{}  ", " ".repeat(gap));
        match &row.body {
            Body::Nothing => self.line(outline::sign(row.op), &format!("{head}{place}")),
            Body::Secret(word) => {
                let word = values::secret(*word);
                self.line(outline::sign(row.op), &format!("{wide}{word}{place}"));
            }
            Body::Only(text) => self.line(outline::sign(row.op), &format!("{wide}{text}{place}")),
            Body::Change { before, after } => {
                self.line('-', &format!("{wide}{before}"));
                self.line('+', &format!("{wide}{after}{place}"));
            }
            Body::Order { before, after } => {
                self.line('-', &format!("{wide}order {before}"));
                self.line('+', &format!("{wide}order {after}{place}"));
            }
            Body::Tree(branches) => {
                self.line(outline::sign(row.op), &format!("{head}{place}"));
                for branch in branches {
                    let indent = format!("{indent}{}", "  ".repeat(branch.depth));
                    let text = match &branch.leaf {
                        Leaf::Value(text) => format!("{indent}{} {text}", branch.name),
                        Leaf::Deeper | Leaf::Lines(_) => format!("{indent}{}", branch.name),
                    };
                    self.line(outline::sign(row.op), &text);
                    if let Leaf::Lines(lines) = &branch.leaf {
                        self.lines(&indent, lines);
                    }
                }
            }
            Body::Lines(lines) => {
                self.line(outline::sign(row.op), &format!("{head}{place}"));
                self.lines(indent, lines);
            }
        }
    }

    fn lines(&mut self, indent: &str, lines: &[Line]) {
        for line in lines {
            match line {
                Line::Equal(text) => self.line(' ', &format!("{indent}  │ {text}")),
                Line::Removed(text) => self.line('-', &format!("{indent}  │ {text}")),
                Line::Added(text) => self.line('+', &format!("{indent}  │ {text}")),
                Line::Unended => self.line('\\', &format!("{indent}  no newline at the end")),
                Line::Skipped(words) => self.title(&format!("@@ {words} @@")),
            }
        }
    }
}

/// An update as a hunk's header, so that it has a colour of its own.
fn titled(action: Action, text: &str) -> String {
    let mark = outline::mark(action);
    match action {
        Action::Update => format!("@@ {mark} {text} @@"),
        Action::Create
        | Action::Replace
        | Action::Delete
        | Action::Retain
        | Action::Forget
        | Action::Adopt
        | Action::None => format!("{mark} {text}"),
    }
}

fn placed(at: Option<&str>) -> String {
    at.map(|at| format!("  ({})", values::visible(at)))
        .unwrap_or_default()
}
