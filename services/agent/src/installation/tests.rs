//! Finding what is installed, on folders made for it.

use super::*;

/// A prefix with a `defaults.inf` whose folders all lie below it.
pub(crate) fn prefix(version: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let mut text = format!("; a comment\n[other]\nversion = 9.9.9\n[slapd]\nversion = {version}\nuser = dirsrv\ngroup=dirsrv\n");
    text.push_str("root_dn = cn=Directory Manager\n# another\n");
    for (key, path) in [
        ("prefix", "usr"),
        ("bin_dir", "usr/bin"),
        ("sbin_dir", "usr/sbin"),
        ("data_dir", "usr/share"),
        ("tmp_dir", "tmp"),
        ("sysconf_dir", "etc"),
        ("run_dir", "run/dirsrv"),
        ("config_dir", "etc/dirsrv/slapd-{instance_name}"),
        ("schema_dir", "etc/dirsrv/slapd-{instance_name}/schema"),
        ("cert_dir", "etc/dirsrv/slapd-{instance_name}"),
        ("ldapi", "run/slapd-{instance_name}.socket"),
        ("pid_file", "run/dirsrv/slapd-{instance_name}.pid"),
        ("inst_dir", "usr/lib/dirsrv/slapd-{instance_name}"),
        ("lock_dir", "run/lock/dirsrv/slapd-{instance_name}"),
        ("log_dir", "var/log/dirsrv/slapd-{instance_name}"),
        ("db_dir", "var/lib/dirsrv/slapd-{instance_name}/db"),
        ("db_home_dir", "shm/slapd-{instance_name}"),
        ("backup_dir", "var/lib/dirsrv/slapd-{instance_name}/bak"),
        ("ldif_dir", "var/lib/dirsrv/slapd-{instance_name}/ldif"),
        ("tmpfiles_d", "etc/tmpfiles.d"),
        ("initconfig_dir", "etc/default"),
    ] {
        text.push_str(&format!("{key} = {root}/{path}\n"));
    }
    let file = folder.path().join(DEFAULTS);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    folder
}

/// The installation of such a prefix.
pub(crate) fn installed(prefix: &tempfile::TempDir) -> Installation {
    Installation::find(prefix.path().to_str()).unwrap()
}

#[test]
fn programs_and_folders_come_from_the_file() {
    let prefix = prefix("2.3.1");
    fs::create_dir_all(prefix.path().join("usr/bin")).unwrap();
    fs::write(prefix.path().join("usr/bin/certutil"), "").unwrap();
    let found = installed(&prefix);
    assert_eq!(found.version(), Version::new(2, 3, 1));
    assert_eq!(found.pk12util(), Path::new("pk12util"), "what is not there is looked for where all programs are");
    assert_eq!((found.user(), found.group(), found.root_dn()), ("dirsrv", "dirsrv", "cn=Directory Manager"));
    for (path, expected) in [
        (found.template(), "usr/share/dirsrv/data/template-dse.ldif"),
        (found.ns_slapd(), "usr/sbin/ns-slapd"),
        (found.originals(), "etc/dirsrv"),
        (found.configuration(), "etc/dirsrv"),
        (found.home("a"), "etc/dirsrv/slapd-a"),
        (found.path("db_dir", "a"), "var/lib/dirsrv/slapd-a/db"),
        (found.certutil(), "usr/bin/certutil"),
    ] {
        assert_eq!(path, prefix.path().join(expected));
    }
}

#[test]
fn a_prefix_may_stand_above_usr() {
    let folder = prefix("3.1.2");
    fs::create_dir(folder.path().join("usr")).unwrap();
    fs::rename(folder.path().join("share"), folder.path().join("usr/share")).unwrap();
    assert_eq!(installed(&folder).version(), Version::new(3, 1, 2));
}

#[test]
fn only_folders_with_a_configuration_are_instances() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    assert!(found.instances().unwrap().is_empty());
    for (folder, file) in [
        ("slapd-b", "dse.ldif"),
        ("slapd-a", "dse.ldif"),
        ("slapd-c", "dse.ldif.bak"),
        ("slapd-d.removed", "dse.ldif"),
        ("slapd-e", "dse.ldif.startOK"),
    ] {
        let folder = found.configuration().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), "").unwrap();
    }
    fs::create_dir(found.configuration().join("schema")).unwrap();
    // While a server writes its file anew there is only the one before.
    assert_eq!(found.instances().unwrap(), ["a", "b", "c"]);
}

#[test]
fn what_cannot_be_used_says_why() {
    let error = |prefix: &tempfile::TempDir| Installation::find(prefix.path().to_str()).unwrap_err();
    assert!(matches!(error(&tempfile::tempdir().unwrap()), Error::WrongPrefix { .. }));
    assert!(matches!(error(&prefix("1.4.4")), Error::TooOld { .. }));
    assert!(matches!(error(&prefix("new")), Error::Incomplete { key: "version", .. }));
    let damaged = prefix("2.3.1");
    fs::write(damaged.path().join(DEFAULTS), "[slapd]\nversion = 2.3.1\n").unwrap();
    assert!(matches!(error(&damaged), Error::Incomplete { key: "sbin_dir", .. }));
}

#[test]
fn names_cannot_leave_their_folder() {
    for name in ["localhost", "a", "A-1_b", "x@y:z#%"] {
        assert!(is_instance_name(name), "{name}");
    }
    for name in ["", ".", "..", "a/b", "a.removed", "a b", "ä", &"n".repeat(81)] {
        assert!(!is_instance_name(name), "{name}");
    }
}
