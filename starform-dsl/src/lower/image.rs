//! `image`, `build` and `image-of`: the one slot that says which image runs.
//! Pure. Two of them in one layer are a mistake, and the slot is broken then.
//! Read on in `crate::check::image` for what must hold between services.

use super::read::Read;
use super::{Cx, MOST_OF_A_KIND};
use crate::diag::{Diagnostic, codes};
use crate::project::{Builder, ImageDecl, Setting, Slot, Spanned};
use crate::source::Span;
use crate::table::{BuildNode, ImageNode, Place, Scope, Word};
use crate::vars::credential;

/// Puts what a node says into the slot of its layer.
pub(super) fn read(cx: &mut Cx, node: ImageNode, read: &Read<'_>, slot: &mut Slot<ImageDecl>) {
    let said = match node {
        ImageNode::Image => read
            .arg::<String>(0)
            .map(|image| ImageDecl::Ref(image.value)),
        ImageNode::ImageOf => read.arg(0).map(ImageDecl::Of),
        ImageNode::Build => build(cx, read),
    };
    let new = read.slot(said);
    match slot {
        None => *slot = new,
        Some(first) => {
            let title = "`image`, `build` and `image-of` exclude each other";
            let diagnostic = Diagnostic::new(codes::CONFLICTING_NODES, read.span(), title)
                .label("second")
                .also(first.span, "first")
                .help("keep one of the two");
            cx.report(diagnostic);
            first.value = Setting::Broken;
        }
    }
}

/// What one builder takes and the other does not.
const ONLY_DOCKERFILE: [&str; 3] = ["dockerfile", "context", "target"];
const ONLY_RAILPACK: [&str; 1] = ["command"];

/// The node says how to build; that the service is built is all that is kept of it here.
fn build(cx: &mut Cx, read: &Read<'_>) -> Option<ImageDecl> {
    if read.unset {
        return None;
    }
    let builder: Option<Spanned<Builder>> = read.prop_word("builder");
    let wrong: &[&str] = match builder.as_ref().map(|builder| builder.value) {
        Some(Builder::Railpack) => &ONLY_DOCKERFILE,
        Some(Builder::Dockerfile) => &ONLY_RAILPACK,
        Some(Builder::Auto) | None => &[],
    };
    let mut sound = read.sound;
    for name in wrong {
        if let (Some(prop), Some(builder)) = (read.prop::<String>(name), &builder) {
            let title = format!("`builder={}` has no `{name}=`", builder.value.as_str());
            let diagnostic = Diagnostic::new(codes::CONFLICTING_NODES, prop.span, title)
                .also(builder.span, "this builder")
                .help("take it out, or name the other builder");
            cx.report(diagnostic);
            sound = false;
        }
    }
    sound &= args(cx, read);
    sound.then_some(ImageDecl::Build)
}

/// Whether every `arg` holds: no key twice, no secrets.
fn args(cx: &mut Cx, read: &Read<'_>) -> bool {
    let mut keys: Vec<Spanned<String>> = Vec::new();
    let mut sound = true;
    let Some(nodes) = read.node.children() else {
        return true;
    };
    let seen = cx.block(
        nodes,
        "build",
        Scope::of(Place::Build),
        |cx, BuildNode::Arg, child| {
            let (Some(key), true) = (child.arg::<String>(0), child.sound) else {
                sound = false;
                return;
            };
            if keys.len() == MOST_OF_A_KIND {
                cx.too_many(child.span(), "build arguments", MOST_OF_A_KIND);
            }
            if keys.len() >= MOST_OF_A_KIND {
                sound = false;
                return;
            }
            if let Some(first) = keys.iter().find(|first| first.value == key.value) {
                let title = format!("the build argument `{}` is given twice", key.value);
                let diagnostic = Diagnostic::new(codes::DUPLICATE_VARIABLE, key.span, title)
                    .label("second")
                    .also(first.span, "first")
                    .help("keep one of the two");
                cx.report(diagnostic);
                sound = false;
            }
            sound &= no_secret(cx, &key.value, child.arg(1));
            keys.push(key);
        },
    );
    sound && !seen.incomplete
}

/// Whether a build argument holds no secret; it could be read in every image that is built with it.
fn no_secret(cx: &mut Cx, key: &str, value: Option<Spanned<String>>) -> bool {
    let Some((value, span)): Option<(String, Span)> = value.map(|value| (value.value, value.span))
    else {
        return true;
    };
    if credential::sign(key, &value).is_none() {
        return true;
    }
    let title = format!("`{key}` looks like a credential");
    let help = "take the value out of the file: a build argument stays readable in the image, so let the service read the secret when it runs";
    cx.error(codes::CREDENTIAL, span, title, help);
    false
}
