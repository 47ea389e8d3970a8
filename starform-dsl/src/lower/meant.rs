//! Arguments written as properties and properties written as arguments: said once, with how they are written.
//! Pure. A fix is safe where the words leave one meaning only.
//! Read on in `read`, which asks, and in `unknown` for names that a node does not have.

use super::read::Read;
use super::{Cx, value};
use crate::diag::{Diagnostic, Edit, Fix, codes};
use crate::source::Span;
use crate::syntax::{Entry, TextRange, Value, quoted};
use crate::table::{Args, Block, LayerNode, PropSpec, Repeat, Type, foreign_node};

/// More properties than these are not listed as what an argument may be.
const MOST_LISTED: usize = 4;

/// Bytes of a value that a help repeats.
const LONGEST_SHOWN: usize = 60;

/// What people call an argument that has no name.
const NAMES_OF_ARGUMENTS: [&str; 4] = ["name", "value", "number", "id"];

impl Cx {
    /// `scale min 2 max 4`: names of properties, each followed by its value. Gives where they begin.
    pub(super) fn words_for_properties(
        &mut self,
        read: &mut Read<'_>,
        entries: &[Entry<'_>],
    ) -> Option<usize> {
        let from = (0..entries.len()).find(|index| {
            let fits = match read.spec.args.at(*index).map(|arg| arg.ty) {
                None => false,
                Some(ty) => !matches!(ty, Type::Integer { .. }),
            };
            !fits && property_word(read, entries[*index]).is_some()
        })?;
        let mut pairs = Vec::new();
        for pair in entries[from..].chunks(2) {
            let [word, value] = pair else { return None };
            pairs.push((property_word(read, *word)?, *word, *value));
        }
        read.meant.extend(pairs.iter().map(|(prop, ..)| prop.name));
        let gap = |(_, word, value): &(&PropSpec, Entry<'_>, Entry<'_>)| Edit {
            span: between(word.span(), value.span()),
            text: "=".to_owned(),
        };
        let written: Vec<String> = pairs
            .iter()
            .map(|(prop, ..)| format!("{}=…", prop.name))
            .collect();
        let (_, first, _) = pairs.first()?;
        let title = format!("`{}` is a property and takes `=`", pairs[0].0.name);
        let diagnostic = Diagnostic::new(codes::EXTRA_ARGUMENT, first.span(), title)
            .help(format!("write `{}`", written.join(" ")))
            .fix(Fix::safe("write `=`", pairs.iter().map(gap).collect()));
        self.report(diagnostic);
        Some(from)
    }

    /// Arguments that the node does not take.
    pub(super) fn extra_arguments(&mut self, read: &mut Read<'_>, extra: &[Entry<'_>]) {
        let Some(first) = extra.first() else { return };
        let title = format!("argument too many for `{}`", read.spec.name());
        let diagnostic = Diagnostic::new(codes::EXTRA_ARGUMENT, first.span(), title);
        let diagnostic = if let Some(named) = all_named(read, extra) {
            read.meant.extend(named.iter().map(|(prop, _)| prop.name));
            name_them(diagnostic, &named)
        } else if let Some(range) = range_of(read, extra) {
            diagnostic
                .help(format!("write `{}`", range.text))
                .fix(range.fix)
        } else if read.spec.node == LayerNode::Vars.node() {
            diagnostic.help("`vars` holds variables; a var-group is taken with `use`")
        } else if takes_one_each(read, extra) {
            one_each(diagnostic, read, extra)
        } else {
            let may_be: Vec<String> = fitting(read, *first, &[])
                .map(|prop| format!("`{}=`", prop.name))
                .collect();
            let needed = only_needed(read);
            read.meant.extend(needed.map(|prop| prop.name));
            diagnostic.help(match (may_be.len(), needed) {
                (1..=MOST_LISTED, _) => {
                    format!("say which property it is: {}", may_be.join(", "))
                }
                (_, Some(needed)) => format!(
                    "write it as a property: `{}=` with {}",
                    needed.name,
                    value::expected(needed.ty)
                ),
                (_, None) => format!("it is written `{}`", read.spec.form),
            })
        };
        self.report(diagnostic);
    }

    /// `project name=shop`: the name of an argument that has none. Whether it was that.
    pub(super) fn named_argument(&mut self, read: &Read<'_>, name: &str, entry: Entry<'_>) -> bool {
        let node = read.spec.name();
        let Some(arg) = read.spec.args.at(read.arguments) else {
            return false;
        };
        let called = arg.name.eq_ignore_ascii_case(name)
            || name == node
            || NAMES_OF_ARGUMENTS.contains(&name)
            || foreign_node(name, [node]).is_some();
        let fits = || value::check(arg.ty, "it", entry, false).is_none();
        if !called || entry.ty().is_some() || !fits() {
            return false;
        }
        let span = entry.span();
        let title = format!("the {} of `{node}` is no property", arg.name);
        let before = TextRange::new(span.range.start(), entry.value_span().range.start());
        let before = Span::new(span.file, before);
        let diagnostic = Diagnostic::new(codes::UNKNOWN_PROPERTY, span, title)
            .help(format!("leave out `{name}=`"))
            .fix(Fix::replace(format!("leave out `{name}=`"), before, ""));
        self.report(diagnostic);
        true
    }

    /// `run-as user=0`: root by its number. Whether it was that.
    pub(super) fn root_by_number(&mut self, read: &Read<'_>, prop: &str, entry: Entry<'_>) -> bool {
        if (read.spec.node, prop) != (LayerNode::RunAs.node(), "user")
            || entry.value() != Value::Integer(0)
        {
            return false;
        }
        let entries: Vec<Entry<'_>> = read.node.entries().collect();
        let only_root = entries.iter().all(|entry| {
            let named = entry
                .name()
                .is_some_and(|name| read.spec.prop(&name.text).is_some());
            named && entry.value() == Value::Integer(0)
        });
        let title = "user 0 is root, which is asked for by its name";
        let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, entry.value_span(), title)
            .help("write `run-as root`, or a user from 1");
        self.report(match (entries.first(), entries.last()) {
            (Some(first), Some(last)) if only_root => diagnostic.fix(Fix::replace(
                "write `run-as root`",
                first.span().cover(last.span()),
                "root",
            )),
            (Some(_) | None, _) => diagnostic,
        });
        true
    }

    /// `volume "data:/data"`: name and folder in one, as compose writes them; or a folder alone. Whether it was that.
    pub(super) fn volume_of_compose(&mut self, read: &mut Read<'_>) -> bool {
        if read.spec.node != LayerNode::Volume.node() {
            return false;
        }
        let args: Vec<Entry<'_>> = read.node.args().collect();
        let ([only], Value::String(text)) = (
            args.as_slice(),
            args.first().map_or(Value::Null, |entry| entry.value()),
        ) else {
            return false;
        };
        let mut parts = text.split(':');
        let (name, folder, what) = match (parts.next(), parts.next()) {
            (Some(name), Some(folder)) => (name, folder, "a name and a folder in one"),
            (Some(folder), None) if folder.starts_with('/') && !read.node.props().any(is_mount) => {
                (folder, folder, "a folder, and no name stands before it")
            }
            (Some(_) | None, _) => return false,
        };
        read.sound = false;
        read.meant.extend(["mount", "size"]);
        let title = format!("`{text}` is {what}");
        let diagnostic = Diagnostic::new(codes::BAD_NAME, only.value_span(), title);
        let right = value::spelled_right(name).filter(|_| folder.starts_with('/'));
        self.report(match right {
            Some(name) if read.node.props().next().is_none() => {
                let words = format!("{name} mount={} size=\"10Gi\"", quoted(folder));
                diagnostic
                    .help(format!(
                        "write `volume {words}` with the size that it needs"
                    ))
                    .fix(Fix::maybe_replace(
                        "write name, folder and size apart",
                        only.span(),
                        words,
                    ))
            }
            Some(_) | None => diagnostic.help(format!("it is written `{}`", read.spec.form)),
        });
        true
    }

    /// `vars A=1 B=2`: variables as properties of the node that holds them.
    pub(super) fn variables_as_properties(&mut self, read: &Read<'_>) {
        let props: Vec<Entry<'_>> = read.node.props().collect();
        let (Some(first), Some(last)) = (props.first(), props.last()) else {
            return;
        };
        let node = read.spec.name();
        let span = first.span().cover(last.span());
        let title = format!("variables stand inside the braces of `{node}`");
        let diagnostic = Diagnostic::new(codes::UNKNOWN_PROPERTY, span, title)
            .help(format!("it is written `{}`", read.spec.form));
        let alone = read.node.block_span().is_none() && read.node.args().count() <= 1;
        let last_entry = read.node.entries().last().map(|entry| entry.span());
        let trailing = last_entry == Some(last.span());
        self.report(if alone && trailing && contiguous(read, &props) {
            diagnostic.fix(Fix::safe("write them in braces", in_braces(&props)))
        } else {
            diagnostic
        });
    }
}

/// Whether nothing stands between the properties.
fn contiguous(read: &Read<'_>, props: &[Entry<'_>]) -> bool {
    let entries: Vec<Entry<'_>> = read.node.entries().collect();
    let tail = &entries[entries.len().saturating_sub(props.len())..];
    tail.iter().all(|entry| !entry.is_arg())
}

/// `{ A 1; B 2; }`
fn in_braces(props: &[Entry<'_>]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, entry) in props.iter().enumerate() {
        let whole = entry.span();
        let at = |offset| Span::new(whole.file, TextRange::new(offset, offset));
        if index == 0 {
            edits.push(Edit {
                span: at(whole.range.start()),
                text: "{ ".to_owned(),
            });
        }
        if let Some(name) = entry.name() {
            let value = entry.ty().map_or(entry.value_span().range.start(), |ty| {
                // The annotation's name stands behind its parenthesis.
                ty.span.range.start().saturating_sub(1)
            });
            edits.push(Edit {
                span: Span::new(whole.file, TextRange::new(name.span.range.end(), value)),
                text: " ".to_owned(),
            });
        }
        let ending = if index + 1 == props.len() { "; }" } else { ";" };
        edits.push(Edit {
            span: at(whole.range.end()),
            text: ending.to_owned(),
        });
    }
    edits
}

/// The property that a bare word names, if it is not given yet.
fn property_word(read: &Read<'_>, entry: Entry<'_>) -> Option<&'static PropSpec> {
    let Value::String(text) = entry.value() else {
        return None;
    };
    let prop = read.spec.prop(&text)?;
    let bare = entry.raw() == text && entry.ty().is_none();
    (bare && !is_given(read, prop.name)).then_some(prop)
}

fn is_given(read: &Read<'_>, name: &str) -> bool {
    read.meant.contains(&name) || read.given.contains(&name)
}

fn is_needed(prop: &PropSpec) -> bool {
    prop.required
}

fn is_of_words(prop: &PropSpec) -> bool {
    matches!(prop.ty, Type::OneOf(_))
}

/// The properties that are not given and take such a value: if some are needed, those; else, if it
/// is a word that one knows, that one.
fn fitting<'r>(
    read: &'r Read<'_>,
    entry: Entry<'r>,
    taken: &'r [&'static str],
) -> impl Iterator<Item = &'static PropSpec> + use<'r> {
    let fits = move |prop: &&PropSpec| {
        prop.availability.is_usable()
            && !is_given(read, prop.name)
            && !taken.contains(&prop.name)
            && prop.ty != Type::FormerService
            && value::check(prop.ty, "it", entry, false).is_none()
    };
    let any = |want: fn(&PropSpec) -> bool| {
        let mut props = read.spec.props.iter();
        props.any(|prop| want(prop) && fits(&prop))
    };
    let (needed, word) = (any(is_needed), any(is_of_words));
    read.spec
        .props
        .iter()
        .filter(move |prop| is_needed(prop) || !needed)
        .filter(move |prop| is_of_words(prop) || needed || !word)
        .filter(fits)
}

/// The property that the node lacks, if it lacks one only.
fn only_needed(read: &Read<'_>) -> Option<&'static PropSpec> {
    let mut needed = read
        .spec
        .props
        .iter()
        .filter(|prop| prop.required && !is_given(read, prop.name));
    needed.next().filter(|_| needed.next().is_none())
}

/// The one property that each of the arguments can be.
fn all_named<'e>(
    read: &Read<'_>,
    extra: &[Entry<'e>],
) -> Option<Vec<(&'static PropSpec, Entry<'e>)>> {
    let mut named: Vec<(&'static PropSpec, Entry<'e>)> = Vec::new();
    if extra.len() > read.spec.props.len() {
        return None;
    }
    for &entry in extra {
        let taken: Vec<&'static str> = named.iter().map(|(prop, _)| prop.name).collect();
        let only = {
            let mut fits = fitting(read, entry, &taken);
            match (fits.next(), fits.next()) {
                (Some(only), None) if entry.ty().is_none() => only,
                (Some(_) | None, _) => return None,
            }
        };
        named.push((only, entry));
    }
    Some(named)
}

fn name_them(diagnostic: Diagnostic, named: &[(&'static PropSpec, Entry<'_>)]) -> Diagnostic {
    let named_now =
        |(prop, entry): &(&PropSpec, Entry<'_>)| insert(entry.span(), &format!("{}=", prop.name));
    let written: Vec<String> = named
        .iter()
        .map(|(prop, entry)| match entry.raw() {
            raw if raw.len() <= LONGEST_SHOWN => format!("`{}={raw}`", prop.name),
            _ => format!("`{}=…`", prop.name),
        })
        .collect();
    diagnostic
        .help(format!("write it as a property: {}", written.join(", ")))
        .fix(Fix::maybe(
            "write it as a property",
            named.iter().map(named_now).collect(),
        ))
}

/// A range of `scale` without the names of its ends.
struct RangeMeant {
    text: String,
    fix: Fix,
}

/// `scale 2 4`
fn range_of(read: &Read<'_>, extra: &[Entry<'_>]) -> Option<RangeMeant> {
    let entries: Vec<Entry<'_>> = read.node.args().collect();
    let ([min, max], [_]) = (entries.as_slice(), extra) else {
        return None;
    };
    let (Value::Integer(least), Value::Integer(most)) = (min.value(), max.value()) else {
        return None;
    };
    let alone = read.node.entries().count() == 2;
    let text = format!("scale min={least} max={most}");
    (read.spec.node == LayerNode::Scale.node() && alone && least < most).then(|| RangeMeant {
        fix: Fix::maybe(
            format!("write `{text}`"),
            [(min, "min="), (max, "max=")]
                .map(|(entry, name)| insert(entry.span(), name))
                .to_vec(),
        ),
        text,
    })
}

/// Puts a text before a place.
fn insert(before: Span, text: &str) -> Edit {
    let at = before.range.start();
    Edit {
        span: Span::new(before.file, TextRange::new(at, at)),
        text: text.to_owned(),
    }
}

/// Whether each could be the argument of a node of its own, as the one before them is.
fn takes_one_each(read: &Read<'_>, extra: &[Entry<'_>]) -> bool {
    let Args::One(arg) = read.spec.args else {
        return false;
    };
    let plain = matches!(
        arg.ty,
        Type::Integer { .. } | Type::Host | Type::RoutePath | Type::IncludeGlob
    );
    plain
        && read.spec.repeat == Repeat::Many
        && extra
            .iter()
            .all(|entry| value::check(arg.ty, "it", *entry, false).is_none())
}

fn one_each(diagnostic: Diagnostic, read: &Read<'_>, extra: &[Entry<'_>]) -> Diagnostic {
    let node = read.spec.name();
    let diagnostic = diagnostic.help(format!("write one `{node}` for each"));
    let block = read.spec.block != Block::None && read.node.block_span().is_some();
    if block || read.node.props().next().is_some() {
        return diagnostic;
    }
    let entries: Vec<Entry<'_>> = read.node.args().collect();
    let before = &entries[..=extra.len()];
    let edits = before
        .windows(2)
        .map(|pair| Edit {
            span: between(pair[0].span(), pair[1].span()),
            text: format!("; {node} "),
        })
        .collect();
    diagnostic.fix(Fix::maybe(format!("write one `{node}` for each"), edits))
}

/// What stands between two places.
fn between(one: Span, other: Span) -> Span {
    Span::new(
        one.file,
        TextRange::new(one.range.end(), other.range.start()),
    )
}

fn is_mount(prop: Entry<'_>) -> bool {
    prop.name().is_some_and(|name| name.text == "mount")
}
