//! `starform` without a control plane: in the folder of a project, against one cluster.

use std::process::Command;

use super::{
    cluster::Cluster,
    process::{Ran, run, starform},
    project::Project,
};

pub(crate) fn command(cluster: &Cluster, project: &Project) -> Command {
    let mut command = starform();
    command
        .env("KUBECONFIG", &cluster.kubeconfig)
        .current_dir(project.path());
    command
}

pub(crate) fn starform_in(cluster: &Cluster, project: &Project, words: &[&str]) -> Ran {
    run(command(cluster, project).args(words))
}

pub(crate) fn apply(cluster: &Cluster, project: &Project) -> Ran {
    starform_in(cluster, project, &["apply", "--auto-approve"])
}
