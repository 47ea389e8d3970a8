//! A host leads to one environment, and each of its paths to one service there.
//! Pure. A host that is written once but holds in several environments is one mistake, not many.
//! Read on in `crate::values::host` for what a host is and in `routes` for the paths of one service.

use std::collections::BTreeMap;

use starform_contract::{EnvironmentName, ServiceName};

use super::At;
use crate::diag::{Diagnostic, codes};
use crate::project::{DomainDecl, RedirectDecl, RouteDecl, Spanned};
use crate::resolve::Resolved;
use crate::source::Span;

/// Who has which host. Only services of one environment share one, so the others are few.
#[derive(Default)]
pub(super) struct Hosts<'m>(BTreeMap<&'m str, Vec<Claim<'m>>>);

#[derive(Clone, Copy)]
struct Claim<'m> {
    service: &'m ServiceName,
    environment: &'m EnvironmentName,
    span: Span,
    paths: Paths<'m>,
}

/// What a service answers on a host.
#[derive(Clone, Copy)]
enum Paths<'m> {
    /// The host as a whole is redirected to another.
    Redirected,
    Held {
        /// None: everything.
        routes: &'m [RouteDecl],
        redirects: &'m [RedirectDecl],
    },
}

impl<'m> Hosts<'m> {
    pub(super) fn add(&mut self, at: &mut At<'m, '_>, resolved: &Resolved<'m>) {
        let domains: &[DomainDecl] = resolved
            .find(|layer| &layer.domains)
            .value()
            .map_or(&[], Vec::as_slice);
        let routes = resolved.find(|layer| &layer.routes).value();
        let redirects = resolved.find(|layer| &layer.redirects).value();
        let held = Paths::Held {
            routes: routes.map_or(&[], Vec::as_slice),
            redirects: redirects.map_or(&[], Vec::as_slice),
        };
        for domain in domains {
            self.claim(at, resolved, &domain.host, held);
            for alias in &domain.aliases {
                let paths = if alias.redirect {
                    Paths::Redirected
                } else {
                    held
                };
                self.claim(at, resolved, &alias.host, paths);
            }
        }
    }

    fn claim(
        &mut self,
        at: &mut At<'m, '_>,
        resolved: &Resolved<'m>,
        host: &'m Spanned<String>,
        paths: Paths<'m>,
    ) {
        if at.environment.is_reserved() {
            at.findings
                .add(resolved.service.path(), in_previews(host), None);
            return;
        }
        let claim = Claim {
            service: &resolved.service.name.value,
            environment: at.environment,
            span: host.span,
            paths,
        };
        let claims = self.0.entry(&host.value).or_default();
        let diagnostic = claims.iter().find_map(|first| clash(host, first, &claim));
        match diagnostic {
            Some(diagnostic) => at.findings.add(resolved.service.path(), diagnostic, None),
            None => claims.push(claim),
        }
    }
}

fn in_previews(host: &Spanned<String>) -> Diagnostic {
    let title = format!("`{}` would lead to every preview", host.value);
    Diagnostic::new(codes::HOST_TAKEN, host.span, title).help(
        "take it back there: `in preview { domain #null; }`; each preview has a host of its own",
    )
}

/// What two services of one host have in common that only one can hold.
fn clash(host: &Spanned<String>, first: &Claim<'_>, second: &Claim<'_>) -> Option<Diagnostic> {
    let alone = || Some(taken(host, first, second.service, second.environment));
    if first.environment != second.environment || first.service == second.service {
        return alone();
    }
    let (
        Paths::Held {
            routes: one,
            redirects: from,
        },
        Paths::Held {
            routes: other,
            redirects: other_from,
        },
    ) = (first.paths, second.paths)
    else {
        return alone();
    };
    if one.is_empty() && other.is_empty() {
        return alone().map(|diagnostic| {
            diagnostic
                .help("give one of the two another host, or another path of it: `route \"/api\"`")
        });
    }
    let routes = shared(
        first,
        one.iter().map(|route| &route.path),
        second,
        other.iter().map(|route| &route.path),
        true,
    );
    let redirects = || {
        shared(
            first,
            from.iter().map(|redirect| &redirect.from),
            second,
            other_from.iter().map(|redirect| &redirect.from),
            false,
        )
    };
    let (path, here, there) = routes.or_else(redirects)?;
    let title = format!("`{}{path}` is held by two services", host.value);
    Some(
        Diagnostic::new(codes::ROUTE_TAKEN, here, title)
            .label(format!("`{}` in `{}`", second.service, second.environment))
            .also(
                there,
                format!("`{}` in `{}`", first.service, first.environment),
            )
            .help("give one of the two another path or another host"),
    )
}

/// A path that both hold, with its places. `whole`: who names none holds `/`, at the place of the host.
fn shared<'p>(
    first: &Claim<'_>,
    one: impl Iterator<Item = &'p Spanned<String>>,
    second: &Claim<'_>,
    other: impl Iterator<Item = &'p Spanned<String>>,
    whole: bool,
) -> Option<(&'p str, Span, Span)> {
    let paths = |claim: &Claim<'_>, paths: Vec<&'p Spanned<String>>| -> BTreeMap<&'p str, Span> {
        if paths.is_empty() && whole {
            return BTreeMap::from([("/", claim.span)]);
        }
        let places = paths
            .into_iter()
            .map(|path| (path.value.as_str(), path.span));
        places.collect()
    };
    let earlier = paths(first, one.collect());
    let later = paths(second, other.collect());
    later
        .into_iter()
        .find_map(|(path, here)| Some((path, here, *earlier.get(path)?)))
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
