//! LDIF out of and into real servers, backups and what becomes of them.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use agent::transfer::Error;
use directory::dn::Dn;

use crate::machine::{Machine, instance, until};

const SUFFIX: &str = "dc=example,dc=com";

/// A server with a backend and its first entry, and a folder that its user may write to.
async fn started(name: &str, more: &str) -> (Machine, String, PathBuf) {
    let machine = Machine::new();
    let backends = format!(", backends: [{{name: userroot, suffix: '{SUFFIX}', create_suffix_entry: true}}{more}]");
    let wanted = instance(name, &backends);
    machine.apply(&wanted).await;
    let folder = Path::new(machine.prefix.path()).join(format!("var/lib/dirsrv/slapd-{name}/files"));
    fs::create_dir(&folder).unwrap();
    let of = fs::metadata(folder.parent().unwrap()).unwrap();
    chown(&folder, Some(of.uid()), Some(of.gid())).unwrap();
    (machine, wanted, folder)
}

impl Machine {
    async fn add_unit(&self, name: &str, unit: &str) {
        let dn = format!("ou={unit},{SUFFIX}");
        self.add(name, &dn, &[("objectClass", &["top", "organizationalUnit"]), ("ou", &[unit])]).await;
    }

    async fn units(&self, name: &str) -> Vec<String> {
        let entries = self.connect(name).await.tree(&Dn::parse(SUFFIX).unwrap()).await.unwrap();
        let mut units: Vec<String> = entries.iter().filter_map(|entry| entry.text("ou")).map(str::to_owned).collect();
        units.sort();
        units
    }

    async fn is_running(&self) -> bool {
        self.host.observe().await.unwrap().instances[0].is_running
    }
}

#[tokio::test]
async fn what_is_exported_comes_back_whether_the_server_runs_or_not() {
    let (machine, wanted, folder) = started("ldif", "").await;
    let file = folder.join("all.ldif");
    machine.add_unit("ldif", "one").await;
    let mut said = Vec::new();
    let exported = machine.host.export("ldif", &[], &file, false, &mut |text| said.push(text.to_owned())).await.unwrap();
    assert_eq!(
        (exported.backends.as_slice(), exported.bytes),
        (["userroot".to_owned()].as_slice(), fs::metadata(&file).unwrap().len())
    );
    assert!(said.iter().any(|text| text.contains("Processed 2 entries")), "{said:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    machine.add_unit("ldif", "two").await;
    let imported = machine.host.import("slapd-LDIF", "USERROOT", &file, &mut |_| {}).await.unwrap();
    assert_eq!((imported.entries, imported.skipped.len(), imported.is_replicated), (Some(2), 0, false));
    assert_eq!(machine.units("ldif").await, ["one"]);

    machine.apply(&format!("state: stopped\n{wanted}")).await;
    machine.host.export("ldif", &["userroot".to_owned()], &folder.join("stopped.ldif"), true, &mut |_| {}).await.unwrap();
    machine.host.import("ldif", "userroot", &folder.join("stopped.ldif"), &mut |_| {}).await.unwrap();
    assert!(!machine.is_running().await);
    machine.apply(&wanted).await;
    assert_eq!(machine.units("ldif").await, ["one"]);
}

#[tokio::test]
async fn an_import_tells_what_it_left_out() {
    let (machine, _, folder) = started("skips", "").await;
    let file = folder.join("bad.ldif");
    let bad = format!(
        "dn: {SUFFIX}\nobjectClass: top\nobjectClass: domain\ndc: example\n\ndn: ou=x,{SUFFIX}\nobjectClass: organizationalUnit\nou: x\nunheardOf: 1\n"
    );
    fs::write(&file, bad).unwrap();
    let imported = machine.host.import("skips", "userroot", &file, &mut |_| {}).await.unwrap();
    assert_eq!(imported.entries, Some(1));
    assert!(imported.skipped.len() == 1 && imported.skipped[0].contains(&format!("ou=x,{SUFFIX}")), "{:?}", imported.skipped);
}

#[tokio::test]
async fn a_backup_is_for_the_servers_user_alone_and_brings_everything_back() {
    let (machine, wanted, folder) = started("backed", "").await;
    machine.add_unit("backed", "one").await;
    let backup = folder.join("monday");
    let done = machine.host.backup("backed", &backup, &mut |_| {}).await.unwrap();
    assert_eq!(done.backends, ["userroot"]);
    for name in ["configuration/dse.ldif", "configuration/schema/99user.ldif", "certificates/key4.db", "certificates/pin.txt"] {
        assert!(backup.join(name).is_file(), "{name}");
    }
    let mut folders = vec![backup.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
            folders.extend(path.is_dir().then_some(path));
        }
    }
    let error = machine.host.backup("backed", &backup, &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("it is there already"), "{error}");

    machine.add_unit("backed", "two").await;
    let restored = machine.host.restore("backed", &backup, &mut |_| {}).await.unwrap();
    assert!(restored.is_running && restored.other_schema.is_empty());
    assert_eq!(machine.units("backed").await, ["one"]);

    machine.add_unit("backed", "three").await;
    machine.apply(&format!("state: stopped\n{wanted}")).await;
    let stopped = folder.join("tuesday");
    machine.host.backup("backed", &stopped, &mut |_| {}).await.unwrap();
    machine.host.restore("backed", &backup, &mut |_| {}).await.unwrap();
    assert!(!machine.is_running().await);
    machine.host.restore("backed", &stopped, &mut |_| {}).await.unwrap();
    machine.apply(&wanted).await;
    assert_eq!(machine.units("backed").await, ["one", "three"]);
    let left: Vec<String> =
        machine.prefix.left().into_iter().filter(|name| name.contains("before-restore") || name.contains(".replaced")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn an_instance_that_was_lost_is_made_again_of_its_backup() {
    let (machine, wanted, _) = started("lost", "").await;
    machine.add_unit("lost", "one").await;
    let away = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(away.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let backup = away.path().join("backup");
    machine.host.backup("lost", &backup, &mut |_| {}).await.unwrap();
    machine.apply("state: absent").await;
    machine.apply(&wanted).await;
    machine.host.restore("lost", &backup, &mut |_| {}).await.unwrap();
    assert_eq!(machine.units("lost").await, ["one"]);
}

#[tokio::test]
async fn a_backup_that_does_not_fit_is_refused_before_anything_stops() {
    let (machine, wanted, folder) = started("unfit", ", {name: other, suffix: dc=other}").await;
    let backup = folder.join("both");
    machine.host.backup("unfit", &backup, &mut |_| {}).await.unwrap();
    let error = async || match machine.host.restore("unfit", &backup, &mut |_| {}).await.unwrap_err() {
        error @ Error::Unfit { .. } => error.to_string(),
        error => panic!("{error}"),
    };
    machine.apply(&wanted.replace("suffix: dc=other", "suffix: dc=other, state: absent")).await;
    assert!(error().await.ends_with("the instance has no backend other for dc=other; create it first"));
    machine.apply(&wanted.replace("dc=other", "dc=another")).await;
    assert!(error().await.ends_with("backend other is for dc=other there and for dc=another here"));
    machine.apply(&wanted.replace("suffix: dc=other", "suffix: dc=another, state: absent")).await;
    machine.apply(&wanted).await;
    machine.apply(&wanted.replace("{name: other", "{name: third, suffix: dc=third}, {name: other")).await;
    assert!(error().await.contains("it has no backend third, whose data would be lost"));
    assert!(machine.is_running().await);
}

#[tokio::test]
async fn a_restore_that_fails_or_is_interrupted_leaves_what_there_was() {
    let (machine, wanted, folder) = started("halfway", "").await;
    machine.add_unit("halfway", "one").await;
    let backup = folder.join("damaged");
    machine.host.backup("halfway", &backup, &mut |_| {}).await.unwrap();
    machine.add_unit("halfway", "two").await;
    let db = Path::new(machine.prefix.path()).join("var/lib/dirsrv/slapd-halfway/db");
    let data = backup.join("database/data.mdb");
    if data.exists() {
        fs::write(data, "no database").unwrap();
    } else {
        fs::remove_file(backup.join("database/DBVERSION")).unwrap();
        fs::remove_dir_all(backup.join("database/userroot")).unwrap();
    }
    let error = machine.host.restore("halfway", &backup, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Program { .. }), "{error}");
    assert_eq!(machine.units("halfway").await, ["one", "two"]);

    machine.apply(&format!("state: stopped\n{wanted}")).await;
    fs::rename(&db, db.with_extension("before-restore")).unwrap();
    fs::create_dir(&db).unwrap();
    fs::write(db.join("DBVERSION"), "half").unwrap();
    machine.apply(&wanted).await;
    assert_eq!(machine.units("halfway").await, ["one", "two"]);
}

#[tokio::test]
async fn what_was_written_after_an_interrupted_restore_is_never_lost() {
    let (machine, wanted, folder) = started("resumed", "").await;
    let backup = folder.join("whole");
    machine.host.backup("resumed", &backup, &mut |_| {}).await.unwrap();
    machine.add_unit("resumed", "before").await;
    machine.apply(&format!("state: stopped\n{wanted}")).await;
    let db = Path::new(machine.prefix.path()).join("var/lib/dirsrv/slapd-resumed/db");
    let kept = db.with_extension("before-restore");
    fs::rename(&db, &kept).unwrap();
    let copied = std::process::Command::new("cp").args(["-a", "--"]).args([&kept, &db]).status().unwrap();
    assert!(copied.success());
    // Somebody else starts the server, and it is used.
    machine.start_by_hand("resumed", &machine.home("resumed"));
    until(|| machine.is_running(), |is_running| *is_running).await;
    until(|| async { machine.try_connect("resumed").await }, |answers| *answers).await;
    machine.add_unit("resumed", "after").await;
    machine.apply(&wanted.replace("rootpw:", "nsslapd_idlistscanlimit: 4001, rootpw:")).await;
    assert_eq!(machine.units("resumed").await, ["after", "before"]);
    assert!(kept.is_dir());
    let error = machine.host.restore("resumed", &backup, &mut |_| {}).await.unwrap_err().to_string();
    assert!(error.contains("the server has run since"), "{error}");
    assert_eq!(machine.units("resumed").await, ["after", "before"]);
    fs::remove_dir_all(&kept).unwrap();
    machine.host.restore("resumed", &backup, &mut |_| {}).await.unwrap();
    assert_eq!(machine.units("resumed").await, [""; 0]);
}

#[tokio::test]
async fn what_the_server_cannot_get_at_is_told_before_it_tries() {
    let (machine, _, folder) = started("denied", "").await;
    let host = &machine.host;
    let mut quiet = |_: &str| {};
    let other = folder.join("other.ldif");
    fs::write(&other, "dn: dc=other\nobjectClass: domain\ndc: other\n").unwrap();
    for (error, expected) in [
        (host.export("nobody", &[], &folder.join("x"), false, &mut quiet).await.unwrap_err(), "its instances are denied"),
        (host.import("denied", "none", &folder.join("x"), &mut quiet).await.unwrap_err(), "its backends are userroot"),
        (host.import("denied", "userroot", &folder.join("x"), &mut quiet).await.unwrap_err(), "failed to read"),
        (host.import("denied", "userroot", &other, &mut quiet).await.unwrap_err(), "it has no entry dc=example,dc=com"),
        (host.export("denied", &[], &folder, false, &mut quiet).await.unwrap_err(), "it is a folder; name a file"),
        (host.restore("denied", &folder, &mut quiet).await.unwrap_err(), "it holds no backup"),
        (host.backup("denied", &folder.join("a/b"), &mut quiet).await.unwrap_err(), "failed to enter"),
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
    if !rustix::process::getuid().is_root() {
        return;
    }
    let private = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let file = private.path().join("x.ldif");
    fs::write(&file, "dn: dc=x\n").unwrap();
    for error in [
        host.import("denied", "userroot", &file, &mut quiet).await.unwrap_err(),
        host.export("denied", &[], &file, false, &mut quiet).await.unwrap_err(),
        host.backup("denied", &private.path().join("backup"), &mut quiet).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("which may not enter it; change its owner or permissions"), "{error}");
    }
}
