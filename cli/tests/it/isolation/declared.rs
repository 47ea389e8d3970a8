//! The projects of the isolation matrix as they are declared: what is written into `starform.kdl`, and who they are.
//!
//! Pure. Read on in `rule.rs` for what follows from a declaration.

/// One project of the matrix.
pub(super) struct Project {
    pub(super) name: String,
    pub(super) environments: Vec<String>,
    pub(super) services: Vec<Service>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Web,
    Private,
    Worker,
    Cron,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The first of a web service is routed.
    pub(super) ports: Vec<u16>,
    pub(super) metrics: Option<u16>,
    pub(super) observed: bool,
    /// How many pods run in each environment; of a cron job, runs.
    pub(super) pods: usize,
    /// `None`: the whole environment.
    pub(super) allow_from: Option<Vec<String>>,
    /// In this environment these instead.
    pub(super) allow_from_in: Option<(String, Vec<String>)>,
}

/// `count` projects of the same names: ids are all that tells them apart. Each narrows something else.
pub(super) fn projects(count: usize, environments: usize) -> Vec<Project> {
    const STAGES: [&str; 5] = ["production", "staging", "qa", "load", "demo"];
    (0..count)
        .map(|n| Project {
            name: format!("tenant-{n}"),
            environments: STAGES[..environments]
                .iter()
                .map(ToString::to_string)
                .collect(),
            services: services(n),
        })
        .collect()
}

impl Project {
    /// The pods that run in one environment.
    pub(super) fn pods(&self) -> usize {
        self.services.iter().map(|service| service.pods).sum()
    }

    /// `starform.kdl`, with a new image of the web service whose release runs until the cluster is gone.
    pub(super) fn releasing(&self) -> String {
        let image = "    image \"registry.test/web:1\"\n";
        let release =
            "    image \"registry.test/behave-jobok3600:1\"\n    release \"bin/migrate\"\n";
        let text = self.text();
        assert_eq!(text.matches(image).count(), 1, "{text}");
        text.replace(image, release)
    }

    /// `starform.kdl`.
    pub(super) fn text(&self) -> String {
        let environments = self.environments.iter();
        let environments = environments.map(|name| format!("  environment {name} branch=main\n"));
        let services = self.services.iter().map(Service::text);
        let body: String = environments.chain(services).collect();
        format!("project {} {{\n{body}}}\n", self.name)
    }
}

impl Service {
    /// Who may connect to it in this environment: a child in `in ENV` replaces the one outside.
    pub(super) fn allowed(&self, environment: &str) -> Option<&[String]> {
        let own = self.allow_from_in.as_ref();
        let own = own.filter(|(only, _)| only == environment);
        own.map(|(_, names)| names)
            .or(self.allow_from.as_ref())
            .map(Vec::as_slice)
    }

    fn text(&self) -> String {
        let (kind, schedule, image) = match self.kind {
            Kind::Web => ("web", "", "web"),
            Kind::Private => ("private", "", "private"),
            Kind::Worker => ("worker", "", "worker"),
            // Runs until the cluster is gone.
            Kind::Cron => ("cron", " schedule=\"0 3 * * *\"", "behave-jobok3600"),
        };
        let mut text = format!(
            "  {kind} {}{schedule} {{\n    image \"registry.test/{image}:1\"\n",
            self.name
        );
        for port in &self.ports {
            text += &format!("    port {port} name=p{port}\n");
        }
        if let Some(port) = self.metrics {
            text += &format!("    metrics port={port}\n");
        }
        if !self.observed {
            text += "    observability #false\n";
        }
        if self.pods > 1 && self.kind != Kind::Cron {
            text += &format!("    scale {}\n", self.pods);
        }
        if let Some(names) = &self.allow_from {
            text += &format!("    allow-from {}\n", names.join(" "));
        }
        if let Some((environment, names)) = &self.allow_from_in {
            let names = names.join(" ");
            text += &format!("    in {environment} {{ allow-from {names}; }}\n");
        }
        text + "  }\n"
    }
}

fn services(project: usize) -> Vec<Service> {
    let mut site = service("site", Kind::Web, &[8080, 9090]);
    site.metrics = Some(9090);
    site.pods = 2;
    let mut data = service("data", Kind::Private, &[5432]);
    let mut vault = service("vault", Kind::Private, &[6379, 8080]);
    vault.allow_from = Some(names(&["site", "tick"]));
    let mut jobs = service("jobs", Kind::Worker, &[]);
    jobs.metrics = Some(9100);
    let tick = service("tick", Kind::Cron, &[]);
    match project % 3 {
        0 => {}
        1 => {
            site.allow_from = Some(names(&["jobs"]));
            jobs.observed = false;
        }
        _ => {
            data.allow_from_in = Some(("staging".to_owned(), names(&["vault"])));
            vault.allow_from_in = Some(("production".to_owned(), names(&["vault", "jobs"])));
            vault.pods = 2;
        }
    }
    vec![site, data, vault, jobs, tick]
}

fn service(name: &str, kind: Kind, ports: &[u16]) -> Service {
    Service {
        name: name.to_owned(),
        kind,
        ports: ports.to_vec(),
        metrics: None,
        observed: true,
        pods: 1,
        allow_from: None,
        allow_from_in: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
