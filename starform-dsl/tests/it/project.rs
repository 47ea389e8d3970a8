//! What the other tests of the language share: a text to its project, and bindings made by hand.
//! Pure.
//! Read on in `emission` for what comes out.

use std::collections::BTreeMap;

use starform_contract::{
    EnvironmentState, NameEntry, ObjectName, ProjectId, ServiceId, ServiceName, WorkspaceId,
};
use starform_dsl::{
    Bindings, Compiled, Emitted, Project, VerifiedHosts, compile, emit, source::SourceTree,
};

pub(crate) fn compiled(text: &str) -> Compiled {
    compile(&SourceTree::single("starform.kdl", text))
}

/// The project of a text without errors.
pub(crate) fn project(text: &str) -> Project {
    let compiled = compiled(text);
    let said: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|d| format!("{}: {} ({:?})", d.code, d.title, d.help))
        .collect();
    compiled
        .project
        .unwrap_or_else(|| panic!("no project: {said:#?}"))
}

/// First incarnations under their own names.
pub(crate) fn bindings(project: &Project) -> Bindings {
    let project_id = ProjectId::local(project.name());
    let entry = |name: &ServiceName| NameEntry {
        name: name.clone(),
        incarnation: 0,
        service_id: ServiceId::derive(project_id, name, 0),
        object_name: ObjectName::candidate(name, 1),
        retired: false,
    };
    Bindings {
        workspace_id: WorkspaceId::local(),
        project_id,
        tier: "standard".to_owned(),
        names: project.services().map(entry).collect(),
        base_domain: "starform.localhost".to_owned(),
        images: BTreeMap::new(),
        hosts: VerifiedHosts::All,
    }
}

pub(crate) fn emitted(text: &str, environment: &str) -> Emitted {
    let project = project(text);
    let environment = environment.parse().expect("a name");
    emit(&project, &environment, &bindings(&project)).expect("an environment of the project")
}

pub(crate) fn state(text: &str, environment: &str) -> EnvironmentState {
    emitted(text, environment).state
}
