//! Every name made from valid parts is valid for its Kubernetes kind, and no two meet.

use std::collections::BTreeSet;

use proptest::prelude::*;
use starform_contract::{
    EnvironmentName, GroupName, ObjectName, PartialName, ProjectId, ProjectName, ServiceId,
    ServiceName, VolumeName, name,
};

fn service() -> impl Strategy<Value = ServiceName> {
    "[a-z]([a-z0-9]|-[a-z0-9]){0,13}[a-z0-9]?"
        .prop_filter_map("within the limit", |text| ServiceName::new(text).ok())
}

fn environment() -> impl Strategy<Value = EnvironmentName> {
    "[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?".prop_map(|text| EnvironmentName::new(text).unwrap())
}

fn is_label(text: &str) -> bool {
    let inner = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    !text.is_empty() && text.len() <= 63 && inner && !text.starts_with('-') && !text.ends_with('-')
}

/// Services had to begin with a letter (RFC 1035) before Kubernetes 1.36.
fn is_service_name(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

proptest! {
    #[test]
    fn object_names_are_valid(service in service(), environment in environment(), n in 1u32..99) {
        let object = ObjectName::candidate(&service, n);
        let name = name::service_object(&object, &environment);
        prop_assert!(is_service_name(&name), "{}", name);
        let cron = name::cron_job(&object, &environment);
        prop_assert!(is_label(&cron) && cron.len() <= 52, "{}", cron);
    }

    #[test]
    fn object_names_tell_service_and_environment_apart(
        pairs in proptest::collection::btree_set((service(), environment()), 2..8),
    ) {
        let names: BTreeSet<String> = pairs
            .iter()
            .map(|(service, environment)| {
                name::service_object(&ObjectName::candidate(service, 1), environment)
            })
            .collect();
        prop_assert_eq!(names.len(), pairs.len());
    }

    #[test]
    fn routes_are_parsed_by_position(
        project in any::<u128>(), service_name in service(), environment in environment(), n in 0u32..5,
    ) {
        let project = ProjectId::new(uuid::Uuid::from_u128(project));
        let service = ServiceId::derive(project, &service_name, n);
        let route = name::http_route(project, service, &environment, n);
        prop_assert!(route.len() <= 253);
        prop_assert_eq!(name::parse_http_route(&route), Some((project, service, environment, n)));
    }

    #[test]
    fn platform_hosts_have_a_valid_first_label(
        project in any::<u128>(), service_name in service(), environment in environment(), n in 1u32..99,
    ) {
        let project = ProjectId::new(uuid::Uuid::from_u128(project));
        let service = ServiceId::derive(project, &service_name, 0);
        let object = ObjectName::candidate(&service_name, n);
        let host = name::platform_host(&object, &environment, project, service, "example.test");
        let label = host.strip_suffix(".example.test").unwrap();
        prop_assert!(is_label(label), "{}", label);
    }

    #[test]
    fn any_text_is_a_name_or_refused(text in "\\PC{0,50}") {
        let _ = (ProjectName::new(text.clone()), ServiceName::new(text.clone()));
        let groups = GroupName::new(text.clone()).is_ok();
        prop_assert_eq!(groups, PartialName::new(text.clone()).is_ok());
        prop_assert_eq!(groups, VolumeName::new(text.clone()).is_ok());
        let _ = EnvironmentName::new(text);
    }
}

#[test]
fn limits_and_shapes() {
    assert!(ProjectName::new("a".repeat(40)).is_ok());
    for bad in ["", "A", "1a", "a-", "a--b", "ä", &"a".repeat(41)] {
        assert!(ProjectName::new(bad).is_err(), "{bad}");
    }
    assert!(ServiceName::new("a".repeat(28)).is_ok());
    for bad in ["starform-x", "a_b", "-a", &"a".repeat(29)] {
        assert!(ServiceName::new(bad).is_err(), "{bad}");
    }
    assert!(EnvironmentName::new("1-a--b").is_ok());
    assert!(EnvironmentName::new("preview").unwrap().is_reserved());
    assert!(EnvironmentName::new("pr-7").unwrap().is_reserved());
    assert!(!EnvironmentName::new("pr-x").unwrap().is_reserved());
}

#[test]
fn the_longest_project_has_a_namespace_that_fits_a_label() {
    let project = ProjectName::new("a".repeat(40)).unwrap();
    assert!(is_label(&name::namespace(
        &project,
        ProjectId::local(&project)
    )));
}
