//! The image of every service of an environment: given by the caller, named by the file, or another service's.
//! Pure. A service that is built and of which the caller gave no image is named once: this version builds none.
//! Read on in `crate::check::image` for what the checks have made sure of.

use std::collections::BTreeMap;

use starform_contract::ServiceName;

use super::Bindings;
use crate::diag::{Diagnostic, codes};
use crate::project::{ImageDecl, Service};
use crate::resolve::{Found, Resolved};
use crate::source::Span;

/// Where an image comes from in the end.
enum Source<'m> {
    Given(&'m str),
    Named(&'m str),
    /// The service that must be built, and what says so.
    Built(&'m Service, Span),
}

/// The images by service, and what is said of services that must be built.
pub(super) fn of(
    resolved: &[Resolved<'_>],
    bindings: &Bindings,
) -> (BTreeMap<ServiceName, String>, Vec<Diagnostic>) {
    let by_name: BTreeMap<&str, &Resolved<'_>> = resolved
        .iter()
        .map(|service| (service.service.name.value.as_str(), service))
        .collect();
    let mut images = BTreeMap::new();
    let mut missing: BTreeMap<&ServiceName, Diagnostic> = BTreeMap::new();
    for service in resolved {
        match source(service, &by_name, bindings) {
            Source::Given(image) | Source::Named(image) => {
                images.insert(service.service.name.value.clone(), image.to_owned());
            }
            Source::Built(service, span) => {
                missing
                    .entry(&service.name.value)
                    .or_insert_with(|| not_given(service, span));
            }
        }
    }
    (images, missing.into_values().collect())
}

/// Follows `image-of`; the checks have refused circles.
fn source<'m>(
    resolved: &Resolved<'m>,
    by_name: &BTreeMap<&str, &Resolved<'m>>,
    bindings: &'m Bindings,
) -> Source<'m> {
    let mut current = resolved;
    for _ in 0..=by_name.len() {
        let service = current.service;
        let name = &service.name;
        if let Some(image) = bindings.images.get(&name.value) {
            return Source::Given(image);
        }
        match current.find(|layer| &layer.image) {
            Found::Set(ImageDecl::Ref(image), _) => return Source::Named(image),
            Found::Set(ImageDecl::Build, span) => return Source::Built(service, span),
            Found::Default | Found::Broken => return Source::Built(service, name.span),
            Found::Set(ImageDecl::Of(other), _) => match by_name.get(other.value.as_str()) {
                Some(next) => current = next,
                None => return Source::Built(service, other.span),
            },
        }
    }
    let service = resolved.service;
    Source::Built(service, service.name.span)
}

fn not_given(service: &Service, span: Span) -> Diagnostic {
    let name = &service.name;
    let title = format!("`{}` is built, and no image of it is given", name.value);
    let help = format!(
        "give the image that your pipeline built: `--image {}=REGISTRY/NAME@sha256:…`",
        name.value
    );
    Diagnostic::new(codes::IMAGE_NOT_GIVEN, span, title)
        .help(help)
        .node_path(service.path())
}
