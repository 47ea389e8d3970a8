//! What the agent answers over HTTP, as a kubelet and a Prometheus ask.
//!
//! Effects: the real API server, processes of `starform-shuttle`, HTTP on loopback.

use std::time::{Duration, Instant};

use kube::{Client, Config};
use serde_json::Value;
use starform_shuttle::{
    metrics::Metrics,
    surface::{Surface, router},
    vitals::{LIMIT, Vitals},
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    shell_agent::{Agent, Identity},
    shell_fleet::Fleet,
    shell_shop::nothing_here,
    shell_support::{cluster, empty_system, eventually},
};

/// Status and body.
async fn ask(address: &str, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The address that the agent tells in its log.
pub(crate) async fn address_of(agent: &Agent) -> String {
    eventually("the agent to serve its health", async || {
        let log = agent.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut told = lines.filter_map(|line: Value| {
            let address = line["fields"]["address"].as_str();
            address.map(str::to_owned)
        });
        told.next()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_tells_how_it_is_and_names_no_tenant() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let identity = Identity::install(&client).await;
    let mut fleet = Fleet::new(nothing_here(&client).await, 1, 2);
    let folder = tempfile::tempdir().unwrap();
    let generation = fleet.accept(folder.path());
    let agent = identity.start(folder.path(), &["--listen", "127.0.0.1:0"]);
    let address = address_of(&agent).await;
    assert_eq!(ask(&address, "/healthz").await, (200, "ok\n".to_owned()));
    eventually("the project to be finished", async || {
        (agent.finished(generation).len() == 1).then_some(())
    })
    .await;
    assert_eq!(ask(&address, "/readyz").await, (200, "ok\n".to_owned()));
    let (status, text) = ask(&address, "/metrics").await;
    let objects = fleet.objects().len();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        format!("starform_objects{{state=\"clean\"}} {objects}"),
        "starform_objects{state=\"pending\"} 0".to_owned(),
        format!("starform_apply_total{{op=\"apply\",result=\"ok\"}} {objects}"),
        format!("starform_api_requests_total{{verb=\"patch\",reason=\"apply\"}} {objects}"),
        format!("starform_generation {generation}"),
    ] {
        assert!(
            status == 200 && lines.contains(&line.as_str()),
            "{line}:\n{text}"
        );
    }
    for name in [
        "starform_tick_seconds_count",
        "starform_last_success_timestamp_seconds",
        "starform_drift_total{class=\"added\"} 0",
        "starform_prune_blocked_total{rule=\"no-consent\"} ",
    ] {
        assert!(text.contains(name), "{name}:\n{text}");
    }
    assert!(!text.contains("fleet") && !text.contains("app0"), "{text}");
    assert_eq!(ask(&address, "/").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_nothing_is_dead_only_while_the_api_server_answers() {
    let Some(client) = cluster().await else {
        return;
    };
    let nobody = Config::new("http://127.0.0.1:1".parse().unwrap());
    let nobody = Client::try_from(nobody).unwrap();
    let long_ago = Instant::now().checked_sub(LIMIT * 2).unwrap();
    for (client, expected) in [(client, 503), (nobody, 200)] {
        let vitals = Vitals::since(long_ago);
        let address = serve(client, vitals.clone()).await;
        let (status, text) = ask(&address, "/healthz").await;
        assert_eq!(status, expected, "{text}");
        assert!(text.contains("no tick has succeeded for 60"), "{text}");
        assert_eq!(ask(&address, "/readyz").await.0, 503);
        vitals.turned(None);
        assert_eq!(
            ask(&address, "/healthz").await.0,
            expected,
            "nothing is wanted"
        );
        vitals.fed();
        assert_eq!(ask(&address, "/healthz").await.0, 200);
        assert_eq!(ask(&address, "/readyz").await.0, 200);
        // Nobody counts objects here; the rest is told all the same.
        let began = Instant::now();
        assert!(
            ask(&address, "/metrics")
                .await
                .1
                .contains("starform_generation")
        );
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

async fn serve(client: Client, vitals: Vitals) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let surface = Surface {
        client,
        metrics: Metrics::default(),
        vitals,
        counts: mpsc::channel(1).0,
    };
    tokio::spawn(async { axum::serve(listener, router(surface)).await });
    address
}
