//! Limits of a project as a whole, and images that are not pinned.
//! Pure.
//! Read on in `crate::syntax` for the limits of one file.

use super::Findings;
use crate::diag::{Diagnostic, codes};
use crate::project::{ImageDecl, Layer, Model, Setting};
use crate::values::image::{self, Pin};

pub(crate) const MOST_ENVIRONMENTS: usize = 100;

/// Services of a project.
pub(crate) const MOST_SERVICES: usize = 1_000;
/// Services times the environments that they exist in.
pub(crate) const MOST_PLACES: usize = 2_000;

/// Whether the project is small enough to be looked at service by service.
pub(super) fn check(model: &Model, findings: &mut Findings) -> bool {
    if !check_environments(model, findings) || !check_services(model, findings) {
        return false;
    }
    for (name, partial) in &model.partials {
        check_image(partial, &format!("project.partial.{name}"), findings);
    }
    for service in model.services.values() {
        check_image(&service.own, &service.path(), findings);
        for block in &service.overrides {
            check_image(&block.content, &service.path(), findings);
        }
    }
    true
}

fn check_environments(model: &Model, findings: &mut Findings) -> bool {
    let Some(extra) = model.environments.get(MOST_ENVIRONMENTS) else {
        return true;
    };
    let title = format!("the project has {} environments", model.environments.len());
    let help =
        format!("a project has at most {MOST_ENVIRONMENTS}: divide it into several projects");
    let diagnostic = Diagnostic::new(codes::TOO_MANY_ENVIRONMENTS, extra.span, title).help(help);
    findings.add("project.environment".to_owned(), diagnostic, None);
    false
}

fn check_services(model: &Model, findings: &mut Findings) -> bool {
    let services = model.services.len();
    if let (true, Some(last)) = (
        services > MOST_SERVICES,
        model.services.values().next_back(),
    ) {
        let title = format!("the project has more than {MOST_SERVICES} services");
        let help =
            format!("a project has at most {MOST_SERVICES}: divide it into several projects");
        let diagnostic =
            Diagnostic::new(codes::TOO_MANY_SERVICES, last.name.span, title).help(help);
        findings.add(last.path(), diagnostic, None);
        return false;
    }
    let places: usize = model
        .scopes()
        .iter()
        .map(|environment| model.services_in(environment).count())
        .sum();
    if let (true, Some(last)) = (places > MOST_PLACES, model.environments.last()) {
        let title = format!("the project has {places} services over all environments");
        let help = format!("at most {MOST_PLACES}: use `only` and `not-in`, or divide the project");
        let diagnostic =
            Diagnostic::new(codes::TOO_MANY_INSTANCES_OF_SERVICES, last.span, title).help(help);
        findings.add("project.environment".to_owned(), diagnostic, None);
    }
    places <= MOST_PLACES
}

fn check_image(layer: &Layer, path: &str, findings: &mut Findings) {
    let Some(image) = &layer.image else { return };
    let Setting::Set(ImageDecl::Ref(reference)) = &image.value else {
        return;
    };
    let title = match image::parse(reference) {
        Ok(Pin::Digest) | Err(_) => return,
        Ok(Pin::Tag) => "the image is not pinned by a digest",
        Ok(Pin::Latest) => "the image follows the tag `latest`",
    };
    let diagnostic = Diagnostic::new(codes::IMAGE_NOT_PINNED, image.span, title)
        .help("add the digest that the registry shows for it: `NAME:TAG@sha256:…`");
    findings.add(path.to_owned(), diagnostic, None);
}
