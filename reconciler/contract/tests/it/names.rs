//! Every name made from valid parts is valid for its Kubernetes kind, and no two meet.

use std::collections::BTreeSet;

use proptest::prelude::*;
use starform_contract::{
    Digest, EnvironmentName, GroupName, ObjectName, PartialName, ProjectId, ProjectName, ServiceId,
    ServiceName, VolumeName, name,
};

/// Of every length, the longest among them often.
fn service() -> impl Strategy<Value = ServiceName> {
    let short = "[a-z]([a-z0-9]|-[a-z0-9]){0,13}[a-z0-9]?";
    let longest = "[a-z][a-z0-9]([a-z0-9-][a-z0-9]){13}";
    prop_oneof![short, longest]
        .prop_filter_map("within the limit", |text| ServiceName::new(text).ok())
}

/// Which candidate for an object name: a service of previews has hundreds in its life.
fn candidate() -> impl Strategy<Value = u32> {
    prop_oneof![1u32..99, 99u32..1_200, Just(u32::MAX)]
}

fn environment() -> impl Strategy<Value = EnvironmentName> {
    "[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?".prop_map(|text| EnvironmentName::new(text).unwrap())
}

/// Names of a part of a project that begin alike and end apart, up to the greatest length.
fn alike(longest: usize) -> impl Strategy<Value = String> {
    (0..longest - 2, "[a-c][a-c1]?").prop_map(|(same, end)| format!("{}{end}", "a".repeat(same)))
}

/// Everything that the names of one environment's objects are made from.
fn parts() -> impl Strategy<Value = (ObjectName, EnvironmentName, VolumeName, GroupName)> {
    let object = (alike(28), candidate())
        .prop_map(|(name, n)| ObjectName::candidate(&ServiceName::new(name).unwrap(), n));
    let environment = prop_oneof![alike(30), "[a-c]{1,3}(--?[a-c1r]{1,4}){0,2}",]
        .prop_map(|name| EnvironmentName::new(name).unwrap());
    let volume = alike(31).prop_map(|name| VolumeName::new(name).unwrap());
    let group = alike(31).prop_map(|name| GroupName::new(name).unwrap());
    (object, environment, volume, group)
}

/// A label but for its length: Kubernetes bounds the whole of a subdomain alone.
fn is_shaped(text: &str) -> bool {
    let inner = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    !text.is_empty() && inner && !text.starts_with('-') && !text.ends_with('-')
}

fn is_label(text: &str) -> bool {
    is_shaped(text) && text.len() <= 63
}

/// Services had to begin with a letter (RFC 1035) before Kubernetes 1.36.
fn is_service_name(text: &str) -> bool {
    is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

proptest! {
    #[test]
    fn object_names_are_valid(service in service(), environment in environment(), n in candidate()) {
        let object = ObjectName::candidate(&service, n);
        let read: Result<ObjectName, _> = serde_json::from_value(serde_json::to_value(&object).unwrap());
        prop_assert_eq!(read.ok(), Some(object.clone()), "{} is not read back", object);
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

    /// Of one kind in one namespace, cut or not; a service's own Secret stands among those of groups.
    #[test]
    fn names_of_one_kind_never_meet(
        parts in proptest::collection::btree_set(parts(), 2..24),
        runs in proptest::collection::btree_set(any::<u64>(), 1..3),
    ) {
        let mut made = BTreeSet::new();
        let mut from = BTreeSet::new();
        let mut add = |kind: &'static str, limit: usize, name: String, source: String| {
            let valid = is_shaped(&name) && name.len() <= limit;
            from.insert((kind, source));
            made.insert((kind, name.clone()));
            valid.then_some(()).ok_or_else(|| TestCaseError::fail(format!("{kind} {name}")))
        };
        for (object, environment, volume, group) in &parts {
            let of_service = format!("{object}/{environment}");
            add("Secret", 63, name::service_object(object, environment), of_service.clone())?;
            add("Secret", 253, name::group_secret(group, environment), format!("vg {group}/{environment}"))?;
            add("CronJob", 52, name::cron_job(object, environment), of_service.clone())?;
            let claim = name::volume_claim(object, environment, volume);
            add("PersistentVolumeClaim", 63, claim, format!("{of_service}/{volume}"))?;
            for (runs, attempt) in runs.iter().flat_map(|runs| [1, 2, 4_294_967_295].map(|n| (runs, n))) {
                let runs = Digest::of_bytes(&runs.to_be_bytes());
                let job = name::release_job(object, environment, &runs, attempt);
                add("Job", 63, job, format!("{of_service}/{runs}/{attempt}"))?;
            }
        }
        add("Secret", 63, name::project_object("registry"), "registry".to_owned())?;
        prop_assert_eq!(made.len(), from.len(), "{:?}", made);
    }

    /// Across projects too: what the cluster, or the internet, has once.
    #[test]
    fn names_of_projects_never_meet(
        projects in proptest::collection::btree_set((alike(40), any::<u128>()), 2..6),
        parts in proptest::collection::btree_set(parts(), 1..6),
    ) {
        let (mut spaces, mut hosts, mut routes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let pairs: BTreeSet<_> = parts.iter().map(|(object, environment, ..)| (object, environment)).collect();
        for (project, id) in &projects {
            let (project, id) = (ProjectName::new(project.as_str()).unwrap(), ProjectId::new(uuid::Uuid::from_u128(*id)));
            let space = name::namespace(&project, id);
            prop_assert!(is_label(&space), "{}", space);
            spaces.insert(space);
            for (object, environment) in &pairs {
                // Two services of a project have two names, so an object name stands for its service here.
                let service = ServiceId::new(uuid::Uuid::new_v5(&uuid::Uuid::from_u128(7), format!("{id}{object}").as_bytes()));
                hosts.insert(name::platform_host(object, environment, id, service, "example.test"));
                for n in [0, 1, 12] {
                    let route = name::http_route(id, service, environment, n);
                    let parsed = name::parse_http_route(&route);
                    prop_assert_eq!(parsed, Some((id, service, (*environment).clone(), n)));
                    routes.insert(route);
                }
            }
        }
        prop_assert_eq!(spaces.len(), projects.len());
        prop_assert_eq!(hosts.len(), projects.len() * pairs.len());
        prop_assert_eq!(routes.len(), projects.len() * pairs.len() * 3);
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
        project in any::<u128>(), service_name in service(), environment in environment(), n in candidate(),
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

/// `printf WHOLE | cut -c 1-54`, `-`, `printf WHOLE | sha256sum | cut -c 1-8`; of a CronJob 43.
#[test]
fn what_is_too_long_is_cut_and_told_apart_by_its_digest() {
    let service = |name: &str, n| ObjectName::candidate(&ServiceName::new(name).unwrap(), n);
    let environment = |name: &str| EnvironmentName::new(name).unwrap();
    let volume = VolumeName::new("uploaded-documents-of-customers").unwrap();
    let long = environment("a-long-environment-name");
    assert_eq!(
        name::volume_claim(&service("checkout-callbacks", 2), &long, &volume),
        "checkout-callbacks-2--a-long-environment-name--uploade-c9219051"
    );
    let long = environment("a-long-environment-name-2");
    assert_eq!(
        name::cron_job(&service("payment-provider-callbacks-x", 1), &long),
        "payment-provider-callbacks-x--a-long-enviro-e0dc5fe2"
    );
    let fits = service("payment-provider-callbacks-x", 1);
    assert_eq!(
        name::cron_job(&fits, &environment("twenty-two-characters1")).len(),
        52
    );
}

/// Those that were given out before candidates had to fit stay what they were.
#[test]
fn the_longest_service_has_more_object_names_than_it_ever_needs() {
    let service = ServiceName::new("payment-provider-callbacks-x").unwrap();
    assert_eq!(service.as_str().len(), ServiceName::LONGEST);
    let candidates: Vec<_> = (1..=1_200)
        .map(|n| ObjectName::candidate(&service, n))
        .collect();
    let distinct: BTreeSet<_> = candidates.iter().collect();
    assert_eq!(distinct.len(), candidates.len());
    assert_eq!(candidates[0].as_str(), "payment-provider-callbacks-x");
    assert_eq!(candidates[98].as_str(), "payment-provider-callbacks-x-99");
    // printf payment-provider-callbacks-x-100 | sha256sum
    assert_eq!(candidates[99].as_str(), "payment-provider-callb-88d150f5");
    let short = ObjectName::candidate(&ServiceName::new("web").unwrap(), 1_000);
    assert_eq!(short.as_str(), "web-1000");
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
