//! Which objects an agent believes to belong to the entry that they stand in: every label of the tenant key counts.
//!
//! Pure.

use serde_json::Value;
use starform_contract::{Bundle, Object};
use starform_shuttle::trust::{Distrust, Misfit, check_bundle};

use crate::shell_shop::{Shop, nothing};

/// Of a project's own object, of an environment's, of a service's: each has one more.
const LABELS: [&str; 5] = [
    "app.kubernetes.io/managed-by",
    "starform.io/workspace-id",
    "starform.io/project-id",
    "starform.io/environment",
    "starform.io/service-id",
];

#[derive(Debug, Clone, Copy)]
enum Scope {
    Project,
    Environment,
    Service,
}

impl Scope {
    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Project => &LABELS[..3],
            Self::Environment => &LABELS[..4],
            Self::Service => &LABELS,
        }
    }

    fn object(self, bundle: &mut Bundle) -> Option<&mut Object> {
        match (self, bundle) {
            (Self::Project, Bundle::Project(own)) => own.objects.first_mut(),
            (Self::Environment, Bundle::Environment(own)) => own.objects.first_mut(),
            (Self::Service, Bundle::Environment(own)) => own.services[0].objects.first_mut(),
            (Self::Project, Bundle::Environment(_))
            | (Self::Environment | Self::Service, Bundle::Project(_)) => None,
        }
    }
}

/// The bundle with this label of one object of the scope removed or changed; digests are right.
fn with_label(bundle: &Bundle, scope: Scope, label: &str, value: Option<Value>) -> Bundle {
    let mut bundle = bundle.clone();
    let object = scope.object(&mut bundle).unwrap();
    let mut manifest = object.manifest.clone();
    let labels = manifest["metadata"]["labels"].as_object_mut().unwrap();
    assert!(labels.remove(label).is_some(), "{scope:?} {label}");
    labels.extend(value.map(|value| (label.to_owned(), value)));
    *object = Object::new(manifest, object.wave, object.deletion);
    bundle
}

#[test]
fn every_label_of_the_tenant_key_must_be_right() {
    let desired = Shop::new("trust", &[("one", "a:1")]).after(&nothing());
    let mut tried = 0;
    for scope in [Scope::Project, Scope::Environment, Scope::Service] {
        let of_scope = |bundle: &&Bundle| scope.object(&mut (*bundle).clone()).is_some();
        let mut bundles = desired.bundles.values().map(|bundle| &**bundle);
        let bundle = bundles.find(of_scope).unwrap();
        assert_eq!(check_bundle(bundle, &bundle.digest()), Ok(()));
        for expected in scope.labels() {
            let changed = Value::from("00000000-0000-4000-8000-000000000001");
            for value in [None, Some(changed), Some(Value::from(1)), Some(Value::Null)] {
                let wrong = with_label(bundle, scope, expected, value.clone());
                let refused = check_bundle(&wrong, &wrong.digest());
                let named = matches!(
                    &refused,
                    Err(Distrust::Object { why: Misfit::Label { label, .. }, .. }) if label == expected
                );
                assert!(named, "{scope:?} {expected} {value:?}: {refused:?}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 4 * (3 + 4 + 5));
}
