//! Whether a project fits its tier, in a plan and again at accept.
//!
//! Pure.

use std::collections::BTreeMap;

use starform_contract::{
    EnvironmentState, VolumeName,
    model::{Overlap, Release, Scale, Volume, Workload},
    quantity::{Cpu, Duration, Memory},
    state::{Data, Removed},
};
use starform_plan::{
    Refusal,
    document::{Finding, FindingSeverity},
};

use super::{
    volumes::with_volumes,
    world::{World, environment},
};
use crate::sample::{self, service_name};

/// Only the mailer, a worker of `cpu` thousandths and 256Mi, `scale` times.
fn mailer(environment_name: &str, scale: u32, cpu: u64) -> EnvironmentState {
    let mut state = sample::shop();
    state.environment = environment(environment_name);
    state
        .services
        .retain(|service| service.name.as_str() == "mailer");
    state.groups = BTreeMap::new();
    let model = &mut state.services[0].model;
    model.size.cpu = Cpu::from_millicores(cpu);
    model.size.memory = Memory::from_bytes(256 << 20);
    let Workload::Worker(worker) = &mut model.workload else {
        panic!("the mailer is a worker")
    };
    worker.scale = Scale::fixed(scale);
    state
}

fn quota(quota: &str) -> World {
    World::of_tiers(&format!(r#"{{"standard":{{"quota":{quota}}}}}"#))
}

fn findings(world: &World, state: &EnvironmentState) -> Vec<Finding> {
    world.propose(state).plan.findings
}

/// Whether a quota of `n` fits and one of `n - 1` does not.
fn needs_exactly(state: &EnvironmentState, resource: &str, n: u64) {
    let said = |n: u64| findings(&quota(&format!(r#"{{"{resource}":{n}}}"#)), state);
    assert_eq!(said(n), vec![], "{resource} {n}");
    let less = said(n - 1);
    assert_eq!(less.len(), 1, "{resource} {n}");
    assert_eq!(less[0].code, "SF6106");
}

#[test]
fn a_rollout_counts_a_quarter_more_and_at_least_one() {
    for (scale, pods) in [(1, 2), (4, 5), (5, 7), (8, 10)] {
        needs_exactly(&mailer("production", scale, 100), "pods", pods);
    }
}

#[test]
fn a_release_counts_and_a_volume_leaves_out_the_rollout() {
    let mut state = mailer("production", 1, 100);
    let Workload::Worker(worker) = &mut state.services[0].model.workload else {
        panic!("the mailer is a worker")
    };
    worker.running.release = Some(Release {
        run: vec!["migrate".to_owned()],
        attempt: Release::FIRST_ATTEMPT,
        timeout: Duration::from_secs(60),
    });
    needs_exactly(&state, "pods", 3);
    let Workload::Worker(worker) = &mut state.services[0].model.workload else {
        panic!("the mailer is a worker")
    };
    let volume = Volume {
        mount: "/data".to_owned(),
        size: Memory::from_bytes(10 << 30),
        class: None,
    };
    worker.running.volumes = BTreeMap::from([(VolumeName::new("data").unwrap(), volume)]);
    needs_exactly(&state, "pods", 2);
    let said = findings(&quota(r#"{"storage":"9Gi"}"#), &state);
    assert_eq!(
        said[0].title,
        "shop may need 10Gi on volumes, and its tier standard has 9Gi: mailer in production 10Gi; make volumes smaller before they are made, or ask the platform's operator for a larger tier"
    );
    assert_eq!(
        findings(&quota(r#"{"storage":"10Gi","volumes":1}"#), &state),
        vec![]
    );
}

/// What stays in the cluster takes up the quota there, so a new volume may not fit beside it.
#[test]
fn volumes_that_are_left_behind_count_until_they_are_destroyed() {
    let quota = r#"{"standard":{"quota":{"storage":"20Gi","volumes":2}}}"#;
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    world.profile = World::of_tiers(quota).profile;
    let over = |world: &World, state: &EnvironmentState| -> Vec<(FindingSeverity, String)> {
        let said = findings(world, state).into_iter();
        let over = said.filter(|finding| finding.code == "SF6106");
        over.map(|finding| (finding.severity, finding.title))
            .collect()
    };
    // To leave it behind asks for no more, and whatever is declared again counts once.
    let left = world.propose(&with_volumes(&[("next", 10)]));
    assert_eq!(over(&world, &with_volumes(&[("next", 10)])), vec![]);
    world.accept(&left).unwrap();
    let both = with_volumes(&[("data", 10), ("next", 10)]);
    assert_eq!(over(&world, &both), vec![]);
    let larger = over(&world, &with_volumes(&[("next", 11)]));
    assert_eq!(
        larger,
        [(
            FindingSeverity::Blocking,
            "shop may need 21Gi on volumes, and its tier standard has 20Gi: catalog in production 11Gi, catalog.data left behind in production 10Gi; make volumes smaller before they are made, write `removed volume catalog.data data=destroy`, or ask the platform's operator for a larger tier".to_owned()
        )]
    );
    let third = over(&world, &with_volumes(&[("next", 5), ("third", 5)]));
    assert!(
        third.iter().any(|(severity, title)| {
            *severity == FindingSeverity::Blocking && title.contains("may need 3 volumes")
        }),
        "{third:?}"
    );
    // It counts in every environment of the project, and no more once it is destroyed.
    let mut staging = with_volumes(&[("other", 1)]);
    staging.environment = environment("staging");
    assert_eq!(over(&world, &staging).len(), 2);
    let destroyed = Removed {
        service: sample::service_name("catalog"),
        volume: Some(VolumeName::new("data").unwrap()),
        data: Data::Destroy,
    };
    let mut state = with_volumes(&[("next", 20)]);
    state.removed.push(destroyed);
    assert_eq!(over(&world, &state), vec![]);
}

#[test]
fn cron_jobs_count_as_often_as_their_runs_overlap() {
    let mut state = sample::shop();
    state
        .services
        .retain(|service| service.name.as_str() == "report");
    state.groups = BTreeMap::new();
    for (overlap, schedule, timeout, runs) in [
        (Overlap::Forbid, "* * * * *", 3600, 1),
        (Overlap::Replace, "* * * * *", 3600, 2),
        (Overlap::Allow, "*/15 * * * *", 3600, 4),
        (Overlap::Allow, "*/15 * * * *", 3601, 5),
        (Overlap::Allow, "0 3 * * *", 3600, 1),
    ] {
        let Workload::Cron(cron) = &mut state.services[0].model.workload else {
            panic!("the report is a cron job")
        };
        cron.overlap = overlap;
        cron.schedule = schedule.to_owned();
        cron.timeout = Duration::from_secs(timeout);
        if runs == 1 {
            let one = quota(r#"{"pods":1}"#);
            assert_eq!(findings(&one, &state), vec![]);
        } else {
            needs_exactly(&state, "pods", runs);
        }
    }
}

#[test]
fn the_sum_is_over_environments_and_names_the_largest() {
    // 4 + 1 of 1 CPU.
    let mut world = quota(r#"{"cpu":"8"}"#);
    world
        .accept(&world.propose(&mailer("staging", 4, 1000)))
        .unwrap();
    let proposal = world.propose(&mailer("production", 3, 1000));
    assert_eq!(
        proposal.plan.findings[0].title,
        "shop may need 9 CPU, and its tier standard has 8: mailer in staging 5, mailer in production 4; lower `scale` or the cpu of `size`, or ask the platform's operator for a larger tier"
    );
    let refusal = world.accept(&proposal).unwrap_err();
    assert!(matches!(refusal, Refusal::Blocked(_)), "{refusal}");
    assert_eq!(findings(&world, &mailer("production", 2, 1000)), vec![]);
}

#[test]
fn two_plans_that_fit_alone_do_not_fit_together() {
    let mut world = quota(r#"{"memory":"1Gi"}"#);
    let staging = world.propose(&mailer("staging", 2, 100));
    let production = world.propose(&mailer("production", 2, 100));
    assert_eq!(staging.plan.findings, vec![]);
    assert_eq!(production.plan.findings, vec![]);
    world.accept(&staging).unwrap();
    let refusal = world.accept(&production).unwrap_err();
    assert!(matches!(refusal, Refusal::CrossCheck(_)), "{refusal}");
    let said = refusal.to_string();
    assert!(said.contains("shop may need 1536Mi of memory"), "{said}");
}

#[test]
fn a_smaller_quota_only_warns_of_what_is_there_already() {
    let mut world = quota(r#"{"cpu":"8"}"#);
    world
        .accept(&world.propose(&mailer("production", 4, 1000)))
        .unwrap();
    world.profile = quota(r#"{"cpu":"2"}"#).profile;
    let shrink = world.propose(&mailer("production", 3, 1000));
    assert_eq!(shrink.plan.findings[0].severity, FindingSeverity::Warning);
    assert!(world.accept(&shrink).unwrap());
    let grow = world.propose(&mailer("production", 4, 1000));
    assert_eq!(grow.plan.findings[0].severity, FindingSeverity::Blocking);
}

#[test]
fn single_parts_have_a_limit_of_their_own() {
    let largest = r#"{"standard":{"largest":{"cpu":"1","memory":"128Mi"}}}"#;
    let mut world = World::of_tiers(largest);
    let said = findings(&world, &mailer("production", 1, 1001));
    let titles: Vec<&str> = said.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "mailer asks for 1001m CPU, and the tier standard has 1 CPU for a single one; lower it, or ask the platform's operator for a larger tier",
            "mailer asks for 256Mi of memory, and the tier standard has 128Mi of memory for a single one; lower it, or ask the platform's operator for a larger tier",
        ]
    );
    assert!(said.iter().all(|finding| finding.code == "SF6107"));
    world.profile = World::new().profile;
    world
        .accept(&world.propose(&mailer("production", 1, 1001)))
        .unwrap();
    world.profile = World::of_tiers(largest).profile;
    let severities = |state: &EnvironmentState| {
        let said = findings(&world, state);
        said.iter()
            .map(|finding| finding.severity)
            .collect::<Vec<_>>()
    };
    let (warning, blocking) = (FindingSeverity::Warning, FindingSeverity::Blocking);
    assert_eq!(
        severities(&mailer("production", 2, 1001)),
        [warning, warning]
    );
    assert_eq!(
        severities(&mailer("production", 1, 1002)),
        [blocking, warning]
    );
}

/// Its new name makes nothing of it larger.
#[test]
fn a_renamed_service_is_as_large_as_it_was() {
    let mut world = World::new();
    let large = mailer("production", 1, 1001);
    world.accept(&world.propose(&large)).unwrap();
    world.profile = World::of_tiers(r#"{"standard":{"largest":{"cpu":"1"}}}"#).profile;
    let (post, mailer) = (service_name("post"), service_name("mailer"));
    world.former = BTreeMap::from([(post.clone(), mailer)]);
    let mut renamed = large;
    renamed.services[0].name = post;
    let proposal = world.propose(&renamed);
    let said = &proposal.plan.findings;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].severity, FindingSeverity::Warning, "{said:?}");
    assert!(world.accept(&proposal).unwrap());
}
