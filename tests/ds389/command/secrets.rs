//! No secret is in anything that the command writes or hands on.

use super::{Machine, ports, run};

const SECRETS: [&str; 3] = ["marked-secret-of-root", "marked-secret-of-manager", "marked-secret-of-agreement"];

#[test]
fn no_output_has_a_secret_in_any_form() {
    let machine = Machine::new();
    let (port, secure_port) = ports();
    let [root, manager, agreement] = SECRETS;
    let text = format!(
        "ds389_instances:\n- name: cmdsecret\n  rootpw: {root}\n  port: {port}\n  secure_port: {secure_port}\n  backends:\n  - name: userroot\n    \
         suffix: dc=example,dc=com\n    ReplicaRole: supplier\n    ReplicaId: 7\n    ReplicaBindDN: cn=replication,cn=config\n    \
         ReplicaCredentials: {manager}\n    agmts:\n    - name: one\n      ReplicaHost: 127.0.0.1\n      ReplicaPort: 1\n      \
         ReplicaBindDN: cn=replication,cn=config\n      ReplicaCredentials: {agreement}\n"
    );
    let file = machine.file("secrets.yml", &text);
    let changed = machine.file("changed.yml", &text.replace(root, "marked-secret-of-root-2"));
    let mut written = String::new();
    let mut take = |arguments: &[&str]| {
        let outcome = machine.run(&[arguments, &["-vv"]].concat());
        written.push_str(&format!("{arguments:?}\n{}{}", outcome.out, outcome.err));
        outcome.code
    };
    for format in ["text", "json"] {
        assert_eq!(take(&["plan", &file, "--diff", "--output", format]), 0);
    }
    assert_eq!(take(&["apply", &file, "--diff"]), 0);
    for arguments in [
        &["plan", &changed, "--diff"][..],
        &["apply", &changed, "--output", "json"],
        &["facts"],
        &["status"],
        &["facts", "--output", "json"],
    ] {
        assert_eq!(take(arguments), 0, "{arguments:?}");
    }
    // And what goes wrong: a secret where another kind of value should be, and one that looks like a template.
    let wrong = machine.file("wrong.yml", &text.replace(root, "[marked-secret-of-root]"));
    assert_eq!(take(&["plan", &wrong]), 1);
    let template = machine.file("template.yml", &text.replace(root, "'marked-secret-of-root {{ x }}'"));
    assert_eq!(take(&["plan", &template]), 1);
    assert!(written.contains("******") && written.contains("cmdsecret"), "{written}");
    assert!(!written.contains("marked-secret"), "{written}");
    let environment = run(&["plan", "-", "--prefix", machine.prefix.path()], &text);
    assert!(!environment.out.contains("marked-secret") && !environment.err.contains("marked-secret"));
}
