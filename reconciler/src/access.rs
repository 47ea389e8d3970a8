//! Who may do what: one decision for every route.
//!
//! Pure. Always holds: what no line here allows is refused. What a caller may not even know of is
//! hidden (404); what it may know of and not do is forbidden (403).

use std::collections::BTreeSet;

use starform_contract::{ClusterId, EnvironmentName, ProjectId};

use crate::token::TokenId;

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
    /// The agent routes of one cluster.
    Agent(ClusterId),
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
        (Scope::Admin, Action::Operate | Action::Read(_) | Action::Change(..)) => Decision::Allow,
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
        | (Scope::Ci { .. }, Action::Read(_) | Action::Change(..) | Action::Agent(_))
        | (
            Scope::Agent(_),
            Action::Operate | Action::Read(_) | Action::Change(..) | Action::Agent(_),
        ) => Decision::Hide,
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
        use Decision::{Allow, Forbid, Hide};
        let actions = [
            Action::Operate,
            Action::Read(own),
            Action::Read(other),
            Action::Change(own, &staging),
            Action::Change(own, &production),
            Action::Change(other, &staging),
            Action::Agent(cluster),
            Action::Agent(foreign),
        ];
        for (scope, expected) in [
            (
                Scope::Admin,
                [Allow, Allow, Allow, Allow, Allow, Allow, Hide, Hide],
            ),
            (
                everywhere,
                [Forbid, Allow, Hide, Allow, Allow, Hide, Hide, Hide],
            ),
            (
                staging_only,
                [Forbid, Allow, Hide, Allow, Forbid, Hide, Hide, Hide],
            ),
            (
                Scope::Agent(cluster),
                [Hide, Hide, Hide, Hide, Hide, Hide, Allow, Hide],
            ),
        ] {
            let got = actions.map(|action| allowed(&scope, action));
            assert_eq!(got, expected, "{scope:?}");
        }
    }
}
