//! `port`, `route` and `redirect`: by which ports and paths a service is reached.
//! Pure. Whether two of them clash is seen by `crate::check`, over all services.
//! Read on in `domain` for hosts.

use starform_contract::model::Protocol;

use super::read::Read;
use crate::project::{PortDecl, RedirectDecl, RouteDecl, Spanned};

pub(super) fn port(read: &Read<'_>) -> Option<Vec<PortDecl>> {
    let protocol: Option<Spanned<Protocol>> = read.prop_word("protocol");
    Some(vec![PortDecl {
        port: read.arg(0)?,
        name: read.prop("name"),
        protocol: protocol.map_or(Protocol::Http, |protocol| protocol.value),
        span: read.span(),
    }])
}

pub(super) fn route(read: &Read<'_>) -> Option<Vec<RouteDecl>> {
    let strip: Option<Spanned<bool>> = read.prop("strip-prefix");
    Some(vec![RouteDecl {
        path: read.arg(0)?,
        strip_prefix: strip.is_some_and(|strip| strip.value),
    }])
}

pub(super) fn redirect(read: &Read<'_>) -> Option<Vec<RedirectDecl>> {
    Some(vec![RedirectDecl {
        from: read.arg(0)?,
        to: read.prop("to")?,
        status: read.prop("status"),
    }])
}
