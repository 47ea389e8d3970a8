//! What a variable may be: a literal, a reference to a service's output, a template of both, or a secret by its name.
//! Pure. References name services by text here; `check` looks them up, `emit` puts the outputs in.
//! Read on in `template` for the text form and in `credential` for what must not stand in a file.

mod annotation;
pub mod credential;
pub mod template;

pub use annotation::Annotation;

use std::ops::Range;

use starform_contract::{SecretName, ServiceKind};

use crate::project::Spanned;
use crate::table::closest;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VarValue {
    Literal(String),
    Ref(Spanned<Reference>),
    Template(Vec<Piece>),
    /// The name of a secret that is kept outside of the file.
    Secret(SecretName),
    /// Made once for the service and kept.
    Generate(Generator),
}

/// How a value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// 32 random bytes.
    Bytes32,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Ref(Spanned<Reference>),
}

/// `service.output`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub target: Target,
    pub output: Output,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `self`
    Own,
    Service(String),
}

/// What a service tells others about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    Host,
    Port,
    HostPort,
    PrivateUrl,
    PublicHost,
    PublicUrl,
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    #[error("a reference is written `SERVICE.OUTPUT`, as in `catalog.private-url`")]
    Form,
    #[error("unknown output `{output}`")]
    Output {
        output: String,
        /// Where it stands in the reference.
        range: Range<usize>,
    },
}

const OUTPUTS: [Output; 6] = [
    Output::Host,
    Output::Port,
    Output::HostPort,
    Output::PrivateUrl,
    Output::PublicHost,
    Output::PublicUrl,
];

impl Reference {
    pub fn parse(text: &str) -> Result<Reference, InvalidReference> {
        let (target, output) = text.split_once('.').ok_or(InvalidReference::Form)?;
        if target.is_empty() || output.is_empty() || text.contains(char::is_whitespace) {
            return Err(InvalidReference::Form);
        }
        let known = OUTPUTS.into_iter().find(|known| known.as_str() == output);
        let output = known.ok_or_else(|| InvalidReference::Output {
            output: output.to_owned(),
            range: target.len() + 1..text.len(),
        })?;
        let target = match target {
            "self" => Target::Own,
            name => Target::Service(name.to_owned()),
        };
        Ok(Reference { target, output })
    }
}

impl Output {
    pub const fn as_str(self) -> &'static str {
        match self {
            Output::Host => "host",
            Output::Port => "port",
            Output::HostPort => "hostport",
            Output::PrivateUrl => "private-url",
            Output::PublicHost => "public-host",
            Output::PublicUrl => "public-url",
        }
    }

    /// What it is, for people.
    pub const fn doc(self) -> &'static str {
        match self {
            Output::Host => "the DNS name at which services of the same environment reach it",
            Output::Port => "the number of its first port",
            Output::HostPort => "host and first port, as in `host:8080`",
            Output::PrivateUrl => "its address inside the environment, as in `http://host:8080`",
            Output::PublicHost => "its first domain, or the host that the cluster gives it",
            Output::PublicUrl => "`https://` and its public host",
        }
    }

    /// Those that a kind of service has.
    pub fn of(kind: ServiceKind) -> &'static [Output] {
        match kind {
            ServiceKind::Web => &OUTPUTS,
            ServiceKind::Private => &OUTPUTS[..4],
            ServiceKind::Worker | ServiceKind::Cron => &[],
        }
    }

    /// The output that a word may have meant.
    pub fn closest(word: &str) -> Option<&'static str> {
        let names = OUTPUTS.map(Output::as_str);
        let alias = match word {
            "url" | "internal-url" | "address" => Some("private-url"),
            "hostname" => Some("host"),
            "ports" | "target-port" => Some("port"),
            "domain" | "domains" | "ingress" | "external-host" => Some("public-host"),
            "external-url" => Some("public-url"),
            _ => None,
        };
        closest(word, names).or(alias)
    }
}

impl VarValue {
    /// Every reference in it, in the order of the text.
    pub fn references(&self) -> impl Iterator<Item = &Spanned<Reference>> {
        let (one, pieces): (Option<&Spanned<Reference>>, &[Piece]) = match self {
            VarValue::Literal(_) | VarValue::Secret(_) | VarValue::Generate(_) => (None, &[]),
            VarValue::Ref(reference) => (Some(reference), &[]),
            VarValue::Template(pieces) => (None, pieces),
        };
        one.into_iter()
            .chain(pieces.iter().filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Ref(reference) => Some(reference),
            }))
    }

    /// Whether both say the same, wherever they are written.
    pub fn means(&self, other: &VarValue) -> bool {
        self.plain() == other.plain()
    }

    fn plain(&self) -> Vec<Plain<'_>> {
        match self {
            VarValue::Literal(text) => vec![Plain::Text(text)],
            VarValue::Ref(reference) => vec![Plain::Ref(&reference.value)],
            VarValue::Template(pieces) => pieces.iter().map(Piece::plain).collect(),
            VarValue::Secret(name) => vec![Plain::Secret(name)],
            VarValue::Generate(generator) => vec![Plain::Generate(*generator)],
        }
    }
}

impl Piece {
    fn plain(&self) -> Plain<'_> {
        match self {
            Piece::Text(text) => Plain::Text(text),
            Piece::Ref(reference) => Plain::Ref(&reference.value),
        }
    }
}

/// A piece of a value without its place.
#[derive(PartialEq)]
enum Plain<'v> {
    Text(&'v str),
    Ref(&'v Reference),
    Secret(&'v SecretName),
    Generate(Generator),
}

impl Generator {
    /// As the file writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Generator::Bytes32 => "bytes32",
        }
    }
}
