//! Every name that must exist somewhere else: environments, partials, groups, services and their outputs.
//! Pure. What a declaration that could not be read may be called is not called unknown.
//! Read on in `vars` for what must hold of references in one environment.

use std::collections::BTreeMap;

use starform_contract::EnvironmentName;

use super::Findings;
use crate::diag::{Code, Diagnostic, Fix, codes};
use crate::lower::{Known, wrong_kind};
use crate::project::{
    ImageDecl, In, Layer, Model, NamedEnvironments, PREVIEW, Presence, Preview, Secrets, Service,
    Setting, Slot, Spanned, Suspected, Vars,
};
use crate::source::Span;
use crate::syntax::TextRange;
use crate::table::{self, closest};
use crate::vars::{Output, Reference, Target};

/// What is looked up.
struct Lookup<'m, 'f> {
    model: &'m Model,
    known: &'m Known,
    findings: &'f mut Findings,
    path: String,
    /// So many unknown names more are compared with the known ones.
    suggestions: usize,
}

/// Comparing costs, and nobody reads more.
const SUGGESTIONS: usize = 100;

pub(super) fn check(model: &Model, known: &Known, findings: &mut Findings) {
    let mut lookup = Lookup {
        model,
        known,
        findings,
        path: String::new(),
        suggestions: SUGGESTIONS,
    };
    for (name, group) in &model.groups {
        lookup.path = format!("project.var-group.{name}");
        lookup.vars(&group.base);
        for block in &group.overrides {
            lookup.environments(&block.environments);
            lookup.vars(&block.content);
        }
        lookup.overlapping(&group.overrides, |vars| {
            vars.iter()
                .map(|(key, value)| (key.as_str(), value.span))
                .collect()
        });
    }
    lookup.preview();
    for (name, partial) in &model.partials {
        lookup.path = format!("project.partial.{name}");
        lookup.layer(partial);
    }
    for service in model.services.values() {
        lookup.path = service.path();
        lookup.service(service);
    }
    for suspected in &model.suspected {
        lookup.suspected(suspected);
    }
}

impl<'m> Lookup<'m, '_> {
    /// Previews are from an environment of the project.
    fn preview(&mut self) {
        let model = self.model;
        let Some(preview) = &model.preview else {
            return;
        };
        self.path = "project.preview".to_owned();
        let from = &preview.from;
        let mut declared = model.environments.iter();
        let unknown = !declared.any(|env| env.name.as_str() == from.value);
        if unknown && self.known.environments && !self.known.may_be(&from.value) {
            let names = model.environments.iter().map(|env| env.name.as_str());
            let unknown = self.unknown(codes::UNKNOWN_ENVIRONMENT, "environment", from, names);
            self.add(unknown);
        }
        if let Some(said) = inherits_of_protected(model, preview) {
            self.add(said);
        }
    }

    fn service(&mut self, service: &Service) {
        self.presence(service);
        self.like(service);
        self.layer(&service.own);
        for block in &service.overrides {
            self.environments(&block.environments);
            self.layer(&block.content);
            self.without_effect(service, block);
        }
        self.overlapping(&service.overrides, |layer| {
            // The first of a name stands for all of them.
            layer
                .children
                .iter()
                .rev()
                .map(|child| (child.node.slot().as_str(), child.span))
                .collect()
        });
    }

    fn presence(&mut self, service: &Service) {
        let names = match &service.presence {
            Presence::Everywhere => return,
            Presence::Only(names) | Presence::NotIn(names) => names,
        };
        let sound = self.environments(names);
        let nowhere = self.model.exists_nowhere(service);
        if let (true, true, Some(first)) = (
            sound && self.known.every_environment,
            nowhere,
            names.list.first(),
        ) {
            let title = format!("`{}` exists in no environment", service.name.value);
            let help = "leave at least one environment over, or take the service out";
            self.add(Diagnostic::new(codes::NOWHERE, first.span, title).help(help));
        }
    }

    /// The partial exists, and the kind of service has all of its children.
    fn like(&mut self, service: &Service) {
        let Some(like) = &service.like else { return };
        let Some(partial) = self.model.partial(&like.value) else {
            let names = self.model.partials.keys().map(|name| name.as_str());
            if self.known.partials && !self.known.may_be(&like.value) {
                let diagnostic = self.unknown(codes::UNKNOWN_PARTIAL, "partial", like, names);
                self.add(diagnostic);
            }
            return;
        };
        let kind = service.kind.kind();
        for child in &partial.children {
            let spec = table::row(child.node);
            if !spec.kinds.contains(&kind) {
                let mut diagnostic =
                    wrong_kind(like.span, spec, kind).also(child.span, "in the partial");
                diagnostic.help = Some(format!(
                    "take `{}` out of the partial, or give the service another one",
                    spec.name()
                ));
                self.add(diagnostic);
            }
        }
    }

    fn layer(&mut self, layer: &Layer) {
        self.vars(&layer.vars);
        let model = self.model;
        if self.known.groups {
            for name in set(&layer.uses)
                .iter()
                .filter(|name| model.group(&name.value).is_none())
            {
                if self.known.may_be(&name.value) {
                    continue;
                }
                let names = model.groups.keys().map(|name| name.as_str());
                let diagnostic = self.unknown(codes::UNKNOWN_GROUP, "var-group", name, names);
                self.add(diagnostic);
            }
        }
        for name in set(&layer.allow_from) {
            if name.value == "*" {
                self.add(everyone(name.span));
            } else {
                self.service_name(name);
            }
        }
        if let Some(Spanned {
            value: Setting::Set(ImageDecl::Of(other)),
            ..
        }) = &layer.image
        {
            self.service_name(other);
        }
    }

    fn vars(&mut self, vars: &Vars) {
        for value in vars.values() {
            if let Setting::Set(value) = &value.value {
                for reference in value.references() {
                    self.reference(reference);
                }
            }
        }
    }

    fn reference(&mut self, reference: &Spanned<Reference>) {
        let Target::Service(name) = &reference.value.target else {
            return;
        };
        let output = reference.value.output;
        let name = Spanned {
            value: name.clone(),
            span: name_span(reference.span, name, output),
        };
        if let Some(service) = self.service_name(&name)
            && !Output::of(service.kind.kind()).contains(&output)
        {
            self.add(no_output(service, output, reference.span));
        }
    }

    fn service_name(&mut self, name: &Spanned<String>) -> Option<&'m Service> {
        let found = self.model.service(&name.value);
        if found.is_none() && self.known.services && !self.known.may_be(&name.value) {
            let names = self.model.services.keys().map(|name| name.as_str());
            let diagnostic = self.unknown(codes::UNKNOWN_SERVICE, "service", name, names);
            self.add(diagnostic);
        }
        found
    }

    fn suspected(&mut self, suspected: &Suspected) {
        match suspected {
            Suspected::Named(name, path) => {
                self.path.clone_from(path);
                self.service_name(name);
            }
            Suspected::If(name, diagnostic) => {
                if name == "self" || self.model.service(name).is_some() {
                    self.path.clone_from(&diagnostic.node_path);
                    self.add(diagnostic.clone());
                }
            }
        }
    }

    /// Whether all of them exist and none is named twice.
    fn environments(&mut self, names: &NamedEnvironments) -> bool {
        let mut sound = true;
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for name in &names.list {
            if let Some(first) = seen.insert(&name.value, name.span) {
                sound = false;
                let title = format!("`{}` is named twice", name.value);
                self.add(
                    Diagnostic::new(codes::ENVIRONMENT_TWICE, name.span, title)
                        .also(first, "first")
                        .help("take one of the two out"),
                );
            } else if !self.model.has_environment(&name.value) {
                sound = false;
                self.unknown_environment(name);
            }
        }
        sound
    }

    fn unknown_environment(&mut self, name: &Spanned<String>) {
        if self.known.may_be(&name.value) {
            return;
        }
        if name.value == PREVIEW {
            if self.known.previews {
                let title = "the project has no preview environments";
                let help = "declare them: `preview from=ENV on=pull-request expire=\"3d\"`";
                self.add(Diagnostic::new(codes::NO_PREVIEW, name.span, title).help(help));
            }
        } else if self.known.environments {
            let names = self.model.environments.iter().map(|env| env.name.as_str());
            let diagnostic = self.unknown(codes::UNKNOWN_ENVIRONMENT, "environment", name, names);
            self.add(diagnostic);
        }
    }

    fn without_effect(&mut self, service: &Service, block: &In<Layer>) {
        for name in &block.environments.list {
            let Ok(environment) = EnvironmentName::new(name.value.as_str()) else {
                continue;
            };
            if self.model.has_environment(&name.value) && !service.presence.includes(&environment) {
                let title = format!("`{}` does not exist in `{environment}`", service.name.value);
                let help = "take the environment out here, or change `only` or `not-in`";
                self.add(Diagnostic::new(codes::IN_WITHOUT_EFFECT, name.span, title).help(help));
            }
        }
    }

    /// No two blocks for one environment hold the same child.
    fn overlapping<'b, T>(
        &mut self,
        blocks: &'b [In<T>],
        children: impl Fn(&'b T) -> BTreeMap<&'b str, Span>,
    ) {
        let mut held: BTreeMap<&str, Vec<(&NamedEnvironments, Span)>> = BTreeMap::new();
        for block in blocks {
            for (name, span) in children(&block.content) {
                let earlier = held.entry(name).or_default();
                let shared = earlier.iter().find_map(|(named, first)| {
                    block
                        .environments
                        .shared(named)
                        .map(|environment| (environment, *first))
                });
                earlier.push((&block.environments, span));
                if let Some((environment, first)) = shared {
                    let title = format!("`{name}` is given twice for `{environment}`");
                    self.add(
                        Diagnostic::new(codes::OVERLAPPING_IN, span, title)
                            .label("second")
                            .also(first, "first")
                            .help("keep one of the two"),
                    );
                }
            }
        }
    }

    fn unknown<'n>(
        &mut self,
        code: Code,
        what: &str,
        name: &Spanned<String>,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Diagnostic {
        let diagnostic =
            Diagnostic::new(code, name.span, format!("unknown {what} `{}`", name.value));
        let compare = self.suggestions > 0;
        self.suggestions = self.suggestions.saturating_sub(1);
        if let Some(near) = compare
            .then(|| closest(&name.value, names.clone()))
            .flatten()
        {
            let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            return match written(name) {
                Some(span) => {
                    diagnostic.fix(Fix::maybe_replace(format!("write `{near}`"), span, near))
                }
                None => diagnostic,
            };
        }
        let known: Vec<String> = names.take(9).map(|name| format!("`{name}`")).collect();
        diagnostic.help(match known.len() {
            0 => format!("the project declares no {what}"),
            1..=8 => format!("the project has {}", known.join(", ")),
            _ => format!("declare the {what}, or use the name of one that the project has"),
        })
    }

    fn add(&mut self, diagnostic: Diagnostic) {
        self.findings.add(self.path.clone(), diagnostic, None);
    }
}

/// Whoever may open a pull request could read the secrets of a protected environment.
fn inherits_of_protected(model: &Model, preview: &Preview) -> Option<Diagnostic> {
    let secrets = &preview.secrets;
    let mut declared = model.environments.iter();
    let from = declared.find(|env| env.name.as_str() == preview.from.value)?;
    let protect = from.protect.filter(|_| secrets.value == Secrets::Inherit)?;
    let title = format!("previews cannot inherit the secrets of `{}`", from.name);
    Some(
        Diagnostic::new(codes::INHERITS_PROTECTED, secrets.span, title)
            .also(protect, "it is protected")
            .help("write `secrets=stub`, or let previews be from an environment without `protect`")
            .fix(Fix::maybe_replace("write `stub`", secrets.span, "stub")),
    )
}

/// `allow-from "*"`
fn everyone(span: Span) -> Diagnostic {
    Diagnostic::new(codes::UNKNOWN_SERVICE, span, "`*` is no service")
        .help("leave `allow-from` out: then every service of the environment may reach this one")
}

/// That a service has no such output.
pub(super) fn no_output(service: &Service, output: Output, span: Span) -> Diagnostic {
    let kind = service.kind.kind();
    let title = format!(
        "a {} service has no output `{}`",
        kind.as_str(),
        output.as_str()
    );
    let names: Vec<String> = Output::of(kind)
        .iter()
        .map(|output| format!("`{}`", output.as_str()))
        .collect();
    let help = if names.is_empty() {
        format!(
            "`{}` is not reached by others, so it has no outputs",
            service.name.value
        )
    } else {
        format!("`{}` has {}", service.name.value, names.join(", "))
    };
    Diagnostic::new(codes::UNKNOWN_OUTPUT, span, title).help(help)
}

/// The place of a name, where another can be written; `None` where it holds more than the name.
fn written(name: &Spanned<String>) -> Option<Span> {
    let quotes = name.span.range.len() as usize == name.value.len() + 2;
    let exact = name.span.range.len() as usize == name.value.len();
    (exact || quotes).then_some(name.span)
}

/// The place of the service in `SERVICE.OUTPUT`, where that is written without escapes.
fn name_span(span: Span, name: &str, output: Output) -> Span {
    let length = name.len() + 1 + output.as_str().len();
    if span.range.len() as usize != length {
        return span;
    }
    let end = span.range.end() - u32::try_from(output.as_str().len() + 1).unwrap_or(0);
    Span::new(span.file, TextRange::new(span.range.start(), end))
}

fn set<T>(slot: &Slot<Vec<T>>) -> &[T] {
    match slot {
        Some(Spanned {
            value: Setting::Set(list),
            ..
        }) => list,
        Some(_) | None => &[],
    }
}
