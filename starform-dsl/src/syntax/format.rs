//! Whole files of another format: JSON, YAML, TOML or HCL, told by how most of their lines are written.
//! Pure. Lines are read once; a text that has one block of KDL, or fewer than three telling lines, is never one of these.
//! Read on in `super::read`, which then says nothing else of the file, and in `foreign` for single lines inside KDL.

use super::TextRange;

/// What people write configuration in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
    Toml,
    Hcl,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Json => "JSON",
            Format::Yaml => "YAML",
            Format::Toml => "TOML",
            Format::Hcl => "HCL",
        }
    }
}

/// The format of a text that is surely no KDL as a whole, and the first place that tells.
pub(super) fn format(text: &str) -> Option<(Format, TextRange)> {
    let lines = significant(text);
    json(&lines)
        .or_else(|| hcl(&lines))
        .or_else(|| yaml(&lines))
        .or_else(|| toml(&lines))
}

/// So many lines tell a format.
const TELLING: usize = 3;

/// The blocks that stand outermost in HCL.
const HCL_BLOCKS: [&str; 8] = [
    "data",
    "locals",
    "module",
    "output",
    "provider",
    "resource",
    "terraform",
    "variable",
];

/// A line without the white space around it.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    indent: usize,
    text: &'a str,
}

/// Lines that are neither empty nor comments.
fn significant(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_start_matches('\u{feff}').trim();
        let indent = whole.find(line).unwrap_or(0);
        if !line.is_empty() && !line.starts_with('#') && !line.starts_with("//") {
            lines.push(Line {
                start: start + indent,
                indent,
                text: line,
            });
        }
        start += whole.len();
    }
    lines
}

fn json(lines: &[Line<'_>]) -> Option<(Format, TextRange)> {
    let opens = lines.first()?.text.starts_with(['{', '[']);
    if !opens || lines.iter().any(|line| is_block(line.text)) {
        return None;
    }
    let place = lines.iter().find_map(|line| {
        let key = line.text.trim_start_matches(['{', '[', ',', ' ', '\t']);
        let skipped = line.text.len() - key.len();
        json_key(key).map(|length| range(line.start + skipped, length))
    })?;
    Some((Format::Json, place))
}

/// The length of `"key":` at the beginning of a line.
fn json_key(line: &str) -> Option<usize> {
    let inner = line.strip_prefix('"')?;
    let (key, after) = inner.split_once('"')?;
    let colon = after.trim_start().starts_with(':');
    colon.then(|| key.len() + 2 + (after.len() - after.trim_start().len()) + 1)
}

fn hcl(lines: &[Line<'_>]) -> Option<(Format, TextRange)> {
    let (mut heads, mut assignments) = (Vec::new(), 0);
    for line in lines {
        if line.indent == 0 && is_block(line.text) {
            if !HCL_BLOCKS.contains(&first_word(line.text)) {
                return None;
            }
            heads.push(line);
        } else if assigned(line.text).is_some() {
            assignments += 1;
        }
    }
    let head = heads.first()?;
    let telling = assignments > 0 && heads.len() + assignments >= TELLING;
    telling.then(|| (Format::Hcl, range(head.start, head.text.len())))
}

fn yaml(lines: &[Line<'_>]) -> Option<(Format, TextRange)> {
    let mut place = None;
    let mut tells = 0;
    let mut others = 0;
    // Text of several lines goes on while it is indented deeper than the line that opens it.
    let mut text_below: Option<usize> = None;
    for line in lines {
        if text_below.is_some_and(|indent| line.indent > indent) {
            continue;
        }
        text_below = opens_text(line.text).then_some(line.indent);
        if let Some(length) = yaml_sign(line.text) {
            tells += 1;
            place.get_or_insert(range(line.start, length));
        } else if has_brace(line.text) {
            return None;
        } else {
            others += 1;
        }
    }
    mostly(tells, others).then_some((Format::Yaml, place?))
}

/// The length of what makes a line one of YAML: `---`, `-` or `key:`. Half a block of KDL is none.
fn yaml_sign(line: &str) -> Option<usize> {
    let ends_block = line.ends_with('{') || line.contains("{ ") && !line.contains(": {");
    if line == "---" || line == "-" {
        return Some(line.len());
    }
    if ends_block {
        return None;
    }
    if line.starts_with("- ") {
        return Some(1);
    }
    let (key, after) = line.split_once(':')?;
    let is_key = |c: char| c.is_alphanumeric() || "_-./\"'$".contains(c);
    let parted = after.is_empty() || after.starts_with([' ', '\t']);
    (parted && !key.is_empty() && key.chars().all(is_key)).then_some(key.len() + 1)
}

fn opens_text(line: &str) -> bool {
    let sign = line.trim_end_matches(['-', '+']);
    sign.ends_with(": |") || sign.ends_with(": >")
}

fn toml(lines: &[Line<'_>]) -> Option<(Format, TextRange)> {
    let mut place = None;
    let (mut sections, mut tells, mut others) = (0, 0, 0);
    let mut in_list = false;
    for line in lines {
        if in_list {
            in_list = !line.text.starts_with(']');
            continue;
        }
        let assigned = assigned(line.text);
        in_list = assigned.is_some() && line.text.ends_with('[');
        let section = is_section(line.text);
        if let Some(length) = assigned.or(section.then_some(line.text.len())) {
            sections += usize::from(section);
            tells += 1;
            place.get_or_insert(range(line.start, length));
        } else if has_brace(line.text) {
            return None;
        } else {
            others += 1;
        }
    }
    (sections > 0 && sections < tells && mostly(tells, others)).then_some((Format::Toml, place?))
}

/// `[name]` or `[[name]]`, alone on its line.
fn is_section(line: &str) -> bool {
    let inner = line
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_name = |c: char| c.is_alphanumeric() || "_-.\"' []".contains(c);
    inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(is_name))
}

/// The length of `key =` at the beginning of a line that assigns a value and opens no block of KDL.
fn assigned(line: &str) -> Option<usize> {
    let (key, value) = line.split_once('=')?;
    let name = key.trim_end();
    let is_name = |c: char| c.is_alphanumeric() || "_-.\"".contains(c);
    let holds = !value.trim().is_empty() && !name.is_empty() && name.chars().all(is_name);
    holds.then_some(key.len() + 1)
}

/// `name … {`, as KDL and HCL open a block.
fn is_block(line: &str) -> bool {
    line.starts_with(char::is_alphabetic)
        && line.ends_with('{')
        && !line.contains(" = ")
        && !first_word(line).ends_with(':')
}

fn has_brace(line: &str) -> bool {
    line.contains(['{', '}'])
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or(line)
}

/// Enough lines tell, and at least three of four.
fn mostly(tells: usize, others: usize) -> bool {
    tells >= TELLING && tells >= others * 3
}

fn range(start: usize, length: usize) -> TextRange {
    let offset = |at| u32::try_from(at).expect("a text that is read is at most 1 MiB");
    TextRange::new(offset(start), offset(start + length))
}
