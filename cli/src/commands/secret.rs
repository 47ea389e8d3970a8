//! `starform secret …`: values go in, names and versions come out.
//!
//! Effects: reads standard input or the terminal, asks a control plane or the cluster, prints. Always
//! holds: a value is never an argument, never printed, never in an error, and wiped after it was
//! sent; the body of the request that carries it is freed unwiped.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{IsTerminal as _, Read as _, stdin},
};

use anyhow::{Context, bail};
use starform_contract::{
    EnvironmentName, EnvironmentState, ProjectId, ProjectName, SecretName,
    model::Variable,
    secret::{Scope, is_generated},
    spelling::instead,
};
use starform_dsl::{Bindings, describe};
use starform_reconciler::api::body::{Items, LONGEST_SECRET, PutSecret, Secret};
use zeroize::{Zeroize as _, Zeroizing};

use super::{admin, cluster::cluster_id, known};
use crate::{
    args::{Global, SecretCommand, SecretPlace},
    backend::project_id,
    embedded::Embedded,
    exit::{Exit, Failure},
    remote::{Remote, RemoteError, failure},
    sources,
    terminal::Terminal,
};

/// Who keeps the secrets that a command is about.
enum Keeper {
    /// The path of the collection on a control plane.
    Remote(Box<Remote>, String),
    /// The cluster; `None`: its own, not an environment's.
    Embedded(Box<Embedded>, Option<(ProjectId, EnvironmentName)>),
}

pub(crate) async fn run(
    command: SecretCommand,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    match command {
        SecretCommand::Set { name, place, value } => {
            refuse_arguments(&value, &name)?;
            let keeper = Keeper::of(&place, global, terminal).await?;
            let value = read_value(&name, terminal)?;
            let set = keeper.set(&name, value).await?;
            say!(
                "{} is kept as version {} in {}; `starform plan` shows what uses it",
                set.name,
                set.version,
                words(&place)
            );
            say_unused(&name, &place, terminal)?;
        }
        SecretCommand::List { place, format } => {
            let keeper = Keeper::of(&place, global, terminal).await?;
            let all = keeper.list().await?;
            admin::list(format, &all, all.items.iter().map(line));
        }
        SecretCommand::Rm { name, place } => {
            let keeper = Keeper::of(&place, global, terminal).await?;
            keeper.remove(&name, &place).await?;
            say!("no value of {name} is kept in {} any more", words(&place));
        }
    }
    Ok(Exit::Success)
}

impl Keeper {
    async fn of(place: &SecretPlace, global: &Global, terminal: Terminal) -> anyhow::Result<Self> {
        if let Some(cluster) = &place.cluster {
            return Self::of_cluster(cluster.as_deref(), global).await;
        }
        let environment = place
            .env
            .clone()
            .context("name an environment with --env, or say --cluster")?;
        let project = project(place, &environment, global, terminal)?;
        match &global.server {
            Some(server) => {
                let remote = Remote::new(server, global)?;
                let id = project_id(&remote, &project).await?;
                let path = format!("/v1/projects/{id}/environments/{environment}/secrets");
                Ok(Self::Remote(Box::new(remote), path))
            }
            None => {
                let place = (ProjectId::local(&project), environment);
                Ok(Self::embedded(global, Some(place)))
            }
        }
    }

    /// By name on a control plane; without one there is one cluster.
    async fn of_cluster(name: Option<&str>, global: &Global) -> anyhow::Result<Self> {
        match (&global.server, name) {
            (Some(_), Some(name)) => {
                let remote = admin::remote(global)?;
                let id = cluster_id(&remote, name).await?;
                let path = format!("/v1/clusters/{id}/secrets");
                Ok(Self::Remote(Box::new(remote), path))
            }
            (Some(_), None) => bail!(
                "--cluster needs the cluster's name; `starform cluster list` shows those that there are"
            ),
            (None, Some(name)) => bail!(
                "--cluster {name} names a cluster of a control plane; give --server too, or leave the name out for the kubeconfig's cluster"
            ),
            (None, None) => Ok(Self::embedded(global, None)),
        }
    }

    fn embedded(global: &Global, place: Option<(ProjectId, EnvironmentName)>) -> Self {
        let embedded = Embedded::new(global, &sources::folder(".".as_ref()));
        Self::Embedded(Box::new(embedded), place)
    }

    async fn set(&self, name: &SecretName, value: Zeroizing<String>) -> anyhow::Result<Secret> {
        match self {
            Self::Remote(remote, path) => remote
                .put(&format!("{path}/{name}"), &PutSecret { value })
                .await
                .map_err(failure),
            Self::Embedded(embedded, place) => {
                embedded.set_secret(kept_for(place), name, value).await
            }
        }
    }

    async fn list(&self) -> anyhow::Result<Items<Secret>> {
        match self {
            Self::Remote(remote, path) => remote.get(path).await.map_err(failure),
            Self::Embedded(embedded, place) => embedded.secrets(kept_for(place)).await,
        }
    }

    async fn remove(&self, name: &SecretName, place: &SecretPlace) -> anyhow::Result<()> {
        let removed = match self {
            Self::Remote(remote, path) => match remote.delete(&format!("{path}/{name}")).await {
                Ok(()) => true,
                Err(RemoteError::Problem(problem)) if problem.status == 404 => false,
                Err(error) => return Err(failure(error)),
            },
            Self::Embedded(embedded, place) => {
                embedded.remove_secret(kept_for(place), name).await?
            }
        };
        if removed {
            return Ok(());
        }
        let kept = self.list().await?;
        let names: Vec<&str> = kept.items.iter().map(|kept| kept.name.as_str()).collect();
        let message = format!(
            "no value of `{name}` is kept in {}; {}",
            words(place),
            instead(name.as_str(), &names)
        );
        Err(Failure::because(Exit::Error, message))
    }
}

fn kept_for(place: &Option<(ProjectId, EnvironmentName)>) -> Scope<'_> {
    match place {
        Some((project, environment)) => Scope::Environment(*project, environment),
        None => Scope::Cluster,
    }
}

/// The project that is named, or the one of the file here, which then must have the environment.
fn project(
    place: &SecretPlace,
    environment: &EnvironmentName,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<ProjectName> {
    if let Some(project) = &place.project {
        if global.server.is_none() {
            let message = "--project names a project of a control plane; give --server too, or leave it out and stand where starform.kdl is";
            return Err(Failure::because(Exit::Error, message));
        }
        return Ok(project.clone());
    }
    let (_, project) = known(".".as_ref(), terminal)?;
    let options = crate::args::PlanOptions {
        env: vec![environment.clone()],
        ..Default::default()
    };
    super::plan::check_options(&project, &options)?;
    Ok(project.name().clone())
}

/// A value that nothing asks for is kept all the same: it may be set before the file is written. Of a
/// project that is named and not the one here, nobody knows what its file asks for.
fn say_unused(name: &SecretName, place: &SecretPlace, terminal: Terminal) -> anyhow::Result<()> {
    let (Some(environment), None) = (&place.env, &place.project) else {
        return Ok(());
    };
    let (_, project) = known(".".as_ref(), terminal)?;
    let bindings = Bindings::first(&project);
    // What is wrong with the environment is for `starform plan` to say.
    let Ok(described) = describe(&project, environment, &bindings) else {
        return Ok(());
    };
    let wanted = wanted_secrets(&described.state);
    if wanted.contains(name.as_str()) {
        return Ok(());
    }
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let instead = match wanted.is_empty() {
        true => "it asks for none".to_owned(),
        false => instead(name.as_str(), &wanted),
    };
    say!("note: nothing in {environment} asks for `{name}` as starform.kdl is now; {instead}");
    Ok(())
}

/// Those that a person has to set.
fn wanted_secrets(state: &EnvironmentState) -> BTreeSet<&str> {
    let own = state.services.iter().map(|service| &service.model.vars);
    let variables = own.chain(state.groups.values()).flat_map(BTreeMap::values);
    let names = variables.filter_map(|variable| match variable {
        Variable::Secret {
            secret,
            environment,
            ..
        } if environment
            .as_ref()
            .is_none_or(|of| *of == state.environment) =>
        {
            Some(secret.as_str())
        }
        Variable::Secret { .. } | Variable::Literal(_) => None,
    });
    names.filter(|name| !is_generated(name)).collect()
}

/// What stands on a command line stands in histories and process lists.
fn refuse_arguments(value: &[std::ffi::OsString], name: &SecretName) -> anyhow::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let message = format!(
        "a value is never an argument: it would stand in the shell's history and in process lists; write `starform secret set {name} … < FILE`, or let it ask. If what you wrote was the value, change it where it comes from"
    );
    Err(Failure::because(Exit::Error, message))
}

fn read_value(name: &SecretName, terminal: Terminal) -> anyhow::Result<Zeroizing<String>> {
    let value = if terminal.interactive {
        let prompt = format!("value of {name} (not shown): ");
        Zeroizing::new(rpassword::prompt_password(prompt).context("cannot ask for the value")?)
    } else if stdin().is_terminal() {
        let message =
            "the value comes from standard input: `starform secret set NAME --env ENV < FILE`";
        return Err(Failure::because(Exit::Error, message));
    } else {
        piped()?
    };
    if value.is_empty() || value.contains('\0') {
        let message = "the value is empty or holds a NUL character, which no variable can hold; nothing was changed";
        return Err(Failure::because(Exit::Error, message));
    }
    if value.len() > LONGEST_SECRET {
        let message =
            format!("the value is longer than {LONGEST_SECRET} bytes; nothing was changed");
        return Err(Failure::because(Exit::Error, message));
    }
    Ok(value)
}

/// Editors and `echo` end a file with a newline that is not part of the value.
fn piped() -> anyhow::Result<Zeroizing<String>> {
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_SECRET + 3));
    let limit = u64::try_from(LONGEST_SECRET + 3).unwrap_or(u64::MAX);
    stdin()
        .take(limit)
        .read_to_end(&mut bytes)
        .context("cannot read the value from standard input")?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            let message = "the value is not UTF-8 text; encode it, for example with base64, and let the program decode it";
            Err(Failure::because(Exit::Error, message))
        }
    }
}

fn words(place: &SecretPlace) -> String {
    match (&place.cluster, &place.env) {
        (Some(Some(cluster)), _) => format!("cluster {cluster}"),
        (Some(None), _) => "the cluster".to_owned(),
        (None, Some(environment)) => environment.to_string(),
        (None, None) => String::new(),
    }
}

/// `stripe-api-key  version 3  2026-11-21T19:00:00Z  by 4fk…`
fn line(secret: &Secret) -> String {
    let mut line = format!(
        "{}  version {}  {}",
        secret.name, secret.version, secret.set_at
    );
    if secret.generated {
        line += "  generated";
    }
    if let Some(by) = &secret.set_by {
        line += &format!("  by {by}");
    }
    line
}
