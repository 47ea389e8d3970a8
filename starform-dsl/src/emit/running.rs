//! What services have that run all the time: releases, metrics, disks, routes, redirects, and the user of them all.
//! Pure. Fills in the defaults that `crate::table` documents.
//! Read on in `model` for the rest of a service.

use std::collections::BTreeMap;

use starform_contract::{
    VolumeName,
    model::{Metrics, Redirect, Release, Route, RunAs, Running, Volume},
    quantity::Duration,
};

use super::model::Missing;
use crate::project::{MetricsDecl, RunAsDecl};
use crate::resolve::Resolved;

const RELEASE_TIMEOUT: Duration = Duration::from_secs(600);
const METRICS_PATH: &str = "/metrics";
/// Temporary, so that a mistake is not remembered by every browser that met it.
const REDIRECT_STATUS: u16 = 302;

/// `first`: the first port of the service.
pub(super) fn of(resolved: &Resolved<'_>, first: Option<u16>) -> Result<Running, Missing> {
    let release = resolved.find(|layer| &layer.release).value();
    let metrics = resolved.find(|layer| &layer.metrics).value();
    Ok(Running {
        release: release.map(|release| Release {
            run: release.command.clone(),
            timeout: release
                .timeout
                .as_ref()
                .map_or(RELEASE_TIMEOUT, |timeout| timeout.value),
            attempt: Release::FIRST_ATTEMPT,
        }),
        metrics: metrics
            .map(|metrics| self::metrics(metrics, first).ok_or("metrics without a port"))
            .transpose()?,
        volumes: volumes(resolved),
    })
}

fn metrics(decl: &MetricsDecl, first: Option<u16>) -> Option<Metrics> {
    let path = decl.path.as_ref().map(|path| path.value.as_str());
    Some(Metrics {
        port: decl.port.as_ref().map(|port| port.value).or(first)?,
        path: path.unwrap_or(METRICS_PATH).to_owned(),
    })
}

fn volumes(resolved: &Resolved<'_>) -> BTreeMap<VolumeName, Volume> {
    let volumes = resolved.find(|layer| &layer.volumes).value();
    volumes
        .into_iter()
        .flatten()
        .map(|volume| {
            let disk = Volume {
                mount: volume.mount.value.clone(),
                size: volume.size.value,
                class: volume.class.as_ref().map(|class| class.value.clone()),
            };
            (volume.name.value.clone(), disk)
        })
        .collect()
}

pub(super) fn routes(resolved: &Resolved<'_>) -> BTreeMap<String, Route> {
    let routes = resolved.find(|layer| &layer.routes).value();
    let route = |strip_prefix| Route { strip_prefix };
    routes
        .into_iter()
        .flatten()
        .map(|decl| (decl.path.value.clone(), route(decl.strip_prefix)))
        .collect()
}

pub(super) fn redirects(resolved: &Resolved<'_>) -> BTreeMap<String, Redirect> {
    let redirects = resolved.find(|layer| &layer.redirects).value();
    redirects
        .into_iter()
        .flatten()
        .map(|decl| {
            let redirect = Redirect {
                to: decl.to.value.clone(),
                status: decl
                    .status
                    .as_ref()
                    .map_or(REDIRECT_STATUS, |status| status.value),
            };
            (decl.from.value.clone(), redirect)
        })
        .collect()
}

/// The group is the user's unless another one is named.
pub(super) fn run_as(resolved: &Resolved<'_>) -> RunAs {
    match resolved.find(|layer| &layer.run_as).value() {
        None => RunAs::Default,
        Some(RunAsDecl::Root) => RunAs::Root,
        Some(RunAsDecl::Image) => RunAs::Image,
        Some(RunAsDecl::User { user, group }) => RunAs::User {
            user: user.value,
            group: group.as_ref().map_or(user.value, |group| group.value),
        },
    }
}
