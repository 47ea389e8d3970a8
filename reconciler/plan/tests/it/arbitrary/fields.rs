//! Strategies for the fields of a service: ports, probes, amounts, images, variables, texts.
//!
//! Pure. Always holds: each is what the language could have resolved by itself. Read on in [`super`] for what
//! they are put together to.

use std::collections::BTreeMap;

use proptest::{collection, option, prelude::*, sample};
use starform_contract::{
    GroupName, PortName,
    model::{
        AllowFrom, Check, Drain, Health, Overlap, Port, Probe, Protocol, Scale, Size, Variable,
    },
    quantity::{Cpu, Duration, Memory},
};

use super::service_name;

pub(super) fn ports() -> BoxedStrategy<Vec<Port>> {
    let protocol = sample::select(vec![
        Protocol::Http,
        Protocol::H2c,
        Protocol::Grpc,
        Protocol::Tcp,
    ]);
    collection::btree_map(1u16.., ("[a-z]{1,12}", protocol), 1..4)
        .prop_map(|ports| {
            let named = ports.into_iter().enumerate();
            named
                .map(|(n, (port, (name, protocol)))| Port {
                    name: PortName::new(format!("{name}{n}")).unwrap(),
                    port,
                    protocol,
                })
                .collect()
        })
        .boxed()
}

pub(super) fn health() -> BoxedStrategy<Health> {
    let (ready, live, startup) = (
        option::of(probe()),
        option::of(probe()),
        option::of(probe()),
    );
    (ready, live, startup, duration())
        .prop_map(|(ready, live, startup, startup_within)| Health {
            ready,
            live,
            startup,
            startup_within,
        })
        .boxed()
}

fn probe() -> BoxedStrategy<Probe> {
    let http = "/[a-z]{0,8}".prop_map(|path| Check::Http { path });
    let check = prop_oneof![http, Just(Check::Tcp), Just(Check::Grpc)];
    (check, 1u16.., duration(), duration(), 1u32..9)
        .prop_map(|(check, port, every, timeout, failures)| Probe {
            check,
            port,
            every,
            timeout,
            failures,
        })
        .boxed()
}

pub(super) fn scale() -> BoxedStrategy<Scale> {
    let fixed = (0u32..5).prop_map(Scale::fixed);
    let percent = || option::of(1u32..=100);
    let auto = (
        1u32..4,
        1u32..9,
        percent(),
        percent(),
        option::of(duration()),
    )
        .prop_map(|(min, more, cpu, memory, cooldown)| Scale {
            min,
            max: min + more,
            cpu,
            memory,
            cooldown,
        });
    prop_oneof![fixed, auto].boxed()
}

pub(super) fn drain() -> BoxedStrategy<Drain> {
    (0u32..60, 0u32..600)
        .prop_map(|(before_term, grace)| Drain {
            before_term: Duration::from_secs(before_term),
            grace: Duration::from_secs(grace),
        })
        .boxed()
}

pub(super) fn allow_from() -> BoxedStrategy<AllowFrom> {
    let services = collection::btree_set(service_name(), 0..3).prop_map(AllowFrom::Services);
    prop_oneof![Just(AllowFrom::Environment), services].boxed()
}

pub(super) fn overlap() -> BoxedStrategy<Overlap> {
    sample::select(vec![Overlap::Forbid, Overlap::Replace, Overlap::Allow]).boxed()
}

pub(super) fn duration() -> BoxedStrategy<Duration> {
    (1u32..4000).prop_map(Duration::from_secs).boxed()
}

pub(super) fn size() -> BoxedStrategy<Size> {
    let memory = prop_oneof![(1u64..4096).prop_map(|mib| mib << 20), 1u64 << 20..1 << 34];
    (1u64..8000, memory)
        .prop_map(|(cpu, memory)| Size {
            cpu: Cpu::from_millicores(cpu),
            memory: Memory::from_bytes(memory),
        })
        .boxed()
}

pub(super) fn image() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z]{1,6}(:[a-z0-9.]{1,6})?",
        "registry\\.example:5000/[a-z]{1,6}(:latest|:v[0-9])?",
        "ghcr\\.io/acme/[a-z]{1,6}(:v[0-9])?@sha256:[0-9a-f]{64}",
    ]
    .boxed()
}

pub(super) fn variables() -> BoxedStrategy<BTreeMap<String, Variable>> {
    let secret =
        ("[a-z]{1,8}", 1u64..9, option::of(group_name())).prop_map(|(secret, version, group)| {
            Variable::Secret {
                secret,
                version,
                group,
                environment: None,
            }
        });
    let variable = prop_oneof![3 => text().prop_map(Variable::Literal), 1 => secret];
    collection::btree_map("[A-Z][A-Z0-9_]{0,6}", variable, 0..4).boxed()
}

/// A Var Group's own secrets name no group.
pub(super) fn ungrouped(variables: BTreeMap<String, Variable>) -> BTreeMap<String, Variable> {
    let free = |variable| match variable {
        Variable::Literal(text) => Variable::Literal(text),
        Variable::Secret {
            secret,
            version,
            group: _,
            environment,
        } => Variable::Secret {
            secret,
            version,
            group: None,
            environment,
        },
    };
    variables
        .into_iter()
        .map(|(key, variable)| (key, free(variable)))
        .collect()
}

pub(super) fn group_name() -> BoxedStrategy<GroupName> {
    prop_oneof![4 => "[x-z]", 1 => "[a-z]{31}"]
        .prop_map(|text| GroupName::new(text).unwrap())
        .boxed()
}

/// Text in which the kubelet could find references.
pub(crate) fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9 .:/-]{0,8}",
        1 => sample::select(vec!["$", "$$", "$(PORT)", "$(", "\n", "é", "$é", "\"", "✓"])
            .prop_map(str::to_owned),
    ];
    collection::vec(piece, 0..4)
        .prop_map(|pieces| pieces.concat())
        .boxed()
}
