//! What images are pulled with is taken as `docker login` and `kubectl create secret` write it, and nothing else.

use starform_contract::registry::{NotCredentials, check_credentials};

#[test]
fn what_the_kubelet_can_use_is_taken() {
    for text in [
        // robot:p:w
        r#"{"auths":{"r.example":{"auth":"cm9ib3Q6cDp3"}}}"#,
        r#"{"auths":{"r.example":{"username":"robot","password":"p\"w","auth":"x"},"s.example":{"auth":"cm9ib3Q6cDp3"}},"credsStore":"desktop"}"#,
    ] {
        assert_eq!(check_credentials(text), Ok(()), "{text}");
    }
}

#[test]
fn what_it_cannot_use_is_refused_without_being_repeated() {
    for (text, fault) in [
        ("swordfish", NotCredentials::NotJson),
        (r#"["swordfish"]"#, NotCredentials::NotJson),
        (r#"{"auths":"swordfish"}"#, NotCredentials::NotJson),
        (
            r#"{"auths":{"r.example":{"auth":7}}}"#,
            NotCredentials::NotJson,
        ),
        (r#"{"credsStore":"swordfish"}"#, NotCredentials::NoRegistry),
        (r#"{"auths":{}}"#, NotCredentials::NoRegistry),
        (r#"{"auths":{"r.example":{}}}"#, NotCredentials::NoPassword),
        // Not base64; base64 without a colon; without a user.
        (
            r#"{"auths":{"r.example":{"auth":"swordfish:"}}}"#,
            NotCredentials::NoPassword,
        ),
        (
            r#"{"auths":{"r.example":{"auth":"c3dvcmRmaXNo"}}}"#,
            NotCredentials::NoPassword,
        ),
        (
            r#"{"auths":{"r.example":{"auth":"OnN3b3JkZmlzaA=="}}}"#,
            NotCredentials::NoPassword,
        ),
        (
            r#"{"auths":{"r.example":{"username":"swordfish"}}}"#,
            NotCredentials::NoPassword,
        ),
        // One that is whole does not make up for one that is not.
        (
            r#"{"auths":{"a.example":{"auth":"cm9ib3Q6cDp3"},"b.example":{"password":"swordfish"}}}"#,
            NotCredentials::NoPassword,
        ),
    ] {
        let refused = check_credentials(text).unwrap_err();
        assert_eq!(refused, fault, "{text}");
        assert!(!format!("{refused} {refused:?}").contains("swordfish"));
    }
}
