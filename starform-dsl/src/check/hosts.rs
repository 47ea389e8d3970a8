//! A host leads to one service of one environment.
//! Pure. A host that is written once but holds in several environments is one mistake, not many.
//! Read on in `crate::values::host` for what a host is.

use std::collections::BTreeMap;

use starform_contract::{EnvironmentName, ServiceName};

use super::{At, path};
use crate::diag::{Diagnostic, codes};
use crate::project::{DomainDecl, Spanned};
use crate::resolve::Resolved;
use crate::source::Span;

/// Who has which host.
#[derive(Default)]
pub(super) struct Hosts<'m>(BTreeMap<&'m str, Claim<'m>>);

struct Claim<'m> {
    service: &'m ServiceName,
    environment: &'m EnvironmentName,
    span: Span,
}

impl<'m> Hosts<'m> {
    pub(super) fn add(&mut self, at: &mut At<'m, '_>, resolved: &Resolved<'m>) {
        let domains: &[DomainDecl] = resolved
            .find(|layer| &layer.domains)
            .value()
            .map_or(&[], Vec::as_slice);
        for domain in domains {
            self.claim(at, resolved, &domain.host);
            for alias in &domain.aliases {
                self.claim(at, resolved, &alias.host);
            }
        }
    }

    fn claim(&mut self, at: &mut At<'m, '_>, resolved: &Resolved<'m>, host: &'m Spanned<String>) {
        let service = &resolved.service.name.value;
        if at.environment.is_reserved() {
            at.findings
                .add(path(resolved.service), in_previews(host), None);
            return;
        }
        let Some(first) = self.0.get(host.value.as_str()) else {
            let claim = Claim {
                service,
                environment: at.environment,
                span: host.span,
            };
            self.0.insert(&host.value, claim);
            return;
        };
        let diagnostic = taken(host, first, service, at.environment);
        at.findings.add(path(resolved.service), diagnostic, None);
    }
}

fn in_previews(host: &Spanned<String>) -> Diagnostic {
    let title = format!("`{}` would lead to every preview", host.value);
    Diagnostic::new(codes::HOST_TAKEN, host.span, title).help(
        "take it back there: `in preview { domain #null; }`; each preview has a host of its own",
    )
}

fn taken(
    host: &Spanned<String>,
    first: &Claim<'_>,
    service: &ServiceName,
    environment: &EnvironmentName,
) -> Diagnostic {
    if first.span == host.span {
        let title = format!("`{}` would lead to several environments", host.value);
        return Diagnostic::new(codes::HOST_TAKEN, host.span, title)
            .label(format!(
                "holds in `{}` and in `{environment}`",
                first.environment
            ))
            .help(format!(
                "give it to one of them: `in {environment} {{ domain \"{}\"; }}`",
                host.value
            ));
    }
    let title = format!("`{}` is used twice", host.value);
    let place = |service: &ServiceName, environment: &EnvironmentName| {
        format!("`{service}` in `{environment}`")
    };
    Diagnostic::new(codes::HOST_TAKEN, host.span, title)
        .label(place(service, environment))
        .also(first.span, place(first.service, first.environment))
        .help("give one of the two another host")
}
