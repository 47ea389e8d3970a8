//! One small shop with a service of every kind; what tests of shape look at.
//!
//! Pure. Services are ordered by name: catalog, mailer, report, storefront.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    EnvironmentName, EnvironmentState, GroupName, NameEntry, ObjectName, PortName, ProjectId,
    ProjectName, ServiceId, ServiceModel, ServiceName, ServiceState, WorkspaceId,
    model::{
        Alias, AllowFrom, Check, Cron, Domain, Drain, Health, Keep, Overlap, Port, Private, Probe,
        Protocol, RunAs, Running, Scale, Size, Variable, Web, Worker, Workload,
    },
    quantity::{Cpu, Duration, Memory},
    state::DriftPolicy,
};

pub(crate) fn shop() -> EnvironmentState {
    let project = ProjectName::new("shop").unwrap();
    let project_id = ProjectId::local(&project);
    let services: Vec<ServiceState> = [
        ("catalog", catalog()),
        ("mailer", mailer()),
        ("report", report()),
        ("storefront", storefront()),
    ]
    .into_iter()
    .map(|(name, model)| service(project_id, name, model))
    .collect();
    EnvironmentState {
        workspace_id: WorkspaceId::local(),
        workspace: WorkspaceId::LOCAL_NAME.to_owned(),
        project_id,
        project,
        tier: "standard".to_owned(),
        environment: EnvironmentName::new("production").unwrap(),
        ephemeral: false,
        drift: DriftPolicy::Correct,
        protect: false,
        groups: BTreeMap::from([(group(), shared())]),
        names: services.iter().map(name_entry).collect(),
        services,
        removed: Vec::new(),
    }
}

pub(crate) fn service_name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn service(project_id: ProjectId, name: &str, model: ServiceModel) -> ServiceState {
    let name = service_name(name);
    ServiceState {
        service_id: ServiceId::derive(project_id, &name, 0),
        object_name: ObjectName::candidate(&name, 1),
        name,
        model,
    }
}

fn name_entry(service: &ServiceState) -> NameEntry {
    NameEntry {
        name: service.name.clone(),
        incarnation: 0,
        service_id: service.service_id,
        object_name: service.object_name.clone(),
        retired: false,
    }
}

fn storefront() -> ServiceModel {
    let alias = Alias {
        host: "www.shop.example".to_owned(),
        verified: true,
        redirect: true,
    };
    let domain = |host: &str, verified, aliases| Domain {
        host: host.to_owned(),
        verified,
        aliases,
    };
    let workload = Workload::Web(Web {
        ports: vec![port("http", 8080, Protocol::Http)],
        health: Health {
            ready: Some(probe(
                Check::Http {
                    path: "/readyz".to_owned(),
                },
                8080,
            )),
            live: None,
            startup: None,
            startup_within: Duration::from_secs(90),
        },
        scale: Scale {
            min: 3,
            max: 12,
            cpu: Some(65),
            memory: Some(80),
            cooldown: Some(Duration::from_secs(300)),
        },
        drain: drain(10),
        allow_from: AllowFrom::Environment,
        platform_host: "storefront-production-00000000.starform.localhost".to_owned(),
        domains: vec![
            domain("shop.example", true, vec![alias]),
            domain("new.example", false, Vec::new()),
        ],
        routes: BTreeMap::new(),
        redirects: BTreeMap::new(),
        running: Running::default(),
    });
    let mut model = model("ghcr.io/acme/storefront:v1", workload);
    model.size = Size {
        cpu: Cpu::from_millicores(250),
        memory: Memory::from_bytes(512 << 20),
    };
    model.run = vec!["bin/server".to_owned(), "--quiet".to_owned()];
    model.vars = shared();
    model
        .vars
        .insert("COOKIE".to_owned(), secret("cookie", 1, None));
    model
        .vars
        .insert("TOKEN".to_owned(), secret("api-token", 3, Some(group())));
    model.vars.insert(
        "PRICE".to_owned(),
        Variable::Literal("5$ or $(PORT)".to_owned()),
    );
    model
}

fn catalog() -> ServiceModel {
    let workload = Workload::Private(Private {
        ports: vec![port("grpc", 9090, Protocol::Grpc)],
        health: Health {
            ready: Some(probe(Check::Grpc, 9090)),
            live: Some(probe(Check::Grpc, 9090)),
            startup: None,
            startup_within: Duration::from_secs(60),
        },
        scale: Scale::fixed(1),
        drain: drain(10),
        allow_from: AllowFrom::Services(BTreeSet::from([service_name("storefront")])),
        running: Running::default(),
    });
    model("ghcr.io/acme/catalog:v1", workload)
}

fn mailer() -> ServiceModel {
    let workload = Workload::Worker(Worker {
        health: Health {
            ready: None,
            live: None,
            startup: None,
            startup_within: Duration::from_secs(60),
        },
        scale: Scale::fixed(2),
        drain: drain(0),
        running: Running::default(),
    });
    model("ghcr.io/acme/mailer:v1", workload)
}

fn report() -> ServiceModel {
    let workload = Workload::Cron(Cron {
        schedule: "30 3 * * *".to_owned(),
        timezone: "Europe/Lisbon".to_owned(),
        overlap: Overlap::Forbid,
        retries: 1,
        timeout: Duration::from_secs(1800),
        keep: Keep {
            succeeded: 3,
            failed: 3,
        },
    });
    model("ghcr.io/acme/report:v1", workload)
}

fn model(image: &str, workload: Workload) -> ServiceModel {
    ServiceModel {
        image: image.to_owned(),
        run: Vec::new(),
        hold: false,
        run_as: RunAs::Default,
        size: Size {
            cpu: Cpu::from_millicores(100),
            memory: Memory::from_bytes(256 << 20),
        },
        vars: BTreeMap::new(),
        observability: true,
        refs: BTreeSet::new(),
        workload,
    }
}

fn group() -> GroupName {
    GroupName::new("shared").unwrap()
}

fn shared() -> BTreeMap<String, Variable> {
    BTreeMap::from([
        ("LOG_LEVEL".to_owned(), Variable::Literal("info".to_owned())),
        ("TOKEN".to_owned(), secret("api-token", 3, None)),
    ])
}

fn secret(secret: &str, version: u64, group: Option<GroupName>) -> Variable {
    Variable::Secret {
        secret: secret.to_owned(),
        version,
        group,
        environment: None,
    }
}

fn port(name: &str, port: u16, protocol: Protocol) -> Port {
    Port {
        name: PortName::new(name).unwrap(),
        port,
        protocol,
    }
}

fn probe(check: Check, port: u16) -> Probe {
    Probe {
        check,
        port,
        every: Duration::from_secs(10),
        timeout: Duration::from_secs(2),
        failures: 3,
    }
}

fn drain(before_term: u32) -> Drain {
    Drain {
        before_term: Duration::from_secs(before_term),
        grace: Duration::from_secs(30),
    }
}
