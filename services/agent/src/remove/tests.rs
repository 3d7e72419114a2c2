//! Removal, on folders made for it.

use std::os::unix::fs::symlink;

use super::*;
use crate::installation::tests::{installed, prefix};

/// Makes a file, and the folders above it.
fn file(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Makes an instance whose configuration has these lines for `cn=config` and the database.
fn instance(installation: &Installation, name: &str, config: &str, database: &str) -> Paths {
    let text = format!(
        "dn: cn=config\ncn: config\n{config}\ndn: cn=config,cn=ldbm database,cn=plugins,cn=config\ncn: config\n{database}\n\
         dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config\nobjectClass: nsBackendInstance\ncn: userroot\n"
    );
    file(installation.home(name).join("dse.ldif"), &text);
    let tree = configuration(&installation.home(name)).unwrap();
    let paths = Paths::existing(installation, name, &tree);
    for folder in paths.own() {
        fs::create_dir_all(folder).unwrap();
    }
    file(paths.db_dir.join("userroot/id2entry.db"), "");
    file(paths.db_dir.join("DBVERSION"), "");
    file(paths.log_dir.join("access"), "");
    file(paths.log_dir.join("access.20260101-000000"), "");
    file(paths.cert_dir.join("key4.db"), "");
    file(&paths.pid_file, "4000000000");
    file(paths.run_dir.join(format!("slapd-{name}.stats")), "");
    paths
}

#[test]
fn all_of_an_instance_goes_and_nothing_of_another() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let (a, b) = (instance(&found, "a", "", ""), instance(&found, "b", "", ""));
    file(found.originals().join("ssca/cert9.db"), "");
    file(found.home("a").with_file_name("slapd-a.removed").join("dse.ldif"), "");
    remove(&found, "a").unwrap();
    assert_eq!(found.instances().unwrap(), ["b"]);
    for path in a.own() {
        assert!(!path.exists(), "{}", path.display());
    }
    assert!(!a.db_dir.parent().unwrap().exists() && !a.pid_file.exists() && !a.run_dir.join("slapd-a.stats").exists());
    assert!(!found.configuration().join("slapd-a.removed").exists());
    for path in b.own() {
        assert!(path.is_dir(), "{}", path.display());
    }
    assert!(b.pid_file.exists() && found.originals().join("ssca/cert9.db").exists());
    remove(&found, "a").unwrap();
    assert!(matches!(remove(&found, "../b"), Err(Error::Name { .. })));
}

#[test]
fn of_folders_without_the_name_only_known_files_go() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let root = prefix.path().display();
    let config = format!(
        "nsslapd-errorlog: {root}/logs/errors\nnsslapd-certdir: {root}/tls\nnsslapd-bakdir: {root}/bak\nnsslapd-lockdir: {root}/locks\n"
    );
    let a = instance(&found, "a", &config, &format!("nsslapd-directory: {root}/db\n"));
    // Folders may be called as the instance's files are.
    let others =
        ["logs/other", "logs/audit/x", "tls/ca.crt", "bak/yesterday/x", "db/other/x", "db/guardian/x", "locks/exports/home"];
    for path in others {
        file(prefix.path().join(path), "");
    }
    file(prefix.path().join("locks/server/4000000"), "");
    remove(&found, "a").unwrap();
    assert!(!prefix.path().join("locks/server").exists());
    for path in others {
        assert!(prefix.path().join(path).exists(), "{path}");
    }
    for path in [a.log_dir.join("access"), a.cert_dir.join("key4.db"), a.db_dir.join("userroot"), a.db_dir.join("DBVERSION")] {
        assert!(!path.exists(), "{}", path.display());
    }
    assert!(!found.home("a").exists());
}

#[test]
fn folders_shared_with_another_instance_stay() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let logs = format!("nsslapd-errorlog: {}/slapd-a/logs/errors\n", prefix.path().display());
    let (a, b) = (instance(&found, "a", &logs, ""), instance(&found, "b", &logs, ""));
    remove(&found, "a").unwrap();
    assert!(b.log_dir.join("access").exists());
    assert!(!a.db_dir.exists());
    remove(&found, "b").unwrap();
    assert!(!b.log_dir.join("access").exists());
}

#[test]
fn links_are_not_followed() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let a = instance(&found, "a", "", "");
    let outside = prefix.path().join("outside");
    file(outside.join("access"), "");
    fs::remove_dir_all(&a.log_dir).unwrap();
    symlink(&outside, &a.log_dir).unwrap();
    symlink(&outside, a.db_dir.join("link")).unwrap();
    fs::remove_dir_all(a.db_home_dir.parent().unwrap()).unwrap();
    symlink(&outside, a.db_home_dir.parent().unwrap()).unwrap();
    remove(&found, "a").unwrap();
    assert!(outside.join("access").exists());
    assert!(!a.log_dir.is_symlink() && !a.db_dir.exists());
}

#[test]
fn a_configuration_elsewhere_goes_by_its_link() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let config = prefix.path().join("data/config");
    fs::create_dir_all(found.configuration()).unwrap();
    fs::create_dir_all(&config).unwrap();
    symlink(&config, found.home("a")).unwrap();
    instance(&found, "a", "", "");
    file(config.join("other"), "");
    remove(&found, "a").unwrap();
    assert!(config.join("other").exists() && !config.join("dse.ldif").exists() && !config.join("key4.db").exists());
    assert!(!found.home("a").is_symlink());
}

#[test]
fn what_says_nothing_of_its_files_is_not_removed() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let a = instance(&found, "a", "", "");
    fs::write(a.dse(), "").unwrap();
    assert!(matches!(remove(&found, "a"), Err(Error::Configuration(_))));
    fs::write(a.config_dir.join("dse.ldif.startOK"), "dn: cn=config\ncn: config\n").unwrap();
    remove(&found, "a").unwrap();
    assert!(!a.db_dir.exists());
}

#[test]
fn a_folder_is_the_instances_by_its_name() {
    let prefix = prefix("2.3.1");
    let found = installed(&prefix);
    let config = found.home("lib");
    let rules = Rules::new(&found, "lib", &config, &[Paths::existing(&found, "b", &Tree::new())]);
    let root = prefix.path();
    for (path, is_own) in [
        ("/srv/slapd-lib".into(), true),
        ("/srv/slapd-lib/db".into(), true),
        ("/srv/slapd-lib/db/x".into(), false),
        ("/srv/lib/db".into(), true),
        ("/lib/db".into(), false),
        ("/slapd-lib2/db".into(), false),
        (config.join("db/x"), true),
        (root.join("var/lib"), false),
        (root.join("var/lib/backups"), false),
        (root.join("var/lib/dirsrv/slapd-lib/bak"), true),
        (root.join("var/lib/dirsrv/slapd-b/db/slapd-lib"), false),
        (root.join("etc"), false),
    ] {
        assert_eq!(rules.is_own(&path), is_own, "{}", path.display());
    }
}
