//! `starform compile` and `starform render`: one environment as bundle or as Kubernetes objects.
//!
//! Effects: reads files, prints. The ids are those of embedded mode; nothing is asked of a cluster.

use std::{fs, path::Path};

use anyhow::Context;
use starform_contract::ClusterProfile;
use starform_dsl::{Bindings, explain};
use starform_plan::{
    codes::{BUNDLE_TOO_LARGE, OBJECT_TOO_LARGE},
    document::Finding,
    propose::Proposal,
    yaml,
};

use super::{checked, print, print_json, refused};
use crate::{
    args::{BundleArgs, CompileArgs},
    embedded,
    exit::{Exit, Failure},
    terminal::Terminal,
};

pub(crate) fn bundle(args: &BundleArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let BundleArgs { compile, origins } = args;
    if *origins {
        return self::origins(compile, terminal);
    }
    let proposal = propose(compile, terminal)?;
    print_json(&proposal.environment);
    Ok(Exit::Success)
}

/// Service, then path in its model, to layer and place.
fn origins(args: &CompileArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let (sources, project) = checked(&args.path, terminal)?;
    let mut bindings = Bindings::first(&project);
    bindings.base_domain = profile(args.profile.as_deref())?.base_domain;
    // No value is printed here, so nothing has to be covered.
    match explain::origins(&project, &args.env, &bindings, &[]) {
        Ok(origins) => {
            print_json(&origins);
            Ok(Exit::Success)
        }
        Err(diagnostics) => Err(refused(&sources, diagnostics, terminal)),
    }
}

/// Project objects first, in the order in which they are applied.
pub(crate) fn objects(args: &CompileArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let proposal = propose(args, terminal)?;
    for object in proposal
        .project
        .objects
        .iter()
        .chain(proposal.environment.all_objects())
    {
        print(&yaml::document(&object.manifest));
    }
    Ok(Exit::Success)
}

/// The profile in a file; its defaults without one.
pub(crate) fn profile(file: Option<&Path>) -> anyhow::Result<ClusterProfile> {
    let Some(file) = file else {
        return Ok(ClusterProfile::default());
    };
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the cluster profile `{}`", file.display()))?;
    ClusterProfile::read(&text).with_context(|| {
        format!(
            "`{}` is no cluster profile (schemas/cluster-profile.v1.json)",
            file.display()
        )
    })
}

fn propose(args: &CompileArgs, terminal: Terminal) -> anyhow::Result<Proposal> {
    let (sources, project) = checked(&args.path, terminal)?;
    let profile = profile(args.profile.as_deref())?;
    let proposal = embedded::from_nothing(&sources, &project, &args.env, &profile, terminal)?;
    takeable(&proposal)?;
    Ok(proposal)
}

/// What no agent takes is not given out either; what depends on a cluster is told by plans alone.
fn takeable(proposal: &Proposal) -> anyhow::Result<()> {
    let sizes = [OBJECT_TOO_LARGE.code, BUNDLE_TOO_LARGE.code];
    let blocking = proposal.plan.blocking_findings();
    let said: Vec<String> = blocking
        .filter(|finding| sizes.contains(&finding.code.as_str()))
        .map(
            |Finding {
                 code, title, at, ..
             }| {
                let place = at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
                format!("{place}[{code}] {title}")
            },
        )
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    Err(Failure::because(Exit::Error, said.join("\n")))
}
