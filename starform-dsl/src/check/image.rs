//! Where a service's image comes from in one environment: named, built, or that of another service.
//! Pure. `image-of` may name a service that itself names another; a circle has no image.
//! Read on in `crate::emit::images` for what becomes of it.

use std::collections::BTreeSet;

use super::{At, Findings};
use crate::diag::{Diagnostic, codes};
use crate::project::{ImageDecl, Model, Service, Setting, Spanned};
use crate::resolve::{self, Found, Resolved};

pub(super) fn check(at: &mut At<'_, '_>, resolved: &Resolved<'_>) {
    match resolved.find(|layer| &layer.image) {
        Found::Set(ImageDecl::Of(other), _) => check_other(at, resolved.service, other),
        Found::Default if !resolved.incomplete() => unsaid(at, resolved.service),
        Found::Set(ImageDecl::Ref(_) | ImageDecl::Build, _) | Found::Default | Found::Broken => {}
    }
}

/// `root` and `watch` of services that are built in no environment.
pub(super) fn check_effect(model: &Model, findings: &mut Findings) {
    let scopes = model.scopes();
    for service in model.services.values() {
        let mut environments = scopes
            .iter()
            .filter(|environment| service.presence.includes(environment))
            .peekable();
        let known = environments.peek().is_some();
        let built =
            environments.any(
                |environment| match resolve::image(model, service, environment) {
                    Found::Set(ImageDecl::Ref(_) | ImageDecl::Of(_), _) => false,
                    Found::Set(ImageDecl::Build, _) | Found::Default | Found::Broken => true,
                },
            );
        if !known || built {
            continue;
        }
        let root = service.root.iter().map(|root| ("root=", root.span));
        let watch = [&service.own]
            .into_iter()
            .chain(service.overrides.iter().map(|block| &block.content))
            .filter_map(|layer| layer.watch.as_ref())
            .filter(|watch| matches!(watch.value, Setting::Set(_)))
            .map(|watch| ("watch", watch.span));
        for (what, span) in root.chain(watch) {
            let title = format!(
                "`{what}` has no effect: `{}` is not built",
                service.name.value
            );
            let help = "take it out, or let the service be built: take its `image` out";
            let diagnostic = Diagnostic::new(codes::WITHOUT_EFFECT, span, title).help(help);
            findings.add(service.path(), diagnostic, None);
        }
    }
}

/// Nothing says where the image comes from, so the service is built, which most people did not mean.
fn unsaid(at: &mut At<'_, '_>, service: &Service) {
    let name = &service.name;
    let title = format!(
        "`{}` names no image, and this version builds none",
        name.value
    );
    let help = format!(
        "add `image \"REGISTRY/NAME@sha256:…\"`, or build it in your pipeline and plan with `--image {}=REF`",
        name.value
    );
    at.report(
        service,
        Diagnostic::new(codes::NO_IMAGE, name.span, title).help(help),
    );
}

fn check_other(at: &mut At<'_, '_>, service: &Service, other: &Spanned<String>) {
    let Some(named) = at.model.service(&other.value) else {
        // Said where names are looked up.
        return;
    };
    if !named.presence.includes(at.environment) {
        let title = format!("`{}` does not exist in `{}`", other.value, at.environment);
        let help = format!(
            "let `{}` exist there, or name an image: `in {} {{ image \"…\"; }}`",
            other.value, at.environment
        );
        let diagnostic =
            Diagnostic::new(codes::SERVICE_NOT_IN_ENVIRONMENT, other.span, title).help(help);
        at.report(service, diagnostic);
    } else if in_a_circle(at, service) {
        let title = if other.value == service.name.value.as_str() {
            format!("`{}` takes its image from itself", other.value)
        } else {
            format!("`{}` takes its image in a circle", service.name.value)
        };
        let help = "give one service of the circle its `image`, or take its `image-of` out";
        let diagnostic = Diagnostic::new(codes::IMAGE_CIRCLE, other.span, title).help(help);
        at.report(service, diagnostic);
    }
}

/// Whether following `image-of` from the service leads back to it.
fn in_a_circle(at: &At<'_, '_>, service: &Service) -> bool {
    let mut seen = BTreeSet::new();
    let mut current = service;
    loop {
        let Found::Set(ImageDecl::Of(other), _) = resolve::image(at.model, current, at.environment)
        else {
            return false;
        };
        let Some(next) = at.model.service(&other.value) else {
            return false;
        };
        if next.name.value == service.name.value {
            return true;
        }
        if !seen.insert(&next.name.value) {
            // A circle that the service only leads into is said at its members.
            return false;
        }
        current = next;
    }
}
