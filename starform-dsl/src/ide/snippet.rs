//! How a node or property is typed in one go: its needed parts as places to fill in.
//! Pure. The text is a snippet of the Language Server Protocol: `${1:NAME}`, `${2|a,b|}`, `$0` where the cursor ends.
//! Read on in `completion`, which offers it.

use crate::table::{ArgSpec, Args, Block, NodeSpec, Place, PropSpec, Type};

/// The node with its needed arguments, properties and block.
pub(super) fn of_node(spec: &NodeSpec) -> String {
    let mut text = spec.name().to_owned();
    let mut next = 1;
    let mut add = |text: &mut String, before: &str, name: &str, ty: Type| {
        text.push_str(before);
        text.push_str(&of_value(next, name, ty));
        next += 1;
    };
    match spec.args {
        Args::One(ArgSpec { name, ty }) | Args::Several(ArgSpec { name, ty }) => {
            add(&mut text, " ", name, ty);
        }
        Args::Two(first, second) => {
            add(&mut text, " ", first.name, first.ty);
            add(&mut text, " ", second.name, second.ty);
        }
        Args::None | Args::Optional(_) => {}
    }
    for prop in spec.props.iter().filter(|prop| prop.required) {
        let before = format!(" {}=", prop.name);
        add(&mut text, &before, "", prop.ty);
    }
    if has_needed_block(spec.block) {
        text.push_str(" {\n  $0\n}");
    } else if text == spec.name() && (!spec.props.is_empty() || spec.block != Block::None) {
        text.push_str(" $0");
    } else if text == spec.name() && !matches!(spec.args, Args::None) {
        text.push(' ');
    }
    text
}

/// `name=` and a place for its value.
pub(super) fn of_property(prop: &PropSpec) -> String {
    format!("{}={}", prop.name, of_value(1, "", prop.ty))
}

/// A variable with its value.
pub(super) fn of_variable(key: &str) -> String {
    format!("{key} ${{1:VALUE}}")
}

/// The text of a snippet for an editor that takes none: each place holds what it offers first.
pub fn plain(snippet: &str) -> String {
    let mut out = String::with_capacity(snippet.len());
    let mut rest = snippet.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '$' if rest.next_if_eq(&'{').is_some() => {
                let place: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let offer = place.trim_start_matches(|c: char| c.is_ascii_digit());
                let first = offer.trim_matches('|').split(',').next().unwrap_or(offer);
                out.push_str(offer.strip_prefix(':').unwrap_or(first));
            }
            '$' => while rest.next_if(char::is_ascii_digit).is_some() {},
            c => out.push(c),
        }
    }
    out
}

/// A place to fill in with a value of a type.
fn of_value(number: usize, name: &str, ty: Type) -> String {
    match ty {
        Type::OneOf(words) => format!("${{{number}|{}|}}", words.join(",")),
        Type::OneOfNumbers(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            format!("${{{number}|{}|}}", numbers.join(","))
        }
        Type::Bool => format!("${{{number}|#true,#false|}}"),
        Type::Duration { .. }
        | Type::Cpu
        | Type::Memory
        | Type::HttpPath
        | Type::Host
        | Type::Schedule
        | Type::TimeZone
        | Type::Image
        | Type::IncludeGlob
        | Type::RoutePath
        | Type::Location
        | Type::RelativePath
        | Type::Glob
        | Type::MountPath
        | Type::Storage
        | Type::StorageClass
        | Type::Literal
        | Type::Text
        | Type::Word => format!("\"{}\"", place(number, name)),
        Type::ProjectName
        | Type::ServiceName
        | Type::FormerService
        | Type::EnvironmentName
        | Type::GroupName
        | Type::PartialName
        | Type::VolumeName
        | Type::PortName
        | Type::FormerName
        | Type::Reference(_)
        | Type::VariableName
        | Type::Integer { .. } => place(number, name),
    }
}

fn place(number: usize, name: &str) -> String {
    if name.is_empty() {
        format!("${number}")
    } else {
        format!("${{{number}:{name}}}")
    }
}

/// Whether the node says nothing without its block.
fn has_needed_block(block: Block) -> bool {
    match block {
        Block::Variables
        | Block::Of(Place::Root | Place::Project | Place::Partial | Place::Service)
        | Block::Of(Place::ServiceIn | Place::Group) => true,
        Block::None
        | Block::Of(Place::Environment | Place::Health | Place::Domain | Place::Build) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn places_hold_what_they_offer_first() {
        for (snippet, text) in [
            (
                "environment ${1:NAME} branch=\"$2\"",
                "environment NAME branch=\"\"",
            ),
            ("overlap ${1|forbid,allow|}$0", "overlap forbid"),
            ("a \\$b \\} c", "a $b } c"),
            ("port 80", "port 80"),
        ] {
            assert_eq!(plain(snippet), text);
        }
    }
}
