//! Backends and indexes of the real server: they come, are filled, change and go.

use directory::observed::IndexKind;

use crate::{
    machine::{Machine, instance},
    replicas::BIND,
};

const ONE: &str = "{name: root, suffix: 'dc=test'";

fn backends(name: &str, backends: &str) -> String {
    instance(name, &format!(", backends: [{backends}]"))
}

/// A unit with a place.
async fn unit(machine: &Machine, instance: &str, name: &str, place: &str) {
    let attributes: [(&str, &[&str]); 3] = [("objectClass", &["top", "organizationalUnit"]), ("ou", &[name]), ("l", &[place])];
    machine.add(instance, &format!("ou={name},dc=test"), &attributes).await;
}

#[tokio::test]
async fn a_suffix_of_every_kind_has_its_entry() {
    let machine = Machine::new();
    let suffixes = ["dc=test", "o=Some Company", "ou=unit", "c=de", "cn=things", "l=Berlin", "uid=odd"];
    let listed = suffixes.iter().enumerate().map(|(index, suffix)| format!("{{name: b{index}, suffix: \"{suffix}\"}}"));
    let all = backends("suffixes", &listed.collect::<Vec<_>>().join(", "));
    machine.apply(&all).await;
    for suffix in suffixes {
        assert!(machine.has("suffixes", suffix).await, "{suffix}");
    }
    let none = "state: updated\n".to_owned() + all.split(", backends").next().unwrap() + "}]";
    assert_eq!(machine.apply(&none).await.len(), suffixes.len());
    assert_eq!(machine.host.observe().await.unwrap().instances[0].backends, []);
    // They come again where their files have been.
    machine.apply(&all).await;
    for suffix in suffixes {
        assert!(machine.has("suffixes", suffix).await, "{suffix}");
    }
}

#[tokio::test]
async fn a_backend_begins_with_what_was_said() {
    let machine = Machine::new();
    let file = std::path::Path::new(machine.prefix.path()).join("first.ldif");
    std::fs::write(
        &file,
        "dn: o=file\nobjectClass: organization\no: file\n\ndn: ou=a,o=file\nobjectClass: organizationalUnit\nou: a\n",
    )
    .unwrap();
    let all = backends(
        "filled",
        &format!(
            "{{name: nothing, suffix: o=nothing, create_suffix_entry: no}}, {{name: sample, suffix: o=sample, sample_entries: yes}}, \
             {{name: file, suffix: o=file, ldif_file: {}}}",
            file.display()
        ),
    );
    machine.apply(&all).await;
    for (dn, is_there) in [
        ("o=nothing", false),
        ("o=sample", true),
        ("ou=people,o=sample", true),
        ("ou=groups,o=sample", true),
        ("ou=permissions,o=sample", true),
        ("ou=services,o=sample", true),
        ("o=file", true),
        ("ou=a,o=file", true),
    ] {
        assert_eq!(machine.has("filled", dn).await, is_there, "{dn}");
    }

    // Anyone may read the samples and what is put below them, but no passwords, and people may change theirs.
    let person: [(&str, &[&str]); 5] =
        [("objectClass", &["inetOrgPerson"]), ("uid", &["a"]), ("cn", &["a"]), ("sn", &["a"]), ("userPassword", &["old-secret"])];
    machine.add("filled", "uid=a,ou=people,o=sample", &person).await;
    let url = format!("ldapi://{}", machine.socket("filled").replace('/', "%2F"));
    let read =
        |arguments: &[&str]| machine.run("ldapsearch", &[&["-LLL", "-x", "-H", &url, "-b", "o=sample"], arguments].concat());
    let all = read(&["(objectClass=*)"]).unwrap();
    assert!(all.matches("dn: ").count() == 6 && all.contains("uid: a") && !all.to_lowercase().contains("userpassword"), "{all}");
    let own = ["-x", "-H", &url, "-D", "uid=a,ou=people,o=sample", "-w", "old-secret"];
    let changed = "dn: uid=a,ou=people,o=sample\nchangetype: modify\nreplace: userPassword\nuserPassword: new-secret\n";
    std::fs::write(&file, changed).unwrap();
    machine.run("ldapmodify", &[&own[..], &["-f", file.to_str().unwrap()]].concat()).unwrap();
    read(&["-D", "uid=a,ou=people,o=sample", "-w", "new-secret", "1.1"]).unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_is_said_and_the_next_apply_goes_on() {
    let machine = Machine::new();
    let file = std::path::Path::new(machine.prefix.path()).join("late.ldif");
    let one = backends("late", &format!("{{name: root, suffix: o=late, ldif_file: {}}}", file.display()));
    let foreseen = async || {
        let actions = machine.plan(&one).await.unwrap();
        machine.host.foresee_files(&actions).await.map_err(|error| error.to_string())
    };
    let expected = |problem: &str| {
        let told = format!("option 'ldif_file' is {}, which {problem}", file.display());
        Err(format!("backend root of instance slapd-late cannot be filled: {told}; put the file there or leave the option out"))
    };
    assert_eq!(foreseen().await, expected("is not there"));
    std::fs::create_dir(&file).unwrap();
    assert_eq!(foreseen().await, expected("is no file"));
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    assert_eq!(foreseen().await, Ok(()));
    // It may be gone by then.
    std::fs::remove_file(&file).unwrap();
    let error = machine.fails(&one).await;
    assert!(
        error.starts_with(&format!("Importing {} into backend root: the server's task import failed", file.display())),
        "{error}"
    );
    std::fs::write(&file, "dn: o=late\nobjectClass: organization\no: late\n").unwrap();
    assert_eq!(machine.apply(&one).await, [format!("Importing {} into backend root", file.display())]);
    assert!(machine.has("late", "o=late").await);
}

#[tokio::test]
async fn what_was_written_after_an_interrupted_import_is_not_imported_over() {
    let machine = Machine::new();
    let file = format!("{}/first.ldif", machine.prefix.path());
    std::fs::write(&file, "dn: dc=test\nobjectClass: domain\ndc: test\n").unwrap();
    let text = instance("imported", &format!(", backends: [{{name: root, suffix: 'dc=test', ldif_file: {file}}}]"));
    machine.apply(&text).await;
    machine.add("imported", "ou=later,dc=test", &[("objectClass", &["organizationalUnit"]), ("ou", &["later"])]).await;
    // Whoever applied was killed before it could strike the import out.
    let home = machine.home("imported");
    let mut journal = agent::journal::read(&home).unwrap().unwrap();
    journal.unfinished.push(directory::observed::Unfinished::Fill { backend: "root".to_owned() });
    agent::journal::write(&home, &journal).unwrap();
    assert_eq!(machine.apply(&text).await, [format!("Importing {file} into backend root")]);
    assert!(machine.has("imported", "ou=later,dc=test").await);
}

#[tokio::test]
async fn a_suffix_below_another_has_a_backend_of_its_own() {
    let machine = Machine::new();
    let root = "{name: root, suffix: 'dc=test'}";
    let both = backends("nested", &format!("{{name: sub, suffix: 'ou=sub,dc=test'}}, {root}"));
    machine.apply(&both).await;
    // Found from above, though it is in the other backend.
    assert_eq!(machine.search("nested", "dc=test", "(ou=sub)").unwrap(), ["ou=sub,dc=test"]);
    let expected = ["Deleting backend sub on suffix ou=sub,dc=test"];
    let lone = both.replace("{name: sub, suffix: 'ou=sub,dc=test'}, ", "");
    assert_eq!(machine.apply(&format!("state: updated\n{lone}")).await, expected);
    assert!(!machine.has("nested", "ou=sub,dc=test").await && machine.has("nested", "dc=test").await);
}

#[tokio::test]
async fn options_of_a_backend_change() {
    let machine = Machine::new();
    let one = backends("tuned", &format!("{ONE}, readonly: off}}"));
    machine.apply(&one).await;
    let dn = "cn=root,cn=ldbm database,cn=plugins,cn=config";
    for (from, to, expected) in [
        ("readonly: off", "require_index: on", format!("Set nsslapd-require-index:on in {dn}")),
        ("readonly: off", "readonly: on", format!("Set nsslapd-readonly:on in {dn}")),
    ] {
        assert_eq!(machine.apply(&one.replace(from, to)).await, [expected]);
    }
    assert_eq!(machine.apply(&one).await, [format!("Set nsslapd-readonly:off in {dn}")]);
}

#[tokio::test]
async fn a_backend_that_is_read_only_joins_replication_and_stays_so() {
    let machine = Machine::new();
    let locked = backends("locked", &format!("{ONE}, readonly: on}}"));
    machine.apply(&locked).await;
    let dn = "cn=root,cn=ldbm database,cn=plugins,cn=config";
    let joined = locked.replace("readonly: on", &format!("readonly: on, ReplicaRole: supplier, ReplicaId: 1, {BIND}"));
    let expected = [
        format!("Set nsslapd-readonly:off in {dn}"),
        "Adding entry cn=replication manager,cn=config".to_owned(),
        "Configure replication as supplier 1 for backend root on suffix dc=test".to_owned(),
        format!("Set nsslapd-readonly:on in {dn}"),
    ];
    assert_eq!(machine.apply(&joined).await, expected);
    assert!(machine.replica("locked").await.ruv.is_some());
}

#[tokio::test]
async fn sizes_of_caches_change_where_the_server_does_not_choose_them() {
    let machine = Machine::new();
    let one = backends("cached", &format!("{ONE}}}"));
    machine.apply(&one).await;
    if machine.has_lmdb().await {
        // That server never chooses them.
        let sized = one.replace("'dc=test'", "'dc=test', entry_cache_size: 20000000");
        assert_eq!(machine.apply(&sized).await.len(), 1);
        return;
    }
    let refused = machine.plan(&one.replace("'dc=test'", "'dc=test', entry_cache_number: 9")).await.unwrap_err().to_string();
    let expected = "option 'entry_cache_number' needs the instance's 'nsslapd_cache_autosize' 0: otherwise the server chooses it";
    assert!(refused.ends_with(expected), "{refused}");
    let sized = one.replace("name: cached", "name: cached, nsslapd_cache_autosize: 0");
    let sized = sized.replace("'dc=test'", "'dc=test', entry_cache_size: 20000000, dn_cache_size: 10000000");
    let dn = "cn=root,cn=ldbm database,cn=plugins,cn=config";
    let done = machine.apply(&sized).await;
    assert!(done.contains(&format!("Set nsslapd-cachememsize:20000000 in {dn}")), "{done:?}");
    assert!(done.contains(&format!("Set nsslapd-dncachememsize:10000000 in {dn}")), "{done:?}");
}

#[tokio::test]
async fn an_index_finds_what_was_there_before_it_came_or_changed() {
    let machine = Machine::new();
    let none = backends("indexed", &format!("{ONE}}}"));
    let with = |index: &str| backends_like(&none, &format!("{ONE}, indexes: [{index}]}}"));
    machine.apply(&none).await;
    machine.log_searches("indexed").await;
    unit(&machine, "indexed", "a", "Leipzig").await;
    assert!(!machine.is_indexed("indexed", "dc=test", "(l=Leipzig)").await);
    let dn = "cn=l,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config";
    for (index, expected, indexed, not_indexed) in [
        ("{name: l, indextype: eq}", vec!["Creating index l on backend root".to_owned()], "(l=Leipzig)", "(l=*eip*)"),
        ("{name: l, indextype: [sub]}", vec![format!("Set nsIndexType:sub in {dn}")], "(l=*eip*)", "(l=*)"),
        ("{name: L, indextype: [eq, pres, sub]}", vec![format!("Set nsIndexType:eq pres sub in {dn}")], "(l=*)", "(l~=Leipsig)"),
        (
            "{name: l, indextype: [eq], matchingrule: [caseExactOrderingMatch]}",
            vec![format!("Set nsIndexType:eq in {dn}"), format!("Set nsMatchingRule:caseExactOrderingMatch in {dn}")],
            "(l=Leipzig)",
            // Types that are left out are left to fall into disuse until the next start.
            "(l~=Leipsig)",
        ),
    ] {
        let expected = [expected, vec!["Indexing l of backend root".to_owned()]].concat();
        assert_eq!(machine.apply(&with(index)).await, expected, "{index}");
        assert_eq!(machine.search("indexed", "dc=test", indexed).unwrap(), ["ou=a,dc=test"], "{indexed}");
        assert!(machine.is_indexed("indexed", "dc=test", indexed).await, "{indexed}");
        // From 3.0 on a server goes on with a type of index that it has no more until it starts again.
        let goes_on = !tests::installation::version().starts_with('2') && index.contains("matchingrule");
        assert!(goes_on || !machine.is_indexed("indexed", "dc=test", not_indexed).await, "{not_indexed}");
    }
    // It stays when it is listed no more, and goes when it has to.
    assert_eq!(machine.apply(&none).await, [""; 0]);
    assert_eq!(machine.apply(&with("{name: l, state: absent}")).await, ["Deleting index l on backend root"]);
    assert_eq!(machine.search("indexed", "dc=test", "(l=Leipzig)").unwrap(), ["ou=a,dc=test"]);
    assert!(!machine.is_indexed("indexed", "dc=test", "(l=Leipzig)").await);
}

/// The same instance with other backends.
fn backends_like(one: &str, other: &str) -> String {
    format!("{}, backends: [{other}]}}]", one.split(", backends").next().unwrap())
}

#[tokio::test]
async fn indexes_that_every_backend_has_stay_unless_they_are_named() {
    let machine = Machine::new();
    let one =
        backends("defaults", &format!("{ONE}, indexes: [{{name: l, indextype: eq}}, {{name: mail, indextype: [eq, approx]}}]}}"));
    machine.apply(&one).await;
    let kind = |name: &'static str| {
        let machine = &machine;
        async move { machine.host.observe().await.unwrap().instances[0].backends[0].index(name).map(|index| index.kind) }
    };
    assert_eq!(kind("uid").await, Some(IndexKind::Default));
    assert_eq!(kind("mail").await, Some(IndexKind::User));
    assert_eq!(kind("entryrdn").await, Some(IndexKind::System));
    let none = backends_like(&one, &format!("{ONE}}}"));
    let done = machine.apply(&format!("state: updated\n{none}")).await;
    let expected = [
        "Deleting index l on backend root",
        "Set nsIndexType:eq pres sub in cn=mail,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config",
        "Indexing mail of backend root",
    ];
    assert_eq!(done, expected);
    assert_eq!((kind("uid").await, kind("mail").await), (Some(IndexKind::Default), Some(IndexKind::Default)));
    let absent = backends_like(&one, &format!("{ONE}, indexes: [{{name: uid, state: absent}}]}}"));
    assert_eq!(machine.apply(&absent).await, ["Deleting index uid on backend root"]);
    let again = backends_like(&one, &format!("{ONE}, indexes: [{{name: uid, indextype: [eq, pres]}}]}}"));
    assert_eq!(machine.apply(&again).await, ["Creating index uid on backend root", "Indexing uid of backend root"]);
    let system = backends_like(&one, &format!("{ONE}, indexes: [{{name: entryrdn, state: absent}}]}}"));
    assert!(machine.plan(&system).await.unwrap_err().to_string().contains("the server needs this index: it cannot be deleted"));
}

#[tokio::test]
async fn a_backend_that_replicates_is_deleted_with_all_that_is_of_it() {
    let machine = Machine::new();
    let bind = "ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret34";
    let agreement = "{name: a, ReplicaHost: localhost, ReplicaPort: 1, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: s}";
    for (index, role) in ["consumer", "hub", "supplier, ReplicaId: 7"].iter().enumerate() {
        let agmts = if *role == "consumer" { String::new() } else { format!(", agmts: [{agreement}]") };
        let one = backends(&format!("gone{index}"), &format!("{ONE}, ReplicaRole: {role}, {bind}{agmts}}}"));
        machine.apply(&one).await;
        let none = backends_like(&one, "{name: root, state: absent}");
        let done = machine.apply(&none).await;
        assert_eq!(done.last().unwrap(), "Deleting backend root on suffix dc=test");
        machine.apply(&one).await;
        assert!(machine.has(&format!("gone{index}"), "dc=test").await);
    }
}
