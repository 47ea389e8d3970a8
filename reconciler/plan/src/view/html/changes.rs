//! What changes, as a page tells it: services, objects, values.
//!
//! Pure. Always holds: a side that went is `del`, one that came is `ins`; a user's text stands in an
//! element of its own, whose direction touches nothing around it.

use maud::{Markup, html as markup};

use crate::{
    document::{Action, Op},
    view::{
        outline::{self, Body, Leaf, Line, Object, Part, Row, Section, Service},
        values,
    },
};

/// As the short form tells it.
pub(super) fn told(part: &Part) -> Markup {
    markup! {
        (rows(&part.settings))
        @for service in &part.services { (of_service(service)) }
        @for known in &part.elsewhere {
            article {
                h3 {
                    (mark(known.sign)) (known.names.join(", "))
                    small { (known.effect) ", the same as in " (known.environment) ", above" }
                }
            }
        }
        @if !part.held.is_empty() {
            p { "Left as accepted, though different: " (part.held.join(", ")) }
        }
        @for section in &part.sections { (of_section(section)) }
    }
}

/// What the short form counts, folded away.
pub(super) fn exact(short: &Part, full: &Part) -> Markup {
    if short.hidden.is_empty() {
        return markup! {};
    }
    let is_new = full.settings.len() > short.settings.len();
    let settings = full.settings.iter().filter(|row| is_new || row.is_long);
    markup! {
        details {
            summary { "Exact fields: " (short.hidden.count()) }
            (rows(settings))
            @for service in &full.services {
                @let is_told = outline::is_told_in_short(service.sign);
                article {
                    h3 { (mark(service.sign)) (service.names.join(", ")) }
                    (rows(service.rows.iter().filter(|row| !is_told || row.is_long)))
                    @for object in &service.own.objects { (of_object(object)) }
                }
            }
            @for section in &full.sections {
                @if section.objects.iter().any(outline::has_untold) {
                    article {
                        h3 { (section.title) }
                        @for object in section.objects.iter().filter(|object| outline::has_untold(object)) {
                            @let is_told = outline::is_told_in_short(object.sign);
                            (of_rows(object, object.rows.iter().filter(|row| !is_told || row.is_long)))
                        }
                    }
                }
            }
        }
    }
}

fn of_service(service: &Service) -> Markup {
    markup! {
        article {
            h3 {
                (mark(service.sign)) (service.names.join(", "))
                small {
                    @match service.names.len() {
                        1 => { (service.kind) }
                        several => { "the same in " (several) " services" }
                    }
                    @if let Some(was) = &service.was { ", was " (was) }
                    ", " (service.effect)
                }
                @if let Some(at) = &service.at { (place(at)) }
            }
            @if !service.facts.is_empty() {
                table.rows {
                    tbody {
                        @for fact in &service.facts {
                            tr {
                                th scope="row" { code { (fact.path) } }
                                td { code { ins { (fact.value) } } }
                                td { @if let Some(at) = &fact.at { (place(at)) } }
                            }
                        }
                    }
                }
            }
            (rows(&service.rows))
            (widens(&service.own.widens))
            @for object in &service.own.objects { (of_object(object)) }
            @for line in service.own.counted() { p.counted { (line) } }
        }
    }
}

fn of_section(section: &Section) -> Markup {
    markup! {
        article {
            h3 { (section.title) }
            @if !section.rollouts.is_empty() {
                p { "rolls out " strong { (section.rollouts.join(", ")) } }
            }
            @for object in &section.objects { (of_object(object)) }
            @if let Some(creates) = &section.creates {
                h4 { (mark(Action::Create)) (creates) }
            }
        }
    }
}

fn of_object(object: &Object) -> Markup {
    of_rows(object, &object.rows)
}

/// With these of its rows.
fn of_rows<'a>(object: &Object, own: impl IntoIterator<Item = &'a Row>) -> Markup {
    markup! {
        (widens(&object.widens))
        h4 {
            (mark(object.sign))
            @for (n, place) in object.places.iter().enumerate() {
                @if n > 0 { "; " }
                (place.kind) " " bdi { (place.names.join(", ")) }
            }
            @if !object.is_one() { small { "the same in " (object.count()) " objects" } }
            @if let Some(remark) = object.remark { small { (remark) } }
        }
        (rows(own))
    }
}

fn widens(lines: &[String]) -> Markup {
    markup! {
        @for line in lines {
            p.widened {
                span.mark aria-hidden="true" { "!" }
                span.word { "opens to more: " }
                bdi { (line) }
            }
        }
    }
}

fn rows<'a>(all: impl IntoIterator<Item = &'a Row>) -> Markup {
    let all: Vec<&Row> = all.into_iter().collect();
    if all.is_empty() {
        return markup! {};
    }
    markup! {
        table.rows {
            tbody {
                @for row in all {
                    tr {
                        th scope="row" { (op(row.op)) code { (row.path) } }
                        td { (body(row)) }
                        td { @if let Some(at) = &row.at { (place(at)) } }
                    }
                }
            }
        }
    }
}

fn body(row: &Row) -> Markup {
    match &row.body {
        Body::Nothing => markup! {},
        Body::Secret(word) => markup! { em { (values::secret(*word)) } },
        Body::Only(text) => side(row.op, text),
        Body::Change { before, after } => {
            markup! { (side(Op::Remove, before)) " → " (side(Op::Add, after)) }
        }
        Body::Order { before, after } => {
            markup! { "order " (side(Op::Remove, before)) " → " (side(Op::Add, after)) }
        }
        Body::Tree(branches) => markup! {
            pre {
                @for branch in branches {
                    (" ".repeat(2 * branch.depth - 2)) (branch.name)
                    @match &branch.leaf {
                        Leaf::Deeper => { "\n" }
                        Leaf::Value(text) => { " " (side(row.op, text)) "\n" }
                        Leaf::Lines(all) => { "\n" (lines(all)) }
                    }
                }
            }
        },
        Body::Lines(all) => markup! { pre { (lines(all)) } },
    }
}

fn side(op: Op, text: &str) -> Markup {
    match op {
        Op::Add => markup! { code { ins { (text) } } },
        Op::Remove => markup! { code { del { (text) } } },
        Op::Set | Op::Move => markup! { code { (text) } },
    }
}

/// Each line after its sign, which stands apart from the text.
fn lines(all: &[Line]) -> Markup {
    markup! {
        @for line in all {
            @match line {
                Line::Equal(text) => { "  " bdi { (text) } }
                Line::Removed(text) => { "- " del { (text) } }
                Line::Added(text) => { "+ " ins { (text) } }
                Line::Unended => { em { "no newline at the end" } }
                Line::Skipped(words) => { em { (words) } }
            }
            "\n"
        }
    }
}

fn place(at: &str) -> Markup {
    markup! { code.at { (values::visible(at)) } }
}

/// The sign for the eye, the word for the ear.
fn mark(action: Action) -> Markup {
    let (class, word) = match action {
        Action::Create => ("created", "create"),
        Action::Update => ("updated", "update"),
        Action::Replace => ("lost", "replace"),
        Action::Delete => ("lost", "delete"),
        Action::Retain | Action::Forget => ("kept", "keep"),
        Action::Adopt => ("kept", "adopt"),
        Action::None => ("none", "no change"),
    };
    markup! {
        span class={ "mark " (class) } aria-hidden="true" { (outline::mark(action)) }
        span.word { (word) " " }
    }
}

fn op(op: Op) -> Markup {
    let (class, word) = match op {
        Op::Add => ("created", "added"),
        Op::Set => ("updated", "changed"),
        Op::Remove => ("lost", "removed"),
        Op::Move => ("updated", "moved"),
    };
    let sign = outline::sign(op);
    markup! {
        span class={ "mark " (class) } aria-hidden="true" { (sign) }
        span.word { (word) " " }
    }
}
