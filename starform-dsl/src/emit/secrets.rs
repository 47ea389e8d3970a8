//! What `(secret)` and `(generate)` become in one environment: a name and a version, or a stub.
//! Pure. Always holds: no value of a secret is here; a preview that does not inherit names no secret of anybody.
//! Read on in `starform_contract::secret` for versions and for the names of generated values.

use starform_contract::{
    EnvironmentName, GroupName, SecretName, SecretVersions,
    model::Variable,
    secret::{Generated, Holder},
};

use super::Bindings;
use crate::project::{Environment, Project, Secrets as Preview};

/// The secrets of one environment.
pub(super) struct Secrets<'b> {
    versions: &'b SecretVersions,
    environment: &'b EnvironmentName,
    from: From,
}

/// Where the values of named secrets come from.
enum From {
    Own,
    /// Another environment, which a preview inherits from.
    Other(EnvironmentName),
    Stub,
}

impl<'b> Secrets<'b> {
    pub(super) fn of(
        project: &Project,
        environment: &'b Environment,
        bindings: &'b Bindings,
    ) -> Self {
        let declared = project.environment(&environment.name).is_some();
        let preview = project.model.preview.as_ref().filter(|_| !declared);
        let from = match preview.map(|preview| (preview.secrets.value, &preview.from.value)) {
            None => From::Own,
            Some((Preview::Stub, _)) => From::Stub,
            Some((Preview::Inherit, from)) => {
                EnvironmentName::new(from.as_str()).map_or(From::Stub, From::Other)
            }
        };
        Self {
            versions: &bindings.secrets,
            environment: &environment.name,
            from,
        }
    }

    /// `group`: the Var Group that brings it.
    pub(super) fn named(&self, name: &SecretName, group: Option<&GroupName>) -> Variable {
        let (holder, environment) = match &self.from {
            From::Stub => return Variable::Literal(format!("stub-{name}")),
            From::Own => (self.environment, None),
            From::Other(other) => (other, Some(other.clone())),
        };
        Variable::Secret {
            secret: name.as_str().to_owned(),
            version: self
                .versions
                .current(Holder::Environment(holder), name.as_str()),
            group: group.cloned(),
            environment,
        }
    }

    /// Each environment has its own, a preview too.
    pub(super) fn generated(&self, place: Generated<'_>) -> Variable {
        let secret = place.name();
        let group = match place {
            Generated::Service(..) => None,
            Generated::Group(group, _) => Some(group.clone()),
        };
        Variable::Secret {
            version: self
                .versions
                .current(Holder::Environment(self.environment), &secret),
            secret,
            group,
            environment: None,
        }
    }
}
