//! What a file says as resources of a cluster: what is printed, what is told, and what is refused. No server is needed.

use std::path::Path;

use super::run;

const SUPPLIER: &str = "\
ds389_instances:
- name: main
  rootpw: secret-of-root
  backends:
  - name: userroot
    suffix: dc=example,dc=com
    ReplicaRole: supplier
    ReplicaId: 1
    agmts:
    - name: elsewhere
      ReplicaHost: ldap.example.org
      ReplicaPort: 636
      ReplicaCredentials: secret-of-others
";

const INSTANCE: &str = "\
apiVersion: ds389.aviary.dev/v1alpha1
kind: DS389Instance
metadata:
  name: main
";

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("directory.yml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_no_resource_can_say_is_refused_unless_it_is_to_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), SUPPLIER);
    let unsupported = format!(
        "{file}:10:7: instance main, backend userroot, agreement elsewhere: sends to ldap.example.org:636, which is no replicated \
         backend of a host that is known here, without TLS; a resource has ReplicaTransportInfo LDAPS or StartTLS\n"
    );
    let refused = run(&["resources", &file], "");
    let advice = "nothing was printed: change this, or have it left out by --skip-unsupported\n";
    assert_eq!((refused.code, refused.out.as_str(), refused.err), (1, "", format!("{unsupported}{advice}")));
    let told = run(&["resources", &file, "--output", "json"], "");
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["problems"][0]["place"], "main.userroot.elsewhere");

    let skipped = run(&["resources", &file, "--skip-unsupported", "--directory-manager-secret", "root"], "");
    let password = format!(
        "{file}:2:3: instance main: rootpw left out, for it is a secret: put it into the key `password` of the Secret root\n"
    );
    assert_eq!((skipped.code, skipped.err), (0, format!("{password}{unsupported}")));
    assert!(skipped.out.starts_with("# instance main: rootpw left out") && skipped.out.contains(INSTANCE), "{}", skipped.out);
    assert!(!skipped.out.contains("secret-of") && !skipped.out.contains("DS389Agreement"), "{}", skipped.out);
}

#[test]
fn standard_input_is_read_and_programs_get_one_list() {
    let input = "ds389_instances: [{name: main, nsslapd_sizelimit: 5}]";
    let listed = run(&["resources", "-", "--namespace", "ldap", "--output", "json"], input);
    assert_eq!((listed.code, listed.err.as_str()), (0, ""));
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let expected = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [{
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance", "metadata": {"name": "main", "namespace": "ldap"},
        "spec": {"config": {"nsslapdSizelimit": 5}},
    }]});
    assert_eq!(listed, expected);
    let stopped = run(&["resources", "-", "--state", "stopped"], input);
    let expected = format!("{INSTANCE}spec:\n  started: false\n  config:\n    nsslapdSizelimit: 5\n");
    assert_eq!((stopped.code, stopped.out), (0, expected));
}

#[test]
fn a_file_without_anything_to_print_and_names_that_cannot_be_are_refused() {
    let input = "ds389_instances: [{name: main, state: absent}]";
    let nothing = run(&["resources", "-"], input);
    let told = "standard input:1:19: instance main: left out, for it should not be there\n\
                standard input has no instance that should be there, so that there is nothing to print\n";
    assert_eq!((nothing.code, nothing.out.as_str(), nothing.err.as_str()), (1, "", told));
    for (flag, name) in [("--namespace", "a.b"), ("--namespace", "A"), ("--directory-manager-secret", "a_b")] {
        let refused = run(&["resources", "-", flag, name], input);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{flag} {name}");
    }
}
