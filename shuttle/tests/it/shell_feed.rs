//! What an agent is told to do, and when: standby, refusals, a control plane that is away.
//!
//! Effects: the real API server, a scripted control plane.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, api::ListParams};
use starform_contract::{Bundle, Index, signature::SigningKey};
use starform_shuttle::{
    annotate::Standing,
    engine::io::Desired,
    feed::{Trust, Word, follow_control_plane, follow_folder},
    persist,
    source::Folder,
    vitals::Vitals,
};
use tokio::sync::{mpsc, watch};

use crate::{
    shell_pull::{Script, answer, json},
    shell_shop::Shop,
    shell_support::{cluster, empty_system, signing_key, some_cluster},
};

const STANDBY: &str = r#"{"code":"standby","title":"another instance holds the cluster"}"#;

fn served(desired: &Desired) -> Vec<String> {
    let bundles = desired
        .index
        .bundles()
        .into_iter()
        .map(|digest| json(&*desired.bundles[digest]));
    std::iter::once(signed(desired)).chain(bundles).collect()
}

fn signed(desired: &Desired) -> String {
    json(&desired.index.clone().signed(&signing_key()))
}

fn unsigned(index: Index) -> Index {
    Index {
        signature: None,
        ..index
    }
}

async fn kept(client: &Client) -> Option<Index> {
    let kept = persist::load(client).await.unwrap();
    kept.map(|kept| unsigned(kept.index))
}

/// The words of an agent that hears these answers; afterwards nobody answers any more.
async fn follow(client: &Client, answers: Vec<String>) -> (Script, mpsc::Receiver<Word>) {
    let trust = Trust::Keys(vec![signing_key().trusted()]);
    follow_trusting(client, trust, answers).await
}

async fn follow_trusting(
    client: &Client,
    trust: Trust,
    answers: Vec<String>,
) -> (Script, mpsc::Receiver<Word>) {
    let script = Script::play(answers).await;
    let (sender, words) = mpsc::channel(1);
    let interval = Duration::from_millis(200);
    tokio::spawn(follow_control_plane(
        script.plane(),
        client.clone(),
        trust,
        interval,
        watch::channel(Standing::Nothing).1,
        sender,
        Vitals::since(Instant::now()),
    ));
    (script, words)
}

async fn next(words: &mut mpsc::Receiver<Word>) -> Word {
    let word = tokio::time::timeout(Duration::from_secs(20), words.recv()).await;
    word.expect("a word in time").expect("a feed that goes on")
}

async fn acted_on(words: &mut mpsc::Receiver<Word>) -> Index {
    match next(words).await {
        Word::Act(desired) => unsigned(desired.index),
        Word::Standby => panic!("on standby"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_waits_and_what_it_then_acts_on_is_kept_first() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let desired = Shop::new("feed", &[("one", "a:1")]).after(&Index::empty(some_cluster()));
    let standby = || answer("409 Conflict", "retry-after: 1\r\n", STANDBY);
    let mut answers = vec![standby(), standby()];
    answers.extend(served(&desired));
    let (script, mut words) = follow(&client, answers).await;
    assert!(matches!(next(&mut words).await, Word::Standby));
    assert_eq!(acted_on(&mut words).await, desired.index);
    assert_eq!(kept(&client).await.unwrap(), desired.index);
    assert_eq!(script.asked().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_control_plane_what_is_kept_stays_in_force() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let desired = Shop::new("feed", &[("one", "a:1")]).after(&Index::empty(some_cluster()));
    persist::save(&client, &desired.index, &desired.bundles, None)
        .await
        .unwrap();
    let (_script, mut words) = follow(&client, Vec::new()).await;
    assert_eq!(acted_on(&mut words).await, desired.index);
}

/// An agent that acts on the first generation and hears of nothing, beside whoever saves the second one.
async fn overtaken(
    client: &Client,
    sign: impl Fn(Index) -> Index,
) -> (Script, mpsc::Receiver<Word>, Desired) {
    let shop = Shop::new("feed", &[("one", "a:1")]);
    let first = shop.after(&Index::empty(some_cluster()));
    let second = shop.clone().image("one", "a:2").after(&first.index);
    let held = persist::save(client, &first.index, &first.bundles, None).await;
    let (script, mut words) = follow(client, Vec::new()).await;
    assert_eq!(acted_on(&mut words).await, first.index);
    let index = sign(second.index.clone());
    persist::save(client, &index, &second.bundles, Some(held.unwrap()))
        .await
        .unwrap();
    (script, words, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_instance_keeps_is_followed_without_a_control_plane() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let sign = |index: Index| index.signed(&signing_key());
    let (_script, mut words, second) = overtaken(&client, sign).await;
    assert_eq!(acted_on(&mut words).await, second.index);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_instance_keeps_is_not_believed_unsigned() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let (_script, mut words, _) = overtaken(&client, |index| index).await;
    let more = tokio::time::timeout(Duration::from_secs(2), words.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_another_cluster_than_the_recorded_one_is_not_acted_on() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("feed", &[("one", "a:1")]);
    let here = shop.after(&Index::empty(some_cluster()));
    persist::save(&client, &here.index, &here.bundles, None)
        .await
        .unwrap();
    let elsewhere = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let served = shop.after(&shop.after(&Index::empty(elsewhere)).index);
    crate::shell_thread::write(folder.path(), &served);
    let (sender, mut words) = mpsc::channel(1);
    let source = Folder::new(folder.path());
    let vitals = Vitals::since(Instant::now());
    let feed = follow_folder(source, client.clone(), Trust::Anyone, sender, vitals);
    // A folder that is believed is acted on at once; this one is looked at again and again.
    assert!(
        tokio::time::timeout(Duration::from_secs(3), feed)
            .await
            .is_err(),
        "it goes on"
    );
    assert!(words.try_recv().is_err());
    assert_eq!(kept(&client).await.unwrap(), here.index);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_believed_is_neither_kept_nor_acted_on() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("feed", &[("one", "a:1")]);
    let first = shop.after(&Index::empty(some_cluster()));
    let mut forged = shop.after(&first.index);
    let entry = forged.index.projects.values().next().unwrap().clone();
    let environment = entry.environments.values().next().unwrap();
    let Bundle::Environment(mut bundle) = (*forged.bundles[environment]).clone() else {
        panic!("an environment's bundle");
    };
    let object = bundle.services[0].objects[0].clone();
    let mut manifest = object.manifest.clone();
    manifest["metadata"]["namespace"] = "kube-system".into();
    bundle.services[0].objects[0] =
        starform_contract::Object::new(manifest, object.wave, object.deletion);
    let (name, project) = (bundle.environment.clone(), bundle.project_id);
    let bundle = Bundle::Environment(bundle);
    let mut entry = entry;
    entry.environments.insert(name, bundle.digest());
    forged.index = first.index.successor([(project, entry)].into());
    forged.bundles.insert(bundle.digest(), Arc::new(bundle));

    // The project's bundle is known from the first generation.
    let known: Vec<_> = first.index.bundles().into_iter().cloned().collect();
    let mut answers = served(&first);
    answers.push(signed(&forged));
    let fresh = forged
        .index
        .bundles()
        .into_iter()
        .filter(|digest| !known.contains(digest));
    answers.extend(fresh.map(|digest| json(&*forged.bundles[digest])));
    answers.push(answer("304 Not Modified", "", ""));
    let (script, mut words) = follow(&client, answers).await;
    assert_eq!(acted_on(&mut words).await, first.index);
    crate::shell_support::eventually("the forged state to be refused and known", async || {
        let asked = script.asked();
        let etag = forged.index.etag().to_lowercase();
        asked
            .last()
            .is_some_and(|last| last.contains(&etag))
            .then_some(())
    })
    .await;
    assert!(words.try_recv().is_err());
    assert_eq!(kept(&client).await.unwrap(), first.index);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_trusted_key_signed_is_told_and_never_written() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let desired = Shop::new("feed", &[("one", "a:1")]).after(&Index::empty(some_cluster()));
    let stranger = SigningKey::new("test", &[9; 32]).unwrap();
    let other = SigningKey::new("other", &[9; 32]).unwrap();
    let mut answers = vec![
        json(&desired.index),
        json(&desired.index.clone().signed(&stranger)),
        json(&desired.index.clone().signed(&other)),
    ];
    answers.extend(served(&desired));
    answers.push(answer("304 Not Modified", "", ""));
    let (script, mut words) = follow(&client, answers).await;
    crate::shell_support::eventually("three refusals", async || {
        (script.asked().len() >= 3).then_some(())
    })
    .await;
    assert_eq!(kept(&client).await, None);
    assert_eq!(acted_on(&mut words).await, desired.index);
    crate::shell_support::eventually("the poll after it", async || {
        (script.asked().len() >= 7).then_some(())
    })
    .await;
    let expected = [
        None,
        Some("not-signed"),
        Some("wrong-signature"),
        Some("unknown-key"),
        None,
    ];
    assert_eq!(
        refuses(&script),
        expected.map(|word| word.map(str::to_owned))
    );
}

/// What each poll says that the agent refuses.
fn refuses(script: &Script) -> Vec<Option<String>> {
    let polls = script.asked().into_iter();
    polls
        .filter(|asked| asked.contains("/desired-state "))
        .map(|asked| {
            let line = asked
                .lines()
                .find_map(|line| line.strip_prefix("starform-agent-refuses: "));
            line.map(str::to_owned)
        })
        .collect()
}

/// The ConfigMaps that the agent keeps, each as it was written last.
async fn written(client: &Client) -> Vec<Option<(String, String)>> {
    let kept = Api::<ConfigMap>::namespaced(client.clone(), "starform-system");
    let of_agent = ListParams::default().labels("app.kubernetes.io/managed-by=starform-shuttle");
    let found = kept.list(&of_agent).await.unwrap();
    let version = |map: ConfigMap| Some((map.metadata.name?, map.metadata.resource_version?));
    found.items.into_iter().map(version).collect()
}

/// Untrue answers to an agent that has `second`: what each poll is answered, and the word of the next one.
fn untrue(
    shop: &Shop,
    first: &Desired,
    second: &Desired,
) -> Vec<(Vec<String>, Option<&'static str>)> {
    let forked = shop.clone().image("one", "a:2").after(&first.index);
    let elsewhere = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let foreign = shop.after(
        &shop
            .after(&shop.after(&Index::empty(elsewhere)).index)
            .index,
    );
    let third = shop.clone().image("one", "a:3").after(&second.index);
    let [bundle] = third
        .index
        .bundles()
        .into_iter()
        .filter(|d| !second.bundles.contains_key(d))
        .collect::<Vec<_>>()[..]
    else {
        panic!("one bundle moves");
    };
    let newer = |document: String| document.replace("/v1\"", "/v2\"");
    let newer_index = newer(serde_json::to_string(&third.index).unwrap());
    let newer_bundle = newer(serde_json::to_string(&*third.bundles[bundle]).unwrap());
    let other_bundle = json(
        &*forked
            .bundles
            .values()
            .find(|b| !second.bundles.contains_key(&b.digest()))
            .unwrap()
            .clone(),
    );
    let large = " ".repeat(Index::LARGEST + (5 << 10));
    let ok = |body: &str| answer("200 OK", "", body);
    let unchanged = || answer("304 Not Modified", "", "");
    vec![
        (vec![signed(first)], Some("went-back")),
        (vec![signed(&forked)], Some("forked")),
        (vec![signed(&foreign)], Some("other-cluster")),
        (vec![ok(&newer_index)], Some("unknown-schema")),
        (vec![ok("<html>")], Some("unreadable")),
        (vec![ok(&large)], Some("too-large")),
        (vec![signed(&third), other_bundle], Some("wrong-digest")),
        (
            vec![signed(&third), ok(&newer_bundle)],
            Some("unknown-schema"),
        ),
        // The control plane has come to its senses.
        (vec![unchanged()], None),
        (vec![unchanged()], None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_true_is_told_and_the_kept_state_stays() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("feed", &[("one", "a:1")]);
    let first = shop.after(&Index::empty(some_cluster()));
    let second = shop.after(&first.index);
    let answers = untrue(&shop, &first, &second);
    let before = persist::save(&client, &second.index, &second.bundles, None).await;
    before.unwrap();
    let before = written(&client).await;
    assert!(!before.is_empty());

    let expected: Vec<_> = [None]
        .into_iter()
        .chain(answers.iter().map(|(_, word)| word.map(str::to_owned)))
        .collect();
    let script: Vec<String> = answers
        .into_iter()
        .flat_map(|(answers, _)| answers)
        .collect();
    let (script, mut words) = follow(&client, script).await;
    assert_eq!(acted_on(&mut words).await, second.index);
    let polls = expected.len() - 1;
    crate::shell_support::eventually("every answer", async || {
        (refuses(&script).len() >= polls).then_some(())
    })
    .await;
    assert_eq!(refuses(&script), expected[..polls]);
    assert!(words.try_recv().is_err(), "nothing else is acted on");
    assert_eq!(kept(&client).await.unwrap(), second.index);
    assert_eq!(written(&client).await, before, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_agent_file_has_since_is_believed_without_a_restart() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let desired = Shop::new("feed", &[("one", "a:1")]).after(&Index::empty(some_cluster()));
    let old = SigningKey::new("old", &[9; 32]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.json");
    let file = serde_json::json!({
        "server": "http://127.0.0.1:1", "cluster_id": some_cluster(), "token": "sf_cluster_secret",
        "trusted_keys": [old.trusted(), signing_key().trusted()],
    });
    std::fs::write(&path, file.to_string()).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).unwrap();
    // What the agent has read at its start: before the file got the second key.
    let trust = Trust::AgentFile {
        path,
        keys: vec![old.trusted()],
    };
    let (_script, mut words) = follow_trusting(&client, trust, served(&desired)).await;
    assert_eq!(acted_on(&mut words).await, desired.index);
}
