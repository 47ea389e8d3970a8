//! Who can connect to whom once several projects run: every pair of pods on every port, and the world outside.
//!
//! Effects: a cluster, `starform apply`. What is judged are the NetworkPolicies, pods and namespaces that the real
//! API server holds; an independent matcher (`testbed reach`) decides, and `rule.rs` says what it should decide.

mod declared;
mod people;
mod rule;

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use serde::Deserialize;
use serde_json::json;

use crate::support::{cluster::Cluster, process, project::Project as Folder, wait_for};
use declared::{Kind, Project};
use rule::{Address, End, Pod, may_connect};

/// Every port of every service, one that nobody has, and two that only UDP would make another.
const PORTS: &str = "TCP/22,TCP/53,TCP/5432,TCP/6379,TCP/8080,TCP/9090,TCP/9100,UDP/53,UDP/8080";

#[test]
fn projects_and_environments_are_isolated() {
    if let Some(cluster) = Cluster::start() {
        matrix(&cluster, 3, 3);
    }
}

/// As `cargo xtask soak isolation` runs it.
#[test]
#[ignore = "minutes: cargo xtask soak isolation"]
fn soak_many_projects() {
    if let Some(cluster) = Cluster::start() {
        matrix(&cluster, 6, 5);
    }
}

/// One line of `testbed reach`.
#[derive(Deserialize)]
struct Reach {
    from: String,
    to: String,
    /// Ports that the policies of `from` let out, and those of `to` let in.
    egress: Vec<String>,
    ingress: Vec<String>,
}

/// What the matrix is made of.
struct World<'p> {
    cluster: &'p Cluster,
    /// By what `testbed reach` calls them.
    people: BTreeMap<String, End<'p>>,
}

fn matrix(cluster: &Cluster, projects: usize, environments: usize) {
    let projects = declared::projects(projects, environments);
    // Everything declared passes the fence that stands around an agent.
    cluster.install_manifests();
    apply(cluster, &projects, Step::Serving);
    apply(cluster, &projects, Step::Releasing);
    let world = World {
        cluster,
        people: people::settle(cluster, &projects),
    };
    let verdicts = world.verdicts();
    assert!(verdicts.wrong.is_empty(), "{}", verdicts.told());
    println!("{}", verdicts.told());
    assert!(verdicts.covers_every_rule(), "{}", verdicts.told());
    world.only_what_serves_gets_traffic();

    world.holes_are_seen(&projects[0]);
}

#[derive(Clone, Copy)]
enum Step {
    /// Everything that is declared runs.
    Serving,
    /// A release of each web service runs beside the pods that it will replace.
    Releasing,
}

/// A few projects at once: each waits for its own pods, and only one can be accepted at a time.
fn apply(cluster: &Cluster, projects: &[Project], step: Step) {
    let profile = json!({
        "scraper_namespace": people::MONITORING,
        "egress": {
            // The control plane and its store; the testbed's nodes, which have no private addresses.
            "denied": ["198.51.100.0/24", "2001:db8:5::/48", "198.18.0.0/15"],
            "allowed": ["10.20.0.0/24"],
        },
    });
    // Without a control plane there is no agent that could write: a person does.
    let kubeconfig = cluster.emergency_kubeconfig();
    for few in projects.chunks(3) {
        thread::scope(|scope| {
            for project in few {
                scope.spawn(|| apply_one(&kubeconfig, project, &profile.to_string(), step));
            }
        });
    }
}

fn apply_one(kubeconfig: &Path, project: &Project, profile: &str, step: Step) {
    let text = match step {
        Step::Serving => project.text(),
        Step::Releasing => project.releasing(),
    };
    let folder = Folder::new(&text);
    fs::write(folder.path().join("cluster.json"), profile).unwrap();
    let apply = |words: &[&str]| {
        let mut command = process::starform();
        command
            .env("KUBECONFIG", kubeconfig)
            .current_dir(folder.path())
            .args(["apply", "--auto-approve", "--profile", "cluster.json"]);
        process::run(command.args(words))
    };
    match step {
        Step::Serving => drop(apply(&[]).expect(0)),
        // Nobody waits for its end, and the next environment is its own apply.
        Step::Releasing => {
            for environment in &project.environments {
                apply(&["--env", environment, "--wait", "10s"]).expect(6);
            }
        }
    }
}

#[derive(Default)]
struct Verdicts {
    pairs: usize,
    decisions: usize,
    open: usize,
    /// Open decisions by rule: who it is that connects, or is connected to.
    open_by: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl World<'_> {
    fn verdicts(&self) -> Verdicts {
        let addresses = people::addresses(self.cluster);
        let list: Vec<&str> = addresses
            .iter()
            .map(|(address, _)| address.as_str())
            .collect();
        let lines = self.cluster.reach(PORTS, &list.join(","));
        let mut ends = self.people.clone();
        ends.extend(
            addresses
                .iter()
                .map(|(text, is)| (text.clone(), End::Address(*is))),
        );
        let mut verdicts = Verdicts::default();
        for line in lines.lines() {
            let reach: Reach = serde_json::from_str(line).unwrap();
            let end = |name: &String| *ends.get(name).unwrap_or_else(|| panic!("who is {name}?"));
            verdicts.judge(&reach, &end(&reach.from), &end(&reach.to));
        }
        verdicts
    }

    /// The same look at a cluster with a hole in one policy too many finds it, and nothing once it is closed.
    fn holes_are_seen(&self, project: &Project) {
        for (what, spec) in people::holes() {
            let close = people::open(self.cluster, project, &spec);
            let verdicts = self.verdicts();
            assert!(!verdicts.wrong.is_empty(), "not seen: {what}");
            close();
        }
        let verdicts = self.verdicts();
        assert!(verdicts.wrong.is_empty(), "{}", verdicts.told());
    }

    /// Endpoints and disruption budgets are about pods that serve: not about a release's, a worker's or a cron job's.
    fn only_what_serves_gets_traffic(&self) {
        let ready = |pods: &[String]| {
            self.pods(|pod| pod.serves())
                .all(|name| pods.contains(name))
        };
        let endpoints = wait_for("endpoints", Duration::from_secs(20), || {
            let pods = self.endpoints();
            ready(&pods).then_some(pods)
        });
        let served = self.pods(|pod| pod.serves()).count();
        assert_eq!(endpoints.len(), served, "{endpoints:#?}");

        let budgets = self.cluster.list("/apis/policy/v1/poddisruptionbudgets");
        let pods = self.cluster.list("/api/v1/pods");
        let mut budgeted = 0;
        for pod in &pods {
            let name = people::name(pod);
            let counted = budgets.iter().any(|budget| people::is_counted(budget, pod));
            let Some(End::Pod(is)) = self.people.get(&name) else {
                assert!(!counted, "{name} counts for a budget");
                continue;
            };
            let several = is.service.pods > 1 && is.service.kind != Kind::Cron;
            assert_eq!(counted, several && is.listens, "{name} counts for a budget");
            budgeted += usize::from(counted);
        }
        assert!(budgeted > 0, "no budget counts any pod");
    }

    fn pods(&self, which: impl Fn(&Pod<'_>) -> bool) -> impl Iterator<Item = &String> {
        self.people.iter().filter_map(move |(name, end)| match end {
            End::Pod(pod) => which(pod).then_some(name),
            End::Gateway
            | End::Scraper
            | End::ClusterDns
            | End::Bystander
            | End::Undeclared
            | End::Address(_) => None,
        })
    }

    fn endpoints(&self) -> Vec<String> {
        let slices = self
            .cluster
            .list("/apis/discovery.k8s.io/v1/endpointslices");
        let endpoints = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array());
        let pods = endpoints.flatten().filter_map(|endpoint| {
            let pod = &endpoint["targetRef"];
            let (namespace, name) = (pod["namespace"].as_str()?, pod["name"].as_str()?);
            Some(format!("{namespace}/{name}"))
        });
        pods.collect()
    }
}

impl Verdicts {
    fn judge(&mut self, reach: &Reach, from: &End<'_>, to: &End<'_>) {
        let Reach {
            egress, ingress, ..
        } = reach;
        let mut concerned = false;
        for port in PORTS.split(',') {
            let has = |ports: &[String]| ports.iter().any(|own| own == port);
            let open = has(egress) && has(ingress);
            let Some(expected) = may_connect(from, to, port) else {
                continue;
            };
            concerned = true;
            self.decisions += 1;
            self.open += usize::from(open);
            if open {
                *self.open_by.entry(rule_of(from, to)).or_default() += 1;
            }
            // Each end alone keeps two environments apart.
            let half_open = are_apart(from, to) && (has(egress) || has(ingress));
            if open != expected || half_open {
                let Reach { from, to, .. } = reach;
                self.wrong.push(format!(
                    "{from} to {to} at {port}: open {open}, not {expected}; lets out {}, lets in {}",
                    has(egress),
                    has(ingress)
                ));
            }
        }
        self.pairs += usize::from(concerned);
    }

    fn covers_every_rule(&self) -> bool {
        let rules = [
            "environment",
            "gateway",
            "scraper",
            "dns",
            "internet",
            "opened range",
        ];
        rules.iter().all(|rule| self.open_by.contains_key(rule)) && self.open < self.decisions / 2
    }

    fn told(&self) -> String {
        let Self {
            pairs,
            decisions,
            open,
            open_by,
            wrong,
        } = self;
        let first: Vec<&str> = wrong.iter().take(30).map(String::as_str).collect();
        format!(
            "isolation: {pairs} pairs, {decisions} decisions, {open} open {open_by:?}, {} wrong\n{}",
            wrong.len(),
            first.join("\n")
        )
    }
}

fn are_apart(from: &End<'_>, to: &End<'_>) -> bool {
    matches!((from, to), (End::Pod(from), End::Pod(to)) if !from.is_beside(to))
}

fn rule_of(from: &End<'_>, to: &End<'_>) -> &'static str {
    match (from, to) {
        (End::Gateway, _) => "gateway",
        (End::Scraper, _) => "scraper",
        (_, End::Pod(_)) => "environment",
        (_, End::ClusterDns | End::Address(Address::Dns)) => "dns",
        (_, End::Address(Address::Internet)) => "internet",
        (_, End::Address(Address::Opened)) => "opened range",
        (
            _,
            End::Address(Address::Platform)
            | End::Gateway
            | End::Scraper
            | End::Bystander
            | End::Undeclared,
        ) => "nothing",
    }
}
