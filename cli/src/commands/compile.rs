//! `starform compile` and `starform render`: one environment as bundle or as Kubernetes objects.
//!
//! Effects: reads files, prints. The ids are those of embedded mode; nothing is asked of a cluster.

use std::{fs, path::Path};

use anyhow::Context;
use starform_contract::ClusterProfile;
use starform_dsl::{Bindings, explain};
use starform_plan::{propose::Proposal, yaml};

use super::{checked, print, print_json, refused};
use crate::{
    args::{BundleArgs, CompileArgs},
    embedded,
    exit::Exit,
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
    embedded::from_nothing(&sources, &project, &args.env, &profile, terminal)
}
