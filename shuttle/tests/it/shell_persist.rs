//! Accepted state in the cluster survives everything but a forged digest.
//!
//! Effects: the real API server.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{Api, Client, ResourceExt as _, api::ListParams};
use serde_json::json;
use starform_contract::{Index, ObjectKey};
use starform_shuttle::{
    access::Access,
    drive::Driver,
    engine::io::{Desired, InventoryEntry, InventoryShard},
    metrics::Metrics,
    persist::{self, Envelopes, LoadError, PART_BYTES, SaveError},
    values::Values,
};

use crate::shell_support::{cluster, empty_system, eventually, project, some_cluster, successor};

async fn kept(client: &Client) -> BTreeMap<String, ConfigMap> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), persist::NAMESPACE);
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=starform-shuttle");
    let list = api.list(&ours).await.unwrap();
    list.into_iter().map(|map| (map.name_any(), map)).collect()
}

fn versions(kept: &BTreeMap<String, ConfigMap>) -> BTreeMap<String, String> {
    kept.iter()
        .map(|(name, map)| (name.clone(), map.resource_version().unwrap()))
        .collect()
}

/// Text that does not compress.
fn noise(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length / 16)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_loaded_and_a_small_change_moves_little() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    assert!(persist::load(&client).await.unwrap().is_none());

    let empty = Index::empty(some_cluster());
    let (first, bundles) = successor(&empty, &[project("one", "a"), project("two", "b")]);
    persist::save(&client, &first, &bundles, None)
        .await
        .unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let system = namespaces.get(persist::NAMESPACE).await.unwrap();
    assert_eq!(
        system.labels().get("app.kubernetes.io/managed-by").unwrap(),
        "starform-shuttle"
    );
    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!((&loaded.index, &loaded.bundles), (&first, &bundles));

    let before = versions(&kept(&client).await);
    let (second, bundles) = successor(&first, &[project("one", "a"), project("two", "c")]);
    let version = persist::save(&client, &second, &bundles, Some(loaded.version))
        .await
        .unwrap();
    let after = versions(&kept(&client).await);
    let untouched = before
        .iter()
        .filter(|(name, version)| after.get(*name) == Some(version));
    assert_eq!(
        untouched.count(),
        1,
        "the bundle that did not change was written"
    );
    assert_eq!(
        after.len(),
        3,
        "the bundle that no index names is still there"
    );
    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!((&loaded.index, &loaded.bundles), (&second, &bundles));

    let same = persist::save(&client, &second, &bundles, Some(version))
        .await
        .unwrap();
    assert_eq!(
        versions(&kept(&client).await),
        after,
        "saving the same state wrote"
    );
    assert_eq!(same, loaded.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_bundle_takes_several_config_maps() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let large = project("large", &noise(7 << 20));
    let (index, bundles) = successor(&Index::empty(some_cluster()), &[large]);
    persist::save(&client, &index, &bundles, None)
        .await
        .unwrap();
    let sizes: Vec<usize> = kept(&client)
        .await
        .values()
        .flat_map(|map| map.binary_data.iter().flat_map(BTreeMap::values))
        .map(|bytes| bytes.0.len())
        .collect();
    assert!(sizes.len() > 4, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= PART_BYTES), "{sizes:?}");
    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!(loaded.bundles, bundles);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_accept_at_once_one_loses_and_nothing_breaks() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let (first, bundles) = successor(&Index::empty(some_cluster()), &[project("one", "a")]);
    persist::save(&client, &first, &bundles, None)
        .await
        .unwrap();
    let winner = persist::load(&client).await.unwrap().unwrap();
    let loser = winner.clone();

    let (left, left_bundles) = successor(&first, &[project("one", "left")]);
    let (right, right_bundles) = successor(&first, &[project("one", "right")]);
    persist::save(&client, &left, &left_bundles, Some(winner.version))
        .await
        .unwrap();
    let refused = persist::save(&client, &right, &right_bundles, Some(loser.version)).await;
    assert!(matches!(refused, Err(SaveError::Conflict)), "{refused:?}");
    let late = persist::save(&client, &right, &right_bundles, None).await;
    assert!(matches!(late, Err(SaveError::Conflict)), "{late:?}");

    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!((&loaded.index, &loaded.bundles), (&left, &left_bundles));

    // What the loser left behind goes with the next save.
    let (third, bundles) = successor(&left, &[project("one", "third")]);
    persist::save(&client, &third, &bundles, Some(loaded.version))
        .await
        .unwrap();
    assert_eq!(kept(&client).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_writer_changes_nothing() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let (first, bundles) = successor(&Index::empty(some_cluster()), &[project("one", "a")]);
    persist::save(&client, &first, &bundles, None)
        .await
        .unwrap();
    let slow = persist::load(&client).await.unwrap().unwrap();

    // Others go to `b` and back to `a`, which is written anew.
    let quick = persist::load(&client).await.unwrap().unwrap();
    let (second, b) = successor(&first, &[project("one", "b")]);
    let version = persist::save(&client, &second, &b, Some(quick.version))
        .await
        .unwrap();
    let (third, a) = successor(&second, &[project("one", "a")]);
    persist::save(&client, &third, &a, Some(version))
        .await
        .unwrap();

    let (other, c) = successor(&first, &[project("one", "c")]);
    let refused = persist::save(&client, &other, &c, Some(slow.version)).await;
    assert!(matches!(refused, Err(SaveError::Conflict)));
    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!((&loaded.index, &loaded.bundles), (&third, &a));
}

/// What a newer agent kept is not damaged, and nobody is told to delete it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_version_kept_is_told_as_that() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let (index, bundles) = successor(&Index::empty(some_cluster()), &[project("one", "a")]);
    persist::save(&client, &index, &bundles, None)
        .await
        .unwrap();
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), persist::NAMESPACE);
    for (name, schema) in [
        ("part", "starform.bundle"),
        ("index", "starform.desired-state"),
    ] {
        let kept = kept(&client).await;
        let name = kept
            .into_keys()
            .find(|kept| kept.starts_with(&format!("starform-{name}")));
        let newer = json!({"schema": format!("{schema}/v2"), "else": true}).to_string();
        let parts = persist::pack(newer.as_bytes(), &index.digest, index.generation);
        let part = parts[0].to_config_map("any", "any")["binaryData"].clone();
        let patch = kube::api::Patch::Merge(json!({ "binaryData": part }));
        api.patch(&name.unwrap(), &Default::default(), &patch)
            .await
            .unwrap();
        let said = match persist::load(&client).await {
            Err(error @ LoadError::Version(_)) => error.to_string(),
            Err(other) => panic!("{other}"),
            Ok(loaded) => {
                let loaded = loaded.unwrap();
                assert_eq!(loaded.missing().len(), 1);
                loaded.unreadable.values().next().unwrap().to_string()
            }
        };
        let told = format!(
            "it is of schema `{schema}/v2`, which a newer Starform wrote, and `{schema}/v1` is understood here; upgrade the side that reads it"
        );
        assert!(said.ends_with(&told), "{said}");
        assert!(
            !said.contains("delete") && !said.contains("damaged"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_bundle_is_missing_and_comes_back() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let (index, bundles) = successor(&Index::empty(some_cluster()), &[project("one", "a")]);
    persist::save(&client, &index, &bundles, None)
        .await
        .unwrap();
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), persist::NAMESPACE);
    let name = kept(&client)
        .await
        .into_keys()
        .find(|name| name.starts_with("starform-part-"));
    let name = name.unwrap();
    let forged = json!({"binaryData": {"part.zst": "AAAA"}});
    api.patch(
        &name,
        &Default::default(),
        &kube::api::Patch::Merge(&forged),
    )
    .await
    .unwrap();

    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!(
        loaded.missing(),
        index.bundles().into_iter().cloned().collect::<Vec<_>>()
    );
    let alone = persist::save(
        &client,
        &index,
        &loaded.bundles,
        Some(loaded.version.clone()),
    )
    .await;
    assert!(
        matches!(alone, Err(SaveError::MissingBundle(_))),
        "{alone:?}"
    );
    persist::save(&client, &index, &bundles, Some(loaded.version))
        .await
        .unwrap();
    let loaded = persist::load(&client).await.unwrap().unwrap();
    assert_eq!((loaded.index, loaded.bundles), (index, bundles));
}

#[tokio::test(flavor = "multi_thread")]
async fn inventory_shards_come_back() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    assert!(persist::load_inventory(&client).await.unwrap().is_empty());
    let entry = InventoryEntry {
        project: project("one", "a").project_id(),
        environment: Some("production".to_owned()),
        service: None,
        uid: Some("u".to_owned()),
        fields: None,
        done: None,
    };
    let shard = |number: u16| InventoryShard {
        number,
        entries: [(
            format!("core/Secret/sf-one/s{number}").parse().unwrap(),
            entry.clone(),
        )]
        .into(),
    };
    for number in [0, 7] {
        persist::save_inventory(&client, &shard(number))
            .await
            .unwrap();
    }
    let mut emptied = shard(7);
    emptied.entries.clear();
    persist::save_inventory(&client, &emptied).await.unwrap();
    let loaded = persist::load_inventory(&client).await.unwrap();
    assert_eq!(loaded, [shard(0), emptied]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_values_of_what_nobody_knows_any_more_go_with_the_first_desired_state() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let object = |name: &str| ObjectKey::new("", "Secret", Some("sf-envelopes"), name);
    let (listed, gone) = (object("listed"), object("gone"));
    let envelopes = Envelopes {
        references: BTreeMap::new(),
        values: BTreeMap::new(),
    };
    for object in [&listed, &gone] {
        persist::save_envelopes(&client, object, &envelopes)
            .await
            .unwrap();
    }
    let entry = InventoryEntry {
        project: project("one", "a").project_id(),
        environment: None,
        service: None,
        uid: None,
        fields: None,
        done: None,
    };
    let shard = InventoryShard {
        number: 0,
        entries: BTreeMap::from([(listed.clone(), entry)]),
    };
    persist::save_inventory(&client, &shard).await.unwrap();

    let access = Access::of_person(client.clone());
    let values = Values::Home(client.clone());
    let mut driver = Driver::start(access, some_cluster(), None, values, Metrics::default())
        .await
        .unwrap();
    let (doubted, bundles) = successor(&Index::empty(some_cluster()), &[project("one", "a")]);
    let bundles = bundles.into_iter();
    let bundles = bundles.map(|(digest, bundle)| (digest, Arc::new(bundle)));
    let nothing = doubted.successor(BTreeMap::new());
    let state = |index: &Index, bundles| Desired {
        index: index.clone(),
        bundles,
    };
    // A bundle is missing, then one without our labels, which is refused.
    for bundles in [BTreeMap::new(), bundles.collect()] {
        driver.desire(state(&doubted, bundles));
        for object in [&listed, &gone] {
            let kept = persist::load_envelopes(&client, object).await.unwrap();
            assert_eq!(kept.as_ref(), Some(&envelopes));
        }
    }
    driver.desire(state(&nothing, BTreeMap::new()));
    eventually("the sealed values to go", || async {
        let kept = persist::load_envelopes(&client, &gone).await.unwrap();
        kept.is_none().then_some(())
    })
    .await;
    let kept = persist::load_envelopes(&client, &listed).await.unwrap();
    assert_eq!(kept, Some(envelopes));
}
