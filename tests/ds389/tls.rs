//! Certificates of real servers: taken in, shown to clients, replaced; refused when they are of no use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use agent::host::Event;
use directory::{action::Step, replication::Outcome};

use crate::machine::{Machine, element, instance, secure_instance, until};

/// Authorities and certificates, made with openssl.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder };
        made.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=Authority");
        made
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    #[track_caller]
    fn openssl(&self, arguments: &str) -> String {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(self.folder.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A certificate and key in `NAME.pem` and `NAME.key`.
    fn issue(&self, name: &str, key: &str, host: &str, days: &str) {
        let key = match key {
            "rsa" => "rsa:2048".to_owned(),
            curve => format!("ec -pkeyopt ec_paramgen_curve:{curve}"),
        };
        self.openssl(&format!("req -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={host}"));
        fs::write(self.folder.path().join("extensions"), format!("subjectAltName=DNS:{host},DNS:localhost\n")).unwrap();
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem {days} -extfile extensions"
        ));
    }

    fn fingerprint(&self, name: &str) -> String {
        self.openssl(&format!("x509 -in {name}.pem -noout -fingerprint -sha256"))
    }

    /// The options of a certificate of ours.
    fn options(&self, name: &str) -> String {
        format!(
            ", full_machine_name: vm, tls_cert: {}, tls_key: {}",
            self.path(&format!("{name}.pem")),
            self.path(&format!("{name}.key"))
        )
    }

    /// What a client sees that trusts this authority and asks for a host: the fingerprint of the certificate.
    fn seen(&self, port: u16, host: &str) -> Result<String, String> {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-verify_return_error", "-verify_hostname", host]);
        let output = command.arg("-CAfile").arg(self.path("ca.pem")).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned() + &text);
        }
        fs::write(self.folder.path().join("seen.pem"), text).unwrap();
        Ok(self.fingerprint("seen"))
    }
}

fn secure_port(wanted: &str) -> u16 {
    let (_, rest) = wanted.split_once("secure_port: ").unwrap();
    rest.split([',', '}']).next().unwrap().parse().unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[tokio::test]
async fn a_new_instance_shows_the_certificate_that_it_was_given_and_then_the_next() {
    let authority = Authority::new();
    authority.issue("one", "rsa", "vm", "-days 20");
    authority.issue("two", "P-384", "vm", "-days 40");
    authority.issue("three", "P-521", "vm", "-days 40");
    let machine = Machine::new();
    let one = instance("tls", &format!("{}, tls_ca: [{}]", authority.options("one"), authority.path("ca.pem")));
    let expected = [
        "Creating instance slapd-tls".to_owned(),
        format!("Importing certificate {} into instance slapd-tls", authority.path("one.pem")),
        format!("Trusting authorities of {} in instance slapd-tls", authority.path("ca.pem")),
        "Starting instance slapd-tls".to_owned(),
    ];
    assert_eq!(machine.apply(&one).await, expected);
    let port = secure_port(&one);
    assert_eq!(authority.seen(port, "vm"), Ok(authority.fingerprint("one")));
    assert!(authority.seen(port, "other").unwrap_err().contains("hostname mismatch"));

    for name in ["two", "three"] {
        // A file that has changed is as good as another file.
        for ending in ["pem", "key"] {
            fs::copy(authority.path(&format!("{name}.{ending}")), authority.path(&format!("one.{ending}"))).unwrap();
        }
        let expected = [
            format!("Importing certificate {} into instance slapd-tls", authority.path("one.pem")),
            "Restarting instance slapd-tls".to_owned(),
        ];
        assert_eq!(machine.apply(&one).await, expected);
        assert_eq!(authority.seen(port, "vm"), Ok(authority.fingerprint(name)));
    }
    let found: Vec<PathBuf> = files(Path::new(machine.prefix.path()));
    assert!(!found.iter().any(|path| path.display().to_string().contains(".aviary-certificates")));
    let key = fs::read_to_string(authority.path("three.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for path in found {
        let bytes = fs::read(&path).unwrap_or_default();
        // The server itself keeps keys in its PEM files, for its own connections.
        let is_servers = path.extension().is_some_and(|ending| ending == "pem");
        assert!(is_servers || !String::from_utf8_lossy(&bytes).contains(secret), "{}", path.display());
    }
    assert_eq!(machine.apply("state: absent").await, ["Removing instance slapd-tls"]);
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_replaced_and_may_be_its_own_authority() {
    let authority = Authority::new();
    let machine = Machine::new();
    let plain = secure_instance("selfsigned");
    machine.apply(&plain).await;
    authority.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 30 -subj /CN=vm -addext subjectAltName=DNS:vm",
    );
    let own = authority.path("own.pem");
    let wanted = plain.replace("rootpw: secret12", &format!("rootpw: secret12{}, tls_ca: [{own}]", authority.options("own")));
    machine.apply(&wanted).await;
    fs::copy(&own, authority.path("ca.pem")).unwrap();
    assert_eq!(authority.seen(secure_port(&wanted), "vm"), Ok(authority.fingerprint("own")));

    // Another of the same name, while the old one is still trusted.
    fs::copy(&own, authority.path("old.pem")).unwrap();
    authority.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 31 -subj /CN=vm -addext subjectAltName=DNS:vm",
    );
    let both = wanted.replace(&format!("tls_ca: [{own}]"), &format!("tls_ca: [{own}, {}]", authority.path("old.pem")));
    machine.apply(&both).await;
    fs::copy(&own, authority.path("ca.pem")).unwrap();
    assert_eq!(authority.seen(secure_port(&wanted), "vm"), Ok(authority.fingerprint("own")));
}

#[tokio::test]
async fn what_stands_between_certificate_and_authority_is_sent_too() {
    let authority = Authority::new();
    authority.openssl("req -newkey rsa:2048 -nodes -keyout middle.key -out middle.csr -subj /CN=Middle");
    fs::write(authority.path("middle.ext"), "basicConstraints=critical,CA:TRUE\n").unwrap();
    authority.openssl(
        "x509 -req -in middle.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out middle.pem -days 20 -extfile middle.ext",
    );
    authority.openssl("req -newkey rsa:2048 -nodes -keyout chained.key -out chained.csr -subj /CN=vm");
    fs::write(authority.path("extensions"), "subjectAltName=DNS:vm\n").unwrap();
    authority.openssl("x509 -req -in chained.csr -CA middle.pem -CAkey middle.key -CAcreateserial -out chained.pem -days 20 -extfile extensions");
    let [one, other] = ["chained.pem", "middle.pem"].map(|name| fs::read_to_string(authority.path(name)).unwrap());
    fs::write(authority.path("chained.pem"), one + &other).unwrap();
    let machine = Machine::new();
    let wanted = instance("chain", &authority.options("chained"));
    machine.apply(&wanted).await;
    assert_eq!(authority.seen(secure_port(&wanted), "vm"), Ok(authority.fingerprint("chained")));
}

#[tokio::test]
async fn a_file_that_is_of_no_use_is_refused_by_its_option() {
    let authority = Authority::new();
    authority.issue("good", "rsa", "vm", "-days 20");
    authority.issue("foreign", "P-256", "elsewhere", "-days 20");
    authority.issue("old", "rsa", "vm", "-days -1");
    authority.openssl("pkcs8 -topk8 -in good.key -out locked.key -passout pass:secret");
    fs::write(authority.path("empty.pem"), "nothing").unwrap();
    authority.openssl("genrsa -out small.key 1024");
    let machine = Machine::new();
    let (good, key) = (authority.path("good.pem"), authority.path("good.key"));
    for (cert, key, more, expected) in [
        (good.clone(), authority.path("none.key"), "", "option 'tls_key' is "),
        (good.clone(), authority.path("locked.key"), "", "its key needs a password; write it without one"),
        (good.clone(), authority.path("foreign.key"), "", "that is not the key of the first certificate in tls_cert"),
        (good.clone(), authority.path("small.key"), "", "RSA with 2048 bits or more"),
        (good.clone(), good.clone(), "", "it has no private key in PEM"),
        (authority.path("empty.pem"), key.clone(), "", "it has no certificate in PEM"),
        (
            authority.path("foreign.pem"),
            authority.path("foreign.key"),
            "",
            "is for elsewhere, localhost, not for vm, which is full_machine_name",
        ),
        (authority.path("old.pem"), authority.path("old.key"), "", "the certificate ended on "),
        (good.clone(), key.clone(), ", tls_ca: [/nowhere.pem]", "option 'tls_ca' has /nowhere.pem, but it cannot be read"),
    ] {
        let wanted = instance("refused", &format!(", full_machine_name: vm, tls_cert: {cert}, tls_key: {key}{more}"));
        let problems = machine.plan(&wanted).await.unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
    }
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn an_import_that_is_interrupted_is_finished_by_the_next_apply() {
    let authority = Authority::new();
    authority.issue("one", "rsa", "vm", "-days 20");
    authority.issue("two", "rsa", "vm", "-days 20");
    let machine = Machine::new();
    let wanted = instance("unfinished", &authority.options("one"));
    machine.apply(&wanted).await;
    let next = wanted.replace("one.pem", "two.pem").replace("one.key", "two.key");
    let actions = machine.plan(&next).await.unwrap();
    assert!(matches!(actions[1].step, Step::Restart), "{actions:?}");
    {
        // Killed when the certificate is in the database, and the server still shows the other.
        let mut killed = |event: Event<'_>| {
            if matches!(event, Event::Begins(action) if matches!(action.step, Step::Restart)) {
                std::panic::resume_unwind(Box::new("killed"));
            }
        };
        let apply = std::panic::AssertUnwindSafe(machine.host.carry_out(&actions, &mut killed));
        assert!(futures::FutureExt::catch_unwind(apply).await.is_err());
    }
    // And a copy that an earlier one has left.
    let copy = Path::new(machine.prefix.path()).join("etc/dirsrv/slapd-unfinished/.aviary-certificates");
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("cert9.db"), "half").unwrap();
    let port = secure_port(&wanted);
    assert_eq!(authority.seen(port, "vm"), Ok(authority.fingerprint("one")));
    assert_eq!(machine.apply(&next).await, ["Restarting instance slapd-unfinished"]);
    assert_eq!(authority.seen(port, "vm"), Ok(authority.fingerprint("two")));
}

#[tokio::test]
async fn no_key_and_no_password_is_in_the_arguments_or_the_environment_of_a_program() {
    let authority = Authority::new();
    authority.issue("one", "rsa", "vm", "-days 20");
    let machine = Machine::new();
    let wanted = instance("watched", &authority.options("one"));
    machine.apply(&secure_instance("watched")).await;
    let bin = Path::new(machine.prefix.path()).join("bin");
    let log = Path::new(machine.prefix.path()).join("calls");
    fs::create_dir(&bin).unwrap();
    for name in ["certutil", "pk12util"] {
        let script = format!("#!/bin/sh\n{{ echo \"$0 $@\"; env; }} >>{}\nexec /usr/bin/{name} \"$@\"\n", log.display());
        fs::write(bin.join(name), script).unwrap();
        fs::set_permissions(bin.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let inf = Path::new(machine.prefix.path()).join("share/dirsrv/inf/defaults.inf");
    let text = fs::read_to_string(&inf).unwrap().replace("bin_dir = /usr/bin", &format!("bin_dir = {}", bin.display()));
    fs::write(&inf, text).unwrap();
    let host = agent::host::Host::find(Some(machine.prefix.path())).unwrap();
    let port = secure_port(&wanted);
    let actions = host.plan(&crate::machine::wanted(&wanted)).await.unwrap().unwrap();
    host.carry_out(&actions, &mut |_| {}).await.unwrap();
    assert_eq!(authority.seen(port, "vm"), Ok(authority.fingerprint("one")));
    let calls = fs::read_to_string(&log).unwrap();
    assert!(calls.contains("pk12util"), "{calls}");
    let config = Path::new(machine.prefix.path()).join("etc/dirsrv/slapd-watched");
    let password = fs::read_to_string(config.join("pwdfile.txt")).unwrap();
    let key = fs::read_to_string(authority.path("one.key")).unwrap();
    for secret in [password.trim(), key.lines().nth(1).unwrap(), "secret12"] {
        assert!(!calls.contains(secret));
    }
}

/// A server with a certificate of an authority, which trusts that authority, and one replica.
fn replica(authority: &Authority, name: &str, host: &str, replica: &str) -> String {
    authority.issue(name, "rsa", host, "-days 20");
    let options = authority.options(name).replace("full_machine_name: vm", &format!("full_machine_name: {host}"));
    let bind = "ReplicaBindDN: 'cn=manager,cn=config', ReplicaCredentials: secret34";
    let backend = format!("{{name: root, suffix: 'dc=test', create_suffix_entry: yes, {bind}, {replica}}}");
    element(name, &format!("{options}, tls_ca: [{}], backends: [{backend}]", authority.path("ca.pem")))
}

#[tokio::test]
async fn another_server_sends_only_where_name_and_certificate_agree() {
    let authority = Authority::new();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned();
    let consumer = replica(&authority, "tlscon", &host, "ReplicaRole: consumer");
    let port = secure_port(&consumer);
    let agreement = |name: &str, host: &str| {
        let bind = "ReplicaBindDN: 'cn=manager,cn=config', ReplicaCredentials: secret34";
        format!("{{name: {name}, ReplicaHost: {host}, ReplicaPort: {port}, ReplicaTransportInfo: LDAPS, {bind}}}")
    };
    let agreements = format!("agmts: [{}, {}]", agreement("by_name", &host), agreement("by_address", "127.0.0.1"));
    let supplier = replica(&authority, "tlssup", &host, &format!("ReplicaRole: supplier, ReplicaId: 1, {agreements}"));
    let machine = Machine::new();
    machine.apply(&format!("ds389_instances: [{consumer}, {supplier}]")).await;
    let said = |name: &'static str| {
        let look = async || machine.agreement("tlssup", name).await.update.filter(|update| update.code != 0);
        until(look, Option::is_some)
    };
    // It has connected, and found that the consumer was not initialised.
    assert_eq!(said("by_name").await.unwrap().code, Outcome::OTHER_DATA);
    let refused = said("by_address").await.unwrap();
    assert!(refused.code < 0 && refused.text.contains("Can't contact LDAP server"), "{refused:?}");
}
