//! What must hold of one service's routes and redirects in one environment: no path twice, no circle.
//! Pure. A route holds everything below its path, a redirect its path alone: they clash where a path is named by both.
//! Read on in `hosts` for paths that several services hold of one host.

use std::collections::BTreeMap;

use super::At;
use crate::diag::{Diagnostic, codes};
use crate::project::{RedirectDecl, RouteDecl, Spanned};
use crate::resolve::Resolved;
use crate::source::Span;

pub(super) fn check(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    let routes = resolved.find(|layer| &layer.routes).value();
    let redirects = resolved.find(|layer| &layer.redirects).value();
    let routes = routes.map_or(&[][..], Vec::as_slice);
    let redirects = redirects.map_or(&[][..], Vec::as_slice);
    let mut found = twice(routes.iter().map(|route| &route.path));
    found.extend(twice(redirects.iter().map(|redirect| &redirect.from)));
    found.extend(both(routes, redirects));
    found.extend(routes.iter().filter_map(strips_nothing));
    if !redirects.is_empty() {
        found.extend(circles(redirects, &hosts(resolved)));
    }
    for diagnostic in found {
        at.report(resolved.service, diagnostic);
    }
}

fn twice<'p>(paths: impl Iterator<Item = &'p Spanned<String>>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut found = Vec::new();
    for path in paths {
        if let Some(first) = seen.get(path.value.as_str()) {
            let title = format!("the path `{}` is given twice", path.value);
            found.push(
                Diagnostic::new(codes::ROUTE_TAKEN, path.span, title)
                    .label("second")
                    .also(*first, "first")
                    .help("keep one of the two"),
            );
        } else {
            seen.insert(&path.value, path.span);
        }
    }
    found
}

/// Paths that are answered and sent elsewhere. `/` is not meant: its route is everything that has none of its own.
fn both(routes: &[RouteDecl], redirects: &[RedirectDecl]) -> Vec<Diagnostic> {
    let answered: BTreeMap<&str, Span> = routes
        .iter()
        .map(|route| (route.path.value.as_str(), route.path.span))
        .filter(|(path, _)| *path != "/")
        .collect();
    let clash = |redirect: &RedirectDecl| {
        let Spanned { value, span } = &redirect.from;
        let route = answered.get(value.as_str())?;
        let title = format!("the path `{value}` is answered and sent elsewhere");
        Some(
            Diagnostic::new(codes::ROUTE_TAKEN, *span, title)
                .label("sent elsewhere")
                .also(*route, "answered")
                .help("keep one of the two"),
        )
    };
    redirects.iter().filter_map(clash).collect()
}

fn strips_nothing(route: &RouteDecl) -> Option<Diagnostic> {
    let diagnostic = || {
        let title = "`strip-prefix` has no effect on the path `/`";
        Diagnostic::new(codes::WITHOUT_EFFECT, route.path.span, title)
            .help("take `strip-prefix` out, or name the path that is to be taken off")
    };
    (route.strip_prefix && route.path.value == "/").then(diagnostic)
}

/// The hosts that the file gives the service.
fn hosts<'m>(resolved: &Resolved<'m>) -> Vec<&'m str> {
    let domains = resolved.find(|layer| &layer.domains).value();
    domains
        .into_iter()
        .flatten()
        .flat_map(|domain| {
            let aliases = domain.aliases.iter().map(|alias| alias.host.value.as_str());
            aliases.chain([domain.host.value.as_str()])
        })
        .collect()
}

/// Redirects from which following redirects leads back. Each circle is said once, at its first in the file.
fn circles(redirects: &[RedirectDecl], hosts: &[&str]) -> Vec<Diagnostic> {
    let next: BTreeMap<&str, &RedirectDecl> = redirects
        .iter()
        .rev()
        .map(|redirect| (redirect.from.value.as_str(), redirect))
        .collect();
    let mut said: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for start in redirects {
        let from = start.from.value.as_str();
        let mut passed = vec![from];
        let mut current = start;
        while let Some(following) = own_path(&current.to.value, hosts)
            .and_then(|path| next.get(path))
            .filter(|following| !passed[1..].contains(&following.from.value.as_str()))
        {
            if following.from.value == from {
                if !said.contains(&from) {
                    found.push(circle(start, current));
                    said.extend(&passed);
                }
                break;
            }
            passed.push(&following.from.value);
            current = following;
        }
    }
    found
}

fn circle(start: &RedirectDecl, last: &RedirectDecl) -> Diagnostic {
    let from = &start.from.value;
    let help = "send callers to a path or a host that no redirect begins with";
    if start.from.span == last.from.span {
        let title = format!("`{from}` is redirected to itself");
        return Diagnostic::new(codes::REDIRECT_CIRCLE, start.to.span, title).help(help);
    }
    let title = format!("redirects of `{from}` lead back to it");
    Diagnostic::new(codes::REDIRECT_CIRCLE, start.to.span, title)
        .label("begins here")
        .also(last.to.span, "leads back")
        .help(help)
}

/// The path that a location means on the service's own hosts; `None` where it leads elsewhere.
fn own_path<'t>(to: &'t str, hosts: &[&str]) -> Option<&'t str> {
    let rest = to
        .strip_prefix("https://")
        .or_else(|| to.strip_prefix("http://"));
    let path = match rest {
        None => to,
        Some(rest) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            if !hosts.contains(&host) {
                return None;
            }
            path
        }
    };
    let path = path.split(['?', '#']).next().unwrap_or(path);
    match path.trim_end_matches('/') {
        "" => Some("/"),
        path => Some(path),
    }
}
