//! What the benchmarks plan: a project of ten thousand objects, and the same with little or everything changed.
//!
//! Pure. Always holds: before and after are what the language, the names and the renderer make of a project's text; the
//! same every time, so figures of two runs are comparable. Read on in `time` and `memory`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Digest, EnvironmentState, Index, Origins, ProjectEntry,
    ProjectId,
};
use starform_dsl::{Bindings, Project, compile, emit, source::SourceTree};
use starform_plan::{
    AcceptedProject, Proposal, ProposeInput, bind_names,
    propose::propose,
    render::{Rendered, render},
};

/// In three environments, because a bundle has at most 8 MiB; seven objects each.
const SERVICES: usize = 480;
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "testing"];
const CLUSTER: &str = "6f1f1a52-7b1c-4f0e-9a55-2f8a3b7a9c11";

/// One service in how many has another image in the changed project.
#[derive(Clone, Copy)]
pub(crate) enum Changed {
    Nothing,
    OneInHundred,
    Everything,
}

pub(crate) fn plans(accepted: &AcceptedProject, after: Vec<Rendered>) -> Vec<Proposal> {
    let (origins, none, nothing) = (Origins::default(), BTreeSet::new(), BTreeSet::new());
    after
        .into_iter()
        .map(
            |Rendered {
                 project,
                 environment,
             }| {
                propose(ProposeInput {
                    accepted,
                    project,
                    environment,
                    origins: &origins,
                    revision: None,
                    only: None,
                    adopt: &none,
                    again: &nothing,
                    removed: &[],
                })
            },
        )
        .collect()
}

/// What a user runs: from the text of a project to the plans of its environments.
pub(crate) fn plans_of_text(accepted: &AcceptedProject, text: &str) -> Vec<Proposal> {
    let project = compiled(text);
    let profile = ClusterProfile::default();
    let first = Bindings::first(&project);
    let (none, nothing) = (BTreeSet::new(), BTreeSet::new());
    let plan = |environment| {
        let services = project.service_names_in(environment);
        let former = project.former_names();
        let bindings = Bindings {
            names: bind_names(first.project_id, accepted, &services, &former),
            ..first.clone()
        };
        let emitted = emit(&project, environment, &bindings).expect("a state");
        let Rendered {
            project,
            environment,
        } = render(&emitted.state, &profile);
        propose(ProposeInput {
            accepted,
            project,
            environment,
            origins: &emitted.origins,
            revision: None,
            only: None,
            adopt: &none,
            again: &nothing,
            removed: &emitted.state.removed,
        })
    };
    let environments = project.environments();
    environments
        .map(|(environment, _)| plan(environment))
        .collect()
}

/// An index, and the canonical text of what it names, as they are stored.
pub(crate) struct Stored {
    index: Index,
    project: ProjectId,
    bundles: BTreeMap<Digest, Vec<u8>>,
}

impl Stored {
    pub(crate) fn new(before: &[Rendered]) -> Self {
        let cluster = CLUSTER.parse::<ClusterId>().expect("a UUID");
        let own = &before[0].project;
        let environments = before.iter().map(|one| &one.environment);
        let entry = ProjectEntry {
            namespace: own.namespace.clone(),
            bundle: own.digest(),
            environments: environments
                .map(|one| (one.environment.clone(), one.digest()))
                .collect(),
            accepted: Vec::new(),
        };
        let bundles = before.iter().flat_map(|one| {
            [
                Bundle::Project(one.project.clone()),
                Bundle::Environment(one.environment.clone()),
            ]
        });
        Self {
            index: Index::empty(cluster).successor(BTreeMap::from([(own.project_id, entry)])),
            project: own.project_id,
            bundles: bundles
                .map(|bundle| (bundle.digest(), bundle.to_text()))
                .collect(),
        }
    }

    pub(crate) fn read(&self) -> AcceptedProject {
        AcceptedProject::from_index(&self.index, self.project, |digest| {
            let text = self.bundles.get(digest)?;
            serde_json::from_slice(text).ok()
        })
        .expect("all bundles")
    }
}

pub(crate) fn rendered(changed: Changed) -> Vec<Rendered> {
    let profile = ClusterProfile::default();
    states(changed)
        .iter()
        .map(|state| render(state, &profile))
        .collect()
}

pub(crate) fn states(changed: Changed) -> Vec<EnvironmentState> {
    let project = compiled(&project(changed));
    let bindings = Bindings::first(&project);
    project
        .environments()
        .map(|(environment, _)| {
            emit(&project, environment, &bindings)
                .expect("a state")
                .state
        })
        .collect()
}

fn compiled(text: &str) -> Project {
    let sources = SourceTree::single("starform.kdl", text);
    compile(&sources).project.expect("no errors")
}

/// What services mostly have; each is a Deployment with an account, a route, a Service, a NetworkPolicy, an autoscaler
/// and a disruption budget.
pub(crate) fn project(changed: Changed) -> String {
    let mut text = String::from("project shop contract=1 {\n");
    for environment in ENVIRONMENTS {
        let _ = writeln!(text, "  environment {environment} branch={environment}");
    }
    for index in 0..SERVICES {
        let moves = match changed {
            Changed::Nothing => false,
            Changed::OneInHundred => index % 100 == 7,
            Changed::Everything => true,
        };
        let digest = if moves { "1" } else { "0" }.repeat(64);
        let level = if moves { "debug" } else { "info" };
        let _ = write!(
            text,
            "
  web service-{index} {{
    image \"ghcr.io/acme/service-{index}@sha256:{digest}\"
    port 8080 name=http
    port 9090 name=grpc
    health ready=\"/readyz\" live=\"/healthz\" startup-within=\"90s\"
    size cpu=\"250m\" memory=\"512Mi\"
    scale min=3 max=12 cpu=65
    vars {{
      LOG_LEVEL {level}
      GREETING \"Hello \\\"world\\\"\\n\"
      LIMIT 1000
      RATIO \"0.75\"
      FEATURE #true
    }}
  }}
"
        );
    }
    text.push_str("}\n");
    text
}
