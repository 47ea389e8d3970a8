//! `domain HOST { alias HOST redirect=BOOL; }`.
//! Pure. Whether a host is used twice is seen by `crate::check`, over all services.
//! Read on in `crate::values::host` for what a host is.

use super::read::Read;
use super::{Cx, MOST_OF_A_KIND};
use crate::project::{AliasDecl, DomainDecl, Spanned};
use crate::table::{DomainNode, Place, Scope};

pub(super) fn read(cx: &mut Cx, read: &Read<'_>) -> Option<DomainDecl> {
    let mut aliases = Vec::new();
    if let Some(nodes) = read.node.children() {
        cx.block(
            nodes,
            "domain",
            Scope::of(Place::Domain),
            |cx, DomainNode::Alias, child| {
                let redirect: Option<Spanned<bool>> = child.prop("redirect");
                if aliases.len() == MOST_OF_A_KIND {
                    cx.too_many(child.span(), "aliases of one domain", MOST_OF_A_KIND);
                }
                if let (Some(host), true) =
                    (child.arg(0), child.sound && aliases.len() <= MOST_OF_A_KIND)
                {
                    aliases.push(AliasDecl {
                        host,
                        redirect: redirect.is_some_and(|redirect| redirect.value),
                    });
                }
            },
        );
    }
    Some(DomainDecl {
        host: read.arg(0)?,
        aliases,
    })
}
