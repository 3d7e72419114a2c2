//! Hosts where systemd is the first process and SELinux is on: who starts the servers there, and what they may use.

mod vm;

use vm::Vm;

/// An instance in a vars file, with more of its options.
fn instance(name: &str, port: u16, more: &str) -> String {
    format!("  - {{name: {name}, rootpw: secret12345, port: {port}, secure_port: {}{more}}}\n", port + 1)
}

impl Vm {
    /// Writes a vars file and does with it what `aviary-ds389` is told.
    fn writes(&mut self, instances: &str) {
        self.does(&format!("cat >/srv/vars.yml <<'END'\nds389_instances:\n{instances}END"));
    }

    fn apply(&mut self, how: &str) -> String {
        let said = self.does(&format!("aviary-ds389 apply --yes {how} /srv/vars.yml"));
        let again = self.does(&format!("aviary-ds389 plan {how} /srv/vars.yml"));
        assert_eq!(again, "No changes: everything is as it should be.", "after {said}");
        said
    }

    /// The number of a server's process, by its own file.
    fn process(&mut self, name: &str) -> String {
        self.does(&format!("cat /run/dirsrv/slapd-{name}.pid"))
    }

    /// What systemd says of a unit: whether it starts with the host, what it is, and its process.
    fn unit(&mut self, name: &str) -> [String; 3] {
        ["UnitFileState", "ActiveState", "MainPID"]
            .map(|property| self.does(&format!("systemctl show --property {property} --value dirsrv@{name}")))
    }
}

#[test]
#[ignore = "needs a machine that is emulated: tests/run systemd makes it"]
fn servers_are_of_systemd_which_starts_them_with_the_host() {
    let mut vm = Vm::start();
    let (one, other) = (instance("one", 3389, ""), instance("other", 4389, ", systemd: off"));
    vm.writes(&format!("{one}{other}"));
    vm.apply("");
    let first = vm.process("one");
    assert_eq!(vm.unit("one"), ["enabled", "active", &first]);
    // One that was made to do without is nobody's but ours.
    assert_eq!(vm.unit("other"), ["disabled", "inactive", "0"]);
    assert!(vm.does("cat /proc/$(cat /run/dirsrv/slapd-other.pid)/cgroup").ends_with("/guest.service"));

    // A restart is the unit's.
    let changed = instance("one", 3389, ", nsslapd_idlistscanlimit: 4001");
    vm.writes(&format!("{changed}{other}"));
    assert!(vm.apply("").contains("Restarting instance slapd-one"));
    let second = vm.process("one");
    assert_ne!(second, first);
    assert_eq!(vm.unit("one"), ["enabled", "active", &second]);

    for (befalls, left) in [("systemctl stop dirsrv@one", "inactive"), ("kill -9 $(cat /run/dirsrv/slapd-one.pid)", "failed")] {
        vm.does(befalls);
        vm.does("until ! systemctl is-active dirsrv@one; do sleep 0.2; done");
        assert_eq!(vm.unit("one")[1], left);
        assert!(vm.apply("").contains("Starting instance slapd-one"), "{befalls}");
        assert_eq!(vm.unit("one")[..2], ["enabled", "active"]);
    }
    // It stays its unit's, whatever an administrator has done to that.
    vm.does("systemctl disable dirsrv@one && systemctl stop dirsrv@one");
    assert!(vm.apply("").contains("Starting instance slapd-one"));
    let third = vm.process("one");
    assert_eq!(vm.unit("one"), ["disabled", "active", &third]);
    vm.does("systemctl stop dirsrv@one && systemctl mask dirsrv@one");
    let said = vm.fails("aviary-ds389 apply --yes /srv/vars.yml");
    assert!(said.contains("systemd does not start instance slapd-one") && said.contains("masked"), "{said}");
    vm.does("systemctl unmask dirsrv@one");
    vm.apply("");
    assert_eq!(vm.unit("one")[1], "active");
    vm.does("systemctl enable dirsrv@one");

    vm.apply("--state stopped");
    assert_eq!(vm.unit("one")[..2], ["enabled", "inactive"]);
    assert_eq!(vm.does("systemctl --failed --no-legend"), "");

    vm.restart();
    assert_eq!(vm.unit("one")[..2], ["enabled", "active"]);
    // Its folders in /run are gone with the old start.
    assert!(!vm.does("ls /run/dirsrv /run/lock/dirsrv").contains("other"));
    let said = vm.apply("");
    assert!(said.contains("Starting instance slapd-other") && !said.contains("slapd-one"), "{said}");

    vm.apply("--state absent");
    assert_eq!(vm.unit("one"), ["disabled", "inactive", "0"]);
    let left = vm.does("ls -A /etc/tmpfiles.d /run/dirsrv /run/lock/dirsrv /var/lib/dirsrv; systemctl --failed --no-legend");
    assert!(!left.contains("one") && !left.contains("other"), "{left}");
}

#[test]
#[ignore = "needs a machine that is emulated: tests/run systemd makes it"]
fn servers_may_use_the_folders_and_ports_that_they_are_given() {
    const OURS: &str = "semanage port --list --locallist --noheading; semanage fcontext --list --locallist --noheading";
    const APPLY: &str = "aviary-ds389 apply --yes /srv/vars.yml";
    let mut vm = Vm::start();
    vm.does("test -e /sys/fs/selinux/enforce");

    // Debian's policy knows no directory: what it knows is enough for the usual folders, and for others there is a way.
    let elsewhere = ", config_dir: /srv/my.conf/slapd-one, db_dir: /srv/data";
    vm.writes(&instance("one", 3389, elsewhere));
    let said = vm.fails(APPLY);
    assert!(said.contains("dirsrv_config_t") && said.contains("set option 'selinux' to off to do without"), "{said}");
    assert_eq!(vm.does(&format!("{OURS}; ls -d /srv/my.conf/* /etc/dirsrv/slapd-* 2>/dev/null || true")), "");
    vm.writes(&instance("one", 3389, &format!("{elsewhere}, selinux: off")));
    vm.apply("");
    // That is so for all that it is ever told.
    vm.writes(&instance("one", 8080, elsewhere));
    vm.apply("");
    assert_eq!(vm.does(OURS), "");
    vm.apply("--state absent");

    vm.does("semodule --install /root/dirsrv.cil");
    vm.writes(&instance("one", 3389, elsewhere));
    vm.apply("");
    for (path, label) in [
        ("/srv/my.conf/slapd-one/dse.ldif", "dirsrv_config_t"),
        ("/srv/my.conf/slapd-one/schema", "dirsrv_config_t"),
        ("/srv/data", "dirsrv_var_lib_t"),
        ("/var/lib/dirsrv/slapd-one/bak", "dirsrv_var_lib_t"),
        ("/var/log/dirsrv/slapd-one/errors", "dirsrv_var_log_t"),
    ] {
        let found = vm.does(&format!("stat --format %C {path}"));
        assert!(found.contains(&format!(":{label}:")), "{path} is {found}");
    }
    let ours = vm.does(OURS);
    assert_eq!(ours.lines().count(), 3, "a line for the ports and one for each folder: {ours}");

    // Ports of others are refused, then and later, and nothing of it stays.
    let two = instance("two", 6999, "");
    vm.writes(&format!("{}{two}", instance("one", 3389, elsewhere)));
    let said = vm.fails(APPLY);
    assert!(said.contains("port 7000 has the SELinux label gatekeeper_port_t"), "{said}");
    assert_eq!(vm.does(OURS), ours);
    vm.fails("test -e /etc/dirsrv/slapd-two");
    vm.writes(&instance("one", 8080, elsewhere));
    let said = vm.fails(APPLY);
    assert!(said.contains("port 8080 has the SELinux label http_cache_port_t"), "{said}");
    vm.writes(&instance("one", 5389, elsewhere));
    vm.apply("");
    assert!(vm.does("semanage port --list --locallist").contains("5389, 5390"));

    vm.apply("--state absent");
    assert_eq!(vm.does(OURS), "");
}
