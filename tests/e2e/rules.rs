//! What the API server refuses of resources, by the rules in their definitions: each with a message that says what to do.

use serde_json::{Value, json};

use crate::{
    cluster::Namespace,
    fleet::{define, resource},
};

struct Resources {
    namespace: Namespace,
}

impl Resources {
    /// What the API server says against a new resource.
    fn against(&self, kind: &str, name: &str, spec: &Value) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), resource(kind, name, spec).to_string()).unwrap();
        let arguments = ["create", "--dry-run=server", "--filename", file.path().to_str().unwrap()];
        String::from_utf8(self.namespace.try_kubectl(&arguments).stderr).unwrap()
    }

    #[track_caller]
    fn refused(&self, kind: &str, spec: Value, expected: &str) {
        let said = self.against(kind, "one", &spec);
        assert!(said.contains(expected), "{spec}: {said}");
    }

    /// What it says against a change of one that is there.
    #[track_caller]
    fn unchangeable(&self, spec: Value, expected: &str) {
        let patch = json!({"spec": spec}).to_string();
        let arguments = ["patch", "ds389instance", "there", "--dry-run=server", "--type", "merge", "--patch", &patch];
        let said = String::from_utf8(self.namespace.try_kubectl(&arguments).stderr).unwrap();
        assert!(said.contains(expected), "{patch}: {said}");
    }
}

#[test]
fn what_one_resource_can_tell_to_be_wrong_is_refused_with_what_to_do() {
    define();
    let resources = Resources { namespace: Namespace::new("rules") };
    let backend = |more: Value| {
        let mut backend = json!({"name": "root", "suffix": "dc=test"});
        backend.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"backends": [backend]})
    };
    assert_eq!(resources.against("DS389Instance", "one", &backend(json!({"replicaRole": "supplier"}))), "");
    for (spec, expected) in [
        (backend(json!({"replicaId": 1})), "only suppliers have a number"),
        (backend(json!({"replicaRole": "hub", "replicaId": 1})), "only suppliers have a number"),
        (backend(json!({"replicaRole": "supplier", "replicaId": 65535})), "should be less than or equal to 65534"),
        (backend(json!({"replicaRole": "master"})), "supported values: \"None\", \"supplier\", \"hub\", \"consumer\""),
        (backend(json!({"sufix": "dc=test"})), "unknown field"),
        (
            json!({"backends": [{"name": "a", "suffix": "dc=test"}, {"name": "b", "suffix": "DC=Test"}]}),
            "two backends have the same suffix",
        ),
        (json!({"backends": [{"name": "a", "suffix": "dc=a"}, {"name": "a", "suffix": "dc=b"}]}), "Duplicate value"),
        (json!({"config": {"port": 389}}), "unknown field"),
        (json!({"services": [{"name": "a", "nodePort": 30000}]}), "only NodePort and LoadBalancer have one"),
        (json!({"services": [{"name": "a", "loadBalancerClass": "b"}]}), "are for the type LoadBalancer"),
        (json!({"services": [{"name": "much-too-long"}]}), "may not be more than 10"),
        (json!({"services": [{"name": "a"}, {"name": "a"}]}), "Duplicate value"),
        (json!({"tls": {"secretName": "a", "hosts": ["b"]}}), "tls.hosts is for certificates of the operator"),
        (json!({"initialData": [{"backend": "a"}]}), "initialData wants either configMap or secret"),
        (
            json!({"initialData": [{"backend": "a", "secret": {"name": "b", "key": "c"}, "configMap": {"name": "b", "key": "c"}}]}),
            "initialData wants either configMap or secret",
        ),
        (
            json!({"initialData": [{"backend": "a", "secret": {"name": "b", "key": "c"}, "store": {"url": "s3://b/c.ldif"}}]}),
            "initialData wants either configMap or secret",
        ),
        (json!({"initialData": [{"backend": "a", "store": {"url": "/data/c.ldif"}}]}), "should match"),
        (
            json!({"backends": [{"name": "b", "suffix": "dc=b"}], "initialData": [{"backend": "a", "secret": {"name": "b", "key": "c"}}]}),
            "names a backend that is not in spec.backends",
        ),
    ] {
        resources.refused("DS389Instance", spec, expected);
    }
    assert!(resources.against("DS389Instance", &"a".repeat(53), &json!({})).contains("more than 52 characters"));
    assert!(resources.against("DS389Instance", "a.b", &json!({})).contains("the name has a dot"));

    let there =
        json!({"storage": {"size": "2Gi"}, "config": {"dbLib": "bdb"}, "backends": [{"name": "root", "suffix": "dc=test"}]});
    resources.namespace.apply(&resource("DS389Instance", "there", &there).to_string());
    for (spec, expected) in [
        (json!({"storage": {"size": "1Gi"}}), "volumes can only grow"),
        (json!({"storage": {"storageClassName": "other"}}), "storage.storageClassName cannot be changed"),
        (json!({"config": {"dbLib": "mdb"}}), "config.dbLib cannot be changed"),
        (json!({"backends": [{"name": "root", "suffix": "dc=other"}]}), "the suffix of a backend cannot be changed"),
    ] {
        resources.unchangeable(spec, expected);
    }

    let outside = |more: Value| {
        let mut server = json!({"name": "a", "host": "ldap.example.org"});
        server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"instance": "a", "external": [server]})
    };
    for good in [
        json!({"instance": "a", "targets": ["b"]}),
        outside(json!({"bindDn": "cn=b", "secretName": "b"})),
        outside(json!({"bindMethod": "Certificate", "transport": "StartTLS"})),
    ] {
        assert_eq!(resources.against("DS389Agreement", "one", &good), "");
    }
    for (spec, expected) in [
        (json!({"targets": ["b"]}), "nothing says who sends"),
        (json!({"suffix": "dc=test", "backend": "root", "targets": ["b"]}), "spec.backend is one of an instance"),
        (json!({"instance": "a"}), "nothing says who receives"),
        (json!({"instance": "a", "targets": []}), "nothing says who receives"),
        (json!({"instance": "a", "external": []}), "nothing says who receives"),
        (outside(json!({"bindDn": "cn=b"})), "bindMethod is Simple: give bindDn"),
        (outside(json!({"secretName": "b"})), "bindMethod is Simple: give bindDn"),
        (outside(json!({"bindMethod": "Certificate", "bindDn": "cn=b"})), "the certificate says who binds"),
        (outside(json!({"bindMethod": "Certificate", "name": "a.b"})), "should match"),
        (outside(json!({"bindMethod": "Certificate", "transport": "LDAP"})), "supported values"),
        (outside(json!({"bindMethod": "Certificate", "host": ""})), "external[0].host"),
        (json!({"instance": "a", "targets": ["b", "b"]}), "Duplicate value"),
        (json!({"instance": "a", "targets": ["b"], "initialise": {"policy": "OnRequest"}}), "give initialise.requestId"),
        (json!({"instance": "a", "targets": ["b"], "initialise": {"policy": "Always"}}), "supported values"),
        (json!({"instance": "a", "targets": ["b"], "config": {"replicaHost": "h"}}), "unknown field"),
    ] {
        resources.refused("DS389Agreement", spec, expected);
    }
}
