//! `removed KIND NAME data=keep|destroy`: what the file says goodbye to.
//! Pure. The name is that of a service, or `SERVICE.VOLUME`, as the word before it says.
//! Read on in `crate::check::former` for what must hold beside other declarations.

use starform_contract::{ServiceName, VolumeName};

use super::Cx;
use super::read::Read;
use super::value::{name_error, spelled_right};
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::{Data, Gone, GoneKind, Removed, Spanned};
use crate::source::Span;
use crate::table::Word;

/// What is wrong with a text as the name of something that is removed.
pub(super) fn bad_name(text: &str, span: Span) -> Option<Diagnostic> {
    let Some((service, volume)) = text.split_once('.') else {
        return name_error(ServiceName::new(text).err(), span);
    };
    let of_service = name_error(ServiceName::new(service).err(), span);
    let mut wrong = of_service.or_else(|| name_error(VolumeName::new(volume).err(), span))?;
    // The fix of one half is not one of the whole.
    let halves = spelled_right(service).zip(spelled_right(volume));
    wrong.fixes = halves
        .map(|(service, volume)| format!("{service}.{volume}"))
        .filter(|right| right != text && gone_volume(right).is_some())
        .map(|text| Fix::maybe_replace(format!("write `{text}`"), span, text))
        .into_iter()
        .collect();
    Some(wrong)
}

/// `None`: something of it cannot be read.
pub(super) fn read(cx: &mut Cx, read: &Read<'_>) -> Option<Removed> {
    let kind: Spanned<GoneKind> = read.arg_word(0)?;
    let name: Spanned<String> = read.arg(1)?;
    let data: Spanned<Data> = read.prop_word("data")?;
    if !read.sound {
        return None;
    }
    let Some(what) = gone(kind.value, &name.value) else {
        cx.report(not_of_its_kind(&kind, &name));
        return None;
    };
    Some(Removed {
        what,
        data,
        name: name.span,
        kind: kind.span,
        node: read.span(),
    })
}

fn gone(kind: GoneKind, name: &str) -> Option<Gone> {
    match kind {
        GoneKind::Volume => gone_volume(name),
        GoneKind::Service(kind) => Some(Gone::Service(ServiceName::new(name).ok()?, kind)),
    }
}

fn gone_volume(name: &str) -> Option<Gone> {
    let (service, volume) = name.split_once('.')?;
    Some(Gone::Volume(
        ServiceName::new(service).ok()?,
        VolumeName::new(volume).ok()?,
    ))
}

/// A volume without its service, or a service with a volume.
fn not_of_its_kind(kind: &Spanned<GoneKind>, name: &Spanned<String>) -> Diagnostic {
    let (word, text) = (kind.value.as_str(), &name.value);
    if kind.value == GoneKind::Volume {
        let title = format!("`{text}` does not say whose volume it was");
        let help = format!("write `SERVICE.VOLUME`, such as `api.{text}`");
        return Diagnostic::new(codes::NOT_OF_ITS_KIND, name.span, title).help(help);
    }
    let title = format!("`{text}` is the name of a volume, not of a {word} service");
    let (service, _) = text.split_once('.').unwrap_or((text, ""));
    let help = format!("write `removed volume {text}`, or `removed {word} {service}`");
    Diagnostic::new(codes::NOT_OF_ITS_KIND, name.span, title)
        .also(kind.span, "said to be a service")
        .help(help)
        .fix(Fix::maybe_replace(
            "write `volume`",
            kind.span,
            GoneKind::Volume.as_str(),
        ))
}
