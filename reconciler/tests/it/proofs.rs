//! Whether a host is its project's: what the DNS says, what a plan makes of it, and what is forgotten.

use axum::http::Method;
use serde_json::json;
use starform_contract::Bundle;
use starform_plan::document::{FindingSeverity, Plans};
use starform_reconciler::{store::GRACE, time::Timestamp};

use crate::world::{Place, World, on_both};

const HOST: &str = "shop.example";
const RECORD: &str = "_starform.shop.example";
const HOUR: i64 = 60 * 60 * 1000;

async fn planned(world: &World, place: &Place, lines: &str) -> Plans {
    let name = &place.project.name;
    let text = format!(
        "project {name} {{ environment production branch=main; web front {{ image \"a/b:1\"; port 80; {lines}; }}; }}"
    );
    let body = json!({"source": {"files": {"starform.kdl": text}}});
    let path = format!("/v1/projects/{}/plans?bundles=true", place.project.id);
    world.post(&world.admin, &path, &body).await.expect(201)
}

async fn apply(world: &World, plans: &Plans) {
    let path = format!("/v1/plans/{}/apply", plans.plans[0].plan_id);
    let applied = world
        .ask(Method::POST, Some(&world.admin), &path, &[], &json!({}))
        .await;
    assert_eq!(applied.status, 202, "{}", applied.text);
}

/// The hosts that the Gateway is told of, without the platform's.
fn routed(plans: &Plans) -> Vec<String> {
    let Some(Bundle::Environment(bundle)) = plans.bundles.get(&plans.plans[0].source.result) else {
        panic!("the plan's bundle")
    };
    let mut hosts = Vec::new();
    for object in bundle.all_objects() {
        if object.manifest["kind"] == "HTTPRoute" {
            let names = object.manifest["spec"]["hostnames"].as_array().unwrap();
            hosts.extend(names.iter().map(|host| host.as_str().unwrap().to_owned()));
        }
    }
    hosts.retain(|host| !host.ends_with(".starform.localhost"));
    hosts
}

/// What is said about hosts that are not shown to be the project's; each only warns.
fn warnings(plans: &Plans) -> Vec<&str> {
    let findings = plans.plans[0].findings.iter();
    findings
        .map(|finding| {
            assert_eq!(finding.code, "SF6118", "{finding:?}");
            assert_eq!(finding.severity, FindingSeverity::Warning);
            let at = finding.at.as_deref().unwrap();
            assert!(at.starts_with("starform.kdl:1:"), "{at}");
            finding.title.as_str()
        })
        .collect()
}

fn changed(plans: &Plans) -> Vec<&str> {
    let changes = plans.plans[0].objects.iter();
    changes.map(|change| change.key.kind.as_str()).collect()
}

/// Looks again when so many milliseconds have gone by.
async fn look_after(world: &World, milliseconds: i64) {
    let now = Timestamp::from_millis(Timestamp::now().millis() + milliseconds);
    let proofs = world.dns.proofs();
    world.store.look_at_hosts(&proofs, now).await.unwrap();
}

on_both! {
    async fn a_host_is_routed_once_its_record_is_there_and_left_out_when_it_is_gone(world: World) {
        let place = world.place("lemon").await;
        let domain = format!("domain \"{HOST}\"");
        let id = place.project.id.to_string();
        let first = planned(&world, &place, &domain).await;
        let [warning] = warnings(&first)[..] else { panic!("{:?}", first.plans[0].findings) };
        assert!(warning.contains(&format!("make the TXT record {RECORD} with the text {id}")), "{warning}");
        assert_eq!(routed(&first), [""; 0]);
        // It is applied without, and is the project's meanwhile.
        apply(&world, &first).await;
        world.dns.set(RECORD, &["another", &id.replace('-', "")]);
        assert_eq!(warnings(&planned(&world, &place, &domain).await).len(), 1);
        world.dns.set(RECORD, &["v=spf1 -all", &format!(" {id} ")]);
        let shown = planned(&world, &place, &domain).await;
        assert_eq!((warnings(&shown).len(), routed(&shown)), (0, vec![HOST.to_owned()]));
        assert_eq!(changed(&shown), ["HTTPRoute"]);
        apply(&world, &shown).await;
        // What is known to be shown is not asked for again.
        let asked = world.dns.asked();
        assert_eq!(changed(&planned(&world, &place, &domain).await), [""; 0]);
        assert_eq!(world.dns.asked(), asked);
        // A server that fails takes nothing away, however long it does.
        world.dns.fail(true);
        look_after(&world, 2 * GRACE).await;
        assert!(world.dns.asked() > asked);
        assert_eq!(changed(&planned(&world, &place, &domain).await), [""; 0]);
        // A record that is gone for good does.
        world.dns.fail(false);
        world.dns.set(RECORD, &[]);
        look_after(&world, 3 * GRACE).await;
        let lost = planned(&world, &place, &domain).await;
        assert_eq!((warnings(&lost).len(), routed(&lost).len()), (1, 0));
        assert_eq!(changed(&lost), ["HTTPRoute"]);
    }

    async fn a_record_may_be_away_for_a_while(world: World) {
        let place = world.place("lemon").await;
        let domain = format!("domain \"{HOST}\"");
        let id = place.project.id.to_string();
        world.dns.set(RECORD, &[&id]);
        // Shown before the project ever had the host.
        let plans = planned(&world, &place, &domain).await;
        assert_eq!(routed(&plans), [HOST]);
        apply(&world, &plans).await;
        world.dns.set(RECORD, &[]);
        for hours in [0, 2, 4, 71] {
            look_after(&world, hours * HOUR).await;
        }
        assert_eq!(changed(&planned(&world, &place, &domain).await), [""; 0]);
        // Back in time, so the days count anew.
        world.dns.set(RECORD, &[&id]);
        look_after(&world, GRACE + HOUR).await;
        world.dns.set(RECORD, &[]);
        look_after(&world, GRACE + 70 * HOUR).await;
        assert_eq!(changed(&planned(&world, &place, &domain).await), [""; 0]);
        look_after(&world, 2 * GRACE + 2 * HOUR).await;
        assert_eq!(changed(&planned(&world, &place, &domain).await), ["HTTPRoute"]);
    }

    async fn the_record_is_found_without_a_plan_too(world: World) {
        let place = world.place("lemon").await;
        let domain = format!("domain \"{HOST}\"");
        apply(&world, &planned(&world, &place, &domain).await).await;
        world.dns.set(RECORD, &[&place.project.id.to_string()]);
        look_after(&world, 0).await;
        let asked = world.dns.asked();
        // Once for the plan, once now; the platform's own host is nobody else's to show.
        assert_eq!(asked, 2);
        // A host whose turn it is not is left alone.
        look_after(&world, 0).await;
        let plans = planned(&world, &place, &domain).await;
        assert_eq!((routed(&plans), world.dns.asked()), (vec![HOST.to_owned()], asked));
    }

    async fn each_of_two_projects_shows_its_own_hosts(world: World) {
        let (one, other) = (world.place("lemon").await, world.place("walnut").await);
        world.dns.set(RECORD, &[&one.project.id.to_string()]);
        // The same record does not help another project, and an alias has its own.
        let domains = format!("domain \"{HOST}\" {{ alias \"www.{HOST}\"; }}");
        let theirs = planned(&world, &other, &domains).await;
        assert_eq!((warnings(&theirs).len(), routed(&theirs).len()), (2, 0));
        let ours = planned(&world, &one, &domains).await;
        let [warning] = warnings(&ours)[..] else { panic!("{:?}", ours.plans[0].findings) };
        assert!(warning.contains("_starform.www.shop.example"), "{warning}");
        assert_eq!(routed(&ours), [HOST]);
        // A wildcard's record is that of its zone.
        let zone = planned(&world, &one, "domain \"*.shop.example\"").await;
        assert_eq!(routed(&zone), ["*.shop.example"]);
    }
}

#[tokio::test]
async fn a_plan_waits_for_no_server_that_does_not_answer() {
    let mut world = World::sqlite().await;
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    world.dns = crate::dns::Dns::at(silent.local_addr().unwrap());
    let place = world.place("lemon").await;
    let domains: Vec<String> = (0..40)
        .map(|n| format!("domain \"h{n}.example\""))
        .collect();
    let started = std::time::Instant::now();
    let plans = planned(&world, &place, &domains.join("; ")).await;
    assert_eq!(warnings(&plans).len(), 40);
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(6), "{took:?}");
}
