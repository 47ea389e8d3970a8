//! Services that share a host by path, what a plan says of paths that open, and hosts of other projects.
//!
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    EnvironmentState, Origins, ProjectId, ProjectName, ServiceId, ServiceState,
    model::{AllowFrom, Redirect, Route, Web, Workload},
};
use starform_plan::{
    Refusal,
    document::{FindingSeverity, Plan, Risk},
    hosts::OthersHosts,
    view::{TextOptions, text},
};

use super::world::{Asked, World};
use crate::sample::{self, service_name};

#[test]
fn services_of_one_environment_share_a_host_by_path() {
    let plan = plan(&two(&["/docs"], &["/api", "/v2"]));
    assert_eq!(plan.blocking_findings().count(), 0);
    let nothing_and_api = two(&[], &["/api"]);
    let plan = self::plan(&nothing_and_api);
    assert_eq!(plan.blocking_findings().count(), 0);
}

#[test]
fn a_path_of_a_host_has_one_service() {
    for (one, other) in [
        (&["/api", "/docs"][..], &["/api"][..]),
        (&[], &[]),
        (&["/"], &[]),
    ] {
        let plan = plan(&two(one, other));
        let blocking = plan.blocking_findings();
        let titles: Vec<&str> = blocking.map(|f| f.title.as_str()).collect();
        let [title] = titles.as_slice() else {
            panic!("{one:?} {other:?}: {titles:?}")
        };
        assert!(title.contains("the host shop.example"), "{title}");
    }
    let mut state = two(&["/docs"], &["/api"]);
    for service in &mut state.services {
        if let Workload::Web(web) = &mut service.model.workload {
            let redirect = Redirect {
                to: "/".to_owned(),
                status: 302,
            };
            web.redirects = BTreeMap::from([("/old".to_owned(), redirect)]);
        }
    }
    let plan = plan(&state);
    assert_eq!(plan.blocking_findings().count(), 1, "a redirect of both");
}

#[test]
fn a_path_that_opens_is_a_widening_and_one_that_closes_is_not() {
    let api = two(&["/docs"], &["/api"]);
    let more = two(&["/docs"], &["/admin", "/api"]);
    let below = two(&["/docs"], &["/api", "/api/v2"]);
    let change = |before: &EnvironmentState, after: &EnvironmentState| {
        World::having(before).propose(after).plan
    };
    let opened = change(&api, &more);
    assert_eq!(opened.summary.risk, Risk::Widen);
    let words: Vec<&str> = opened.services[0]
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(words, ["routes./admin"]);
    let options = TextOptions {
        width: 100,
        color: false,
        full: false,
    };
    let page = text(&[opened], &options);
    assert!(page.contains("! opens the path /admin\n"), "{page}");
    assert_eq!(change(&more, &api).summary.risk, Risk::Update);
    assert_eq!(change(&api, &below).summary.risk, Risk::Update);
    let everything = two(&["/docs"], &["/"]);
    assert_eq!(change(&api, &everything).summary.risk, Risk::Widen);
}

/// One line for each finding about a host: `blocking` or `warning`, and its title.
fn told(plan: &Plan) -> Vec<String> {
    let findings = plan.findings.iter();
    findings
        .map(|finding| {
            assert_eq!(finding.code, "SF6114", "{finding:?}");
            let at = finding.at.as_deref();
            assert_eq!(at, Some("starform.kdl:9:7"), "{finding:?}");
            let severity = match finding.severity {
                FindingSeverity::Blocking => "blocking",
                FindingSeverity::Approval => "approval",
                FindingSeverity::Warning => "warning",
            };
            format!("{severity}: {}", finding.title)
        })
        .collect()
}

/// The storefront of a project alone, on one domain.
fn having(project: &str, host: &str, verified: bool) -> EnvironmentState {
    let mut state = sample::shop();
    state.project = ProjectName::new(project).unwrap();
    state.project_id = ProjectId::local(&state.project);
    let mut storefront = state.services.remove(3);
    storefront.model.refs.clear();
    storefront.model.vars.clear();
    let service = web(&mut storefront);
    service.domains.truncate(1);
    service.domains[0].aliases.clear();
    service.domains[0].host = host.to_owned();
    service.domains[0].verified = verified;
    service.allow_from = AllowFrom::Environment;
    state.services = vec![storefront];
    state.removed.clear();
    state
}

fn asked(host: &str) -> Asked {
    let path = format!("domains[{host}]");
    let places = BTreeMap::from([(path, "starform.kdl:9:7".to_owned())]);
    let origins = Origins(BTreeMap::from([(service_name("storefront"), places)]));
    Asked {
        origins,
        ..Asked::default()
    }
}

#[test]
fn a_host_of_another_project_is_refused_where_it_stands() {
    let taken = |theirs: &str, ours: &str| {
        let world = World::having(&having("lemon", theirs, true));
        told(
            &world
                .propose_asked(&having("walnut", ours, true), &asked(ours))
                .plan,
        )
    };
    let next = "use another host, or have that project give it up first";
    assert_eq!(
        taken("app.example", "app.example"),
        [format!(
            "blocking: the host app.example belongs to the project lemon; {next}"
        )]
    );
    for (theirs, ours) in [
        ("*.app.example", "www.app.example"),
        ("*.app.example", "a.b.app.example"),
        ("*.app.example", "*.b.app.example"),
        ("www.app.example", "*.app.example"),
        ("a.b.app.example", "*.app.example"),
        ("*.b.app.example", "*.app.example"),
    ] {
        let title = format!(
            "blocking: the host {ours} belongs to the project lemon, which has {theirs}; {next}"
        );
        assert_eq!(taken(theirs, ours), [title]);
    }
    for (theirs, ours) in [
        ("*.app.example", "app.example"),
        ("*.app.example", "*.example.org"),
        ("app.example", "*.app.example"),
        ("app.example", "my-app.example"),
        ("*.app.example", "www.my-app.example"),
    ] {
        assert_eq!(taken(theirs, ours), [""; 0], "{theirs} {ours}");
    }
}

#[test]
fn a_host_that_was_taken_since_the_plan_is_refused_when_it_is_accepted() {
    let mut world = World::new();
    let [ours, theirs] = ["walnut", "lemon"].map(|name| having(name, "app.example", true));
    let proposal = world.propose(&ours);
    world.accept(&world.propose(&theirs)).unwrap();
    let refusal = world.accept(&proposal).unwrap_err();
    assert!(matches!(refusal, Refusal::CrossCheck(_)), "{refusal}");
    let said = refusal.to_string();
    assert!(
        said.contains("SF6114: the host app.example belongs to the project lemon"),
        "{said}"
    );
    world
        .accept(&world.propose(&having("lemon", "other.example", true)))
        .unwrap();
    assert!(world.accept(&world.propose(&ours)).unwrap());
}

#[test]
fn what_a_project_has_of_a_host_it_keeps_and_hears_of() {
    let others = OthersHosts::of_nobody(BTreeSet::from(["app.example".to_owned()]));
    let told = |before: bool, after: bool| {
        let world = World::having(&having("walnut", "app.example", before));
        let wanted = having("walnut", "app.example", after);
        let accepted = world
            .accepted(wanted.project_id)
            .with_others(others.clone());
        let asked = asked("app.example");
        told(&world.propose_on(&accepted, &wanted, &asked).plan)
    };
    assert_eq!(
        told(false, false),
        [
            "warning: the host app.example is not routed, since it belongs to another project; use another host"
        ]
    );
    assert!(told(false, true)[0].starts_with("blocking: "));
    assert!(told(true, false)[0].starts_with("warning: "));
    assert_eq!(
        told(true, true),
        [
            "warning: the host app.example belongs to another project too, and one of the two gets its requests; leave it to one of them"
        ]
    );
}

fn plan(state: &EnvironmentState) -> Plan {
    World::new().propose(state).plan
}

/// The storefront and one more web service, `window`, on the storefront's domain.
fn two(storefront: &[&str], window: &[&str]) -> EnvironmentState {
    let mut state = sample::shop();
    let mut second: ServiceState = state.services[3].clone();
    second.name = service_name("window");
    second.object_name = starform_contract::ObjectName::candidate(&second.name, 1);
    second.service_id = ServiceId::derive(state.project_id, &second.name, 0);
    web(&mut second).domains[0].aliases.clear();
    web(&mut second).domains.truncate(1);
    web(&mut second).routes = routes(window);
    web(&mut state.services[3]).routes = routes(storefront);
    state.names.push(starform_contract::NameEntry {
        name: second.name.clone(),
        service_id: second.service_id,
        object_name: second.object_name.clone(),
        ..state.names[3].clone()
    });
    web(&mut second).platform_host = "window-production-00000000.starform.localhost".to_owned();
    state.services.push(second);
    state
}

fn web(service: &mut ServiceState) -> &mut Web {
    match &mut service.model.workload {
        Workload::Web(web) => web,
        Workload::Private(_) | Workload::Worker(_) | Workload::Cron(_) => panic!("a web service"),
    }
}

fn routes(paths: &[&str]) -> BTreeMap<String, Route> {
    let route = Route {
        strip_prefix: false,
    };
    paths
        .iter()
        .map(|path| ((*path).to_owned(), route))
        .collect()
}
