//! Which paths a web service answers, and where the others are sent.
//!
//! Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{
    EnvironmentState,
    model::{Redirect, Route, Web, Workload},
};

use super::{kind, name, rendered};
use crate::sample::{service_name, shop};

#[test]
fn a_path_is_answered_with_everything_below_it() {
    let state = with(|web| {
        web.routes = BTreeMap::from([
            ("/api".to_owned(), Route { strip_prefix: true }),
            (
                "/docs".to_owned(),
                Route {
                    strip_prefix: false,
                },
            ),
        ]);
    });
    let rules = routes(&state)[0].1["spec"]["rules"].clone();
    let backend = json!([{
        "group": "", "kind": "Service", "name": "storefront--production", "port": 8080, "weight": 1,
    }]);
    let rewrite = json!({ "path": { "type": "ReplacePrefixMatch", "replacePrefixMatch": "/" } });
    assert_eq!(
        rules,
        json!([
            {
                "matches": [{ "path": { "type": "PathPrefix", "value": "/api" } }],
                "filters": [{ "type": "URLRewrite", "urlRewrite": rewrite }],
                "backendRefs": backend,
            },
            {
                "matches": [{ "path": { "type": "PathPrefix", "value": "/docs" } }],
                "backendRefs": backend,
            },
        ])
    );
}

#[test]
fn a_redirect_is_of_its_path_alone_and_the_rest_is_answered() {
    let cases = [
        (
            "/new?from=old",
            json!({ "scheme": "https", "path": full("/new?from=old") }),
        ),
        (
            "https://docs.example",
            json!({ "scheme": "https", "hostname": "docs.example", "path": full("/") }),
        ),
        (
            "https://docs.example?all",
            json!({ "scheme": "https", "hostname": "docs.example", "path": full("/?all") }),
        ),
        (
            "http://docs.example:8080/a/b",
            json!({ "scheme": "http", "hostname": "docs.example", "port": 8080, "path": full("/a/b") }),
        ),
    ];
    for (to, mut target) in cases {
        let state = with(|web| {
            let redirect = Redirect {
                to: to.to_owned(),
                status: 308,
            };
            web.redirects = BTreeMap::from([("/old".to_owned(), redirect)]);
        });
        target["statusCode"] = json!(308);
        let rules = routes(&state)[0].1["spec"]["rules"].clone();
        assert_eq!(
            rules[0],
            json!({
                "matches": [{ "path": { "type": "Exact", "value": "/old" } }],
                "filters": [{ "type": "RequestRedirect", "requestRedirect": target }],
            }),
            "{to}"
        );
        let everything = json!([{ "path": { "type": "PathPrefix", "value": "/" } }]);
        assert_eq!(rules[1]["matches"], everything);
        assert!(rules[1].get("backendRefs").is_some() && rules.get(2).is_none());
    }
}

/// The platform host and 17 domains are 18 hosts, and 20 paths: two by two routes, and one for the
/// alias that redirects.
#[test]
fn what_one_route_cannot_hold_stands_in_further_ones() {
    let state = with(|web| {
        let first = web.domains[0].clone();
        web.domains.extend((0..16).map(|n| {
            let mut domain = first.clone();
            domain.host = format!("shop-{n}.example");
            domain.aliases.clear();
            domain
        }));
        web.routes = (0..20)
            .map(|n| {
                (
                    format!("/{n}"),
                    Route {
                        strip_prefix: false,
                    },
                )
            })
            .collect();
    });
    let routes = routes(&state);
    let sizes: Vec<(usize, usize)> = routes
        .iter()
        .map(|(_, route)| {
            let length = |field: &str| route["spec"][field].as_array().unwrap().len();
            (length("hostnames"), length("rules"))
        })
        .collect();
    assert_eq!(sizes, [(16, 16), (16, 4), (2, 16), (2, 4), (1, 1)]);
    let ends: Vec<&str> = routes
        .iter()
        .map(|(name, _)| name.rsplit('-').next().unwrap())
        .collect();
    assert_eq!(
        ends,
        [
            "production",
            "production.1",
            "production.2",
            "production.3",
            "production.4"
        ]
    );
}

fn full(path: &str) -> Value {
    json!({ "type": "ReplaceFullPath", "replaceFullPath": path })
}

fn with(change: impl FnOnce(&mut Web)) -> EnvironmentState {
    let mut state = shop();
    let Workload::Web(web) = &mut state.services[3].model.workload else {
        panic!("the storefront is a web service");
    };
    change(web);
    state
}

fn routes(state: &EnvironmentState) -> Vec<(String, Value)> {
    let rendered = rendered(state);
    let entry = rendered
        .environment
        .service(&service_name("storefront"))
        .unwrap();
    let routes = entry
        .objects
        .iter()
        .filter(|object| kind(object) == "HTTPRoute");
    routes
        .map(|route| (name(route).to_owned(), route.manifest.clone()))
        .collect()
}
