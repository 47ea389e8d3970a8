//! Services that share a host by path, and what a plan says of paths that open.
//!
//! Pure.

use std::collections::BTreeMap;

use starform_contract::{
    EnvironmentState, ServiceId, ServiceState,
    model::{Redirect, Route, Web, Workload},
};
use starform_plan::{
    document::{Plan, Risk},
    view::{TextOptions, text},
};

use super::world::World;
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
