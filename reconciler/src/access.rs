//! Who may do what: one decision for every route.
//!
//! Pure. Always holds: what no line here allows is refused. What a caller may not even know of is
//! hidden (404); what it may know of and not do is forbidden (403).

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use starform_contract::{ClusterId, EnvironmentName, ProjectId};

use crate::{name::ResourceName, token::TokenId};

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub token: TokenId,
    pub scope: Scope,
}

/// What a token is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything but the agents' routes.
    Admin,
    /// Plans and applies of one project; `None`: all its environments.
    Ci {
        project: ProjectId,
        environments: Option<BTreeSet<EnvironmentName>>,
    },
    /// What a person may do in one project.
    User {
        person: ResourceName,
        project: ProjectId,
        role: Role,
    },
    /// The agent routes of one cluster.
    Agent(ClusterId),
}

/// Of a person in a project, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Approves what others plan.
    Admin,
    /// Plans and applies.
    Developer,
    /// Reads.
    Viewer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is `admin`, `developer` or `viewer`")]
pub struct NotARole;

/// Who somebody is, whichever token they come with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    Person(ResourceName),
    /// The holder of a token that names no person, by its id.
    Token(String),
}

/// What is asked for, on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// Workspaces, clusters, tokens; creating projects.
    Operate,
    /// A project, its plans, applies, status and history.
    Read(ProjectId),
    /// Making a plan, or applying one.
    Change(ProjectId, &'a EnvironmentName),
    /// Approving what somebody else planned.
    Approve(ProjectId),
    /// What a cluster's agent asks and reports.
    Agent(ClusterId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// The caller may know that it exists: 403.
    Forbid,
    /// As if it did not exist: 404.
    Hide,
}

pub fn allowed(scope: &Scope, action: Action<'_>) -> Decision {
    match (scope, action) {
        (
            Scope::Admin,
            Action::Operate | Action::Read(_) | Action::Change(..) | Action::Approve(_),
        ) => Decision::Allow,
        (Scope::Ci { project, .. }, Action::Approve(asked)) if *project == asked => {
            Decision::Forbid
        }
        (Scope::User { project, role, .. }, action) => of_user(*project, *role, action),
        (Scope::Ci { project, .. }, Action::Read(asked)) if *project == asked => Decision::Allow,
        (
            Scope::Ci {
                project,
                environments,
            },
            Action::Change(asked, environment),
        ) if *project == asked => {
            let inside = environments
                .as_ref()
                .is_none_or(|set| set.contains(environment));
            if inside {
                Decision::Allow
            } else {
                Decision::Forbid
            }
        }
        (Scope::Ci { .. }, Action::Operate) => Decision::Forbid,
        (Scope::Agent(own), Action::Agent(asked)) if *own == asked => Decision::Allow,
        (Scope::Admin, Action::Agent(_))
        | (
            Scope::Ci { .. },
            Action::Read(_) | Action::Change(..) | Action::Approve(_) | Action::Agent(_),
        )
        | (
            Scope::Agent(_),
            Action::Operate
            | Action::Read(_)
            | Action::Change(..)
            | Action::Approve(_)
            | Action::Agent(_),
        ) => Decision::Hide,
    }
}

fn of_user(own: ProjectId, role: Role, action: Action<'_>) -> Decision {
    let (project, roles): (_, &[Role]) = match action {
        Action::Operate => return Decision::Forbid,
        Action::Agent(_) => return Decision::Hide,
        Action::Read(project) => (project, &[Role::Admin, Role::Developer, Role::Viewer]),
        Action::Change(project, _) => (project, &[Role::Admin, Role::Developer]),
        Action::Approve(project) => (project, &[Role::Admin]),
    };
    if project != own {
        Decision::Hide
    } else if roles.contains(&role) {
        Decision::Allow
    } else {
        Decision::Forbid
    }
}

impl Actor {
    pub fn identity(&self) -> Identity {
        match &self.scope {
            Scope::User { person, .. } => Identity::Person(person.clone()),
            Scope::Admin | Scope::Ci { .. } | Scope::Agent(_) => {
                Identity::Token(self.token.to_string())
            }
        }
    }
}

impl fmt::Display for Identity {
    /// No person is called so that they look like a token: a name has no space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => name.fmt(f),
            Self::Token(id) => write!(f, "token {id}"),
        }
    }
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let mut all = [Self::Admin, Self::Developer, Self::Viewer].into_iter();
        all.find(|role| role.as_str() == text).ok_or(NotARole)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_truth_table() {
        let (own, other) = (
            ProjectId::new(Uuid::from_u128(1)),
            ProjectId::new(Uuid::from_u128(2)),
        );
        let (cluster, foreign) = (
            ClusterId::new(Uuid::from_u128(3)),
            ClusterId::new(Uuid::from_u128(4)),
        );
        let staging: EnvironmentName = "staging".parse().unwrap();
        let production: EnvironmentName = "production".parse().unwrap();
        let ci = |environments| Scope::Ci {
            project: own,
            environments,
        };
        let everywhere = ci(None);
        let staging_only = ci(Some(BTreeSet::from([staging.clone()])));
        let actions = [
            Action::Operate,
            Action::Read(own),
            Action::Read(other),
            Action::Change(own, &staging),
            Action::Change(own, &production),
            Action::Change(other, &staging),
            Action::Approve(own),
            Action::Approve(other),
            Action::Agent(cluster),
            Action::Agent(foreign),
        ];
        let user = |role| Scope::User {
            person: "ada".parse().unwrap(),
            project: own,
            role,
        };
        // A letter for each action: allowed, forbidden, hidden.
        for (scope, expected) in [
            (Scope::Admin, "AAAAAAAAHH"),
            (everywhere, "FAHAAHFHHH"),
            (staging_only, "FAHAFHFHHH"),
            (user(Role::Admin), "FAHAAHAHHH"),
            (user(Role::Developer), "FAHAAHFHHH"),
            (user(Role::Viewer), "FAHFFHFHHH"),
            (Scope::Agent(cluster), "HHHHHHHHAH"),
        ] {
            let got = actions.map(|action| match allowed(&scope, action) {
                Decision::Allow => 'A',
                Decision::Forbid => 'F',
                Decision::Hide => 'H',
            });
            assert_eq!(String::from_iter(got), expected, "{scope:?}");
        }
    }
}
