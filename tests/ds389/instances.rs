//! Instances of the real 389 Directory Server: created, started, stopped, changed and removed, killed and started again.

use agent::host::{Error, Event};
use directory::{entry::Tree, facts::facts, layout, observed, specification::Role};

use crate::machine::{Machine, element, instance, until, wanted};

#[tokio::test]
async fn an_instance_is_created_stopped_started_and_removed_without_a_trace() {
    let machine = Machine::new();
    let one = instance("whole", "");
    assert_eq!(machine.apply(&one).await, ["Creating instance slapd-whole", "Starting instance slapd-whole"]);
    assert_eq!(machine.apply(&format!("state: stopped\n{one}")).await, ["Stopping instance slapd-whole"]);
    assert_eq!(machine.apply(&one).await, ["Starting instance slapd-whole"]);
    assert_eq!(machine.apply("state: absent").await, ["Removing instance slapd-whole"]);
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn the_file_and_the_server_tell_the_same_of_an_instance() {
    let machine = Machine::new();
    let agreement = "{name: AGREEMENT, ReplicaHost: localhost, ReplicaPort: 636, ReplicaTransportInfo: LDAPS, ReplicaBindDN: 'cn=m,cn=config', \
                     ReplicaCredentials: secret56, ReplicaUpdateSchedule: '0100-0200 06', ReplicatedAttributeList: [memberOf], \
                     ReplicaBootstrapBindDN: 'cn=boot,cn=config', ReplicaBootstrapCredentials: secret78, ReplicaEnabled: off}";
    let agreements = ["one", "two"].map(|name| agreement.replace("AGREEMENT", name)).join(", ");
    let backend = |name: &str, more: &str| format!("{{name: {name}, suffix: 'dc={name}', {more}}}");
    let manager =
        |name: &str| format!("ReplicaBindDN: ['cn={name},cn=config', 'cn=all,cn=config'], ReplicaCredentials: secret34");
    let changelog =
        "ChangelogMaxAge: 2d, ChangelogMaxEntries: 1000, ChangelogTrimInterval: 60, ChangelogEncryptionAlgorithm: AES";
    let backends = [
        backend("alone", "indexes: [{name: l, indextype: [eq, pres], matchingrule: [caseExactOrderingMatch]}]"),
        backend(
            "supplier",
            &format!(
                "ReplicaRole: supplier, ReplicaId: 7, {}, ReplicaPurgeDelay: 1000, {changelog}, agmts: [{agreements}]",
                manager("supplier")
            ),
        ),
        backend("hub", &format!("ReplicaRole: hub, {}, ChangelogMaxAge: 30h, agmts: [{agreements}]", manager("hub"))),
        backend(
            "consumer",
            &format!("ReplicaRole: consumer, {}, ReplicaReferral: ['ldap://localhost:1/dc%3Dconsumer']", manager("consumer")),
        ),
    ];
    let one = instance("told", &format!(", nsslapd_security: on, backends: [{}]", backends.join(", ")))
        .replace("cert: no", "cert: yes");
    machine.apply(&one).await;
    let mut tree = Tree::new();
    let mut connection = machine.connect("told").await;
    for entry in connection.tree(&layout::config()).await.unwrap() {
        tree.insert(entry);
    }
    let (live, stored) = (observed::Instance::read("told", &tree), machine.host.observe().await.unwrap().instances.remove(0));
    for (option, setting) in stored.settings.iter() {
        assert_eq!(live.settings.get(option.name), Some(setting), "{}", option.name);
    }
    // What a server tells that nobody has set, it has worked out for itself.
    let more = live.settings.iter().filter(|(option, _)| stored.settings.get(option.name).is_none());
    let more: Vec<&str> = more.map(|(option, _)| option.name).collect();
    assert_eq!(
        more,
        [
            "nsslapd_maxdescriptors",
            "nsslapd_rootpwstoragescheme",
            "nsslapd_threadnumber",
            "passwordstoragescheme",
            "sslversionmax",
            "sslversionmin"
        ]
    );
    assert_eq!(live.backends, stored.backends);
    assert_eq!(live.default_indexes, stored.default_indexes);
    assert_eq!(live.managers, stored.managers);
    assert_eq!(live.managers.len(), 4, "one of each replica, and one of all");
    let roles: Vec<_> =
        live.backends.iter().map(|backend| (backend.role, backend.replica_id, backend.agreements.len())).collect();
    assert_eq!(
        roles,
        [(None, None, 0), (Some(Role::Consumer), None, 0), (Some(Role::Hub), None, 2), (Some(Role::Supplier), Some(7), 2)]
    );
    let facts = facts(&machine.host.observe().await.unwrap());
    assert_eq!(machine.meet(&facts).await, [""; 0], "the host is what is told of it");
}

#[tokio::test]
async fn a_server_that_was_killed_is_started_again() {
    let machine = Machine::new();
    let one = instance("killed", "");
    machine.apply(&one).await;
    machine.kill("killed");
    assert_eq!(machine.apply(&one).await, ["Starting instance slapd-killed"]);
}

#[tokio::test]
async fn a_server_is_known_by_any_name_of_its_configuration() {
    let machine = Machine::new();
    let config = format!("{}/data/config", machine.prefix.path());
    let one = instance("linked", &format!(", config_dir: {config}"));
    machine.apply(&one).await;
    machine.apply(&format!("state: stopped\n{one}")).await;
    // As the unit of systemd has it.
    machine.start_by_hand("linked", &machine.home("linked"));
    let is_running = || async { machine.host.observe().await.unwrap().instances[0].is_running };
    until(is_running, |is_running| *is_running).await;
    until(|| machine.try_connect("linked"), |answers| *answers).await;
    assert_eq!(machine.apply(&one).await, [""; 0]);
    assert_eq!(machine.apply(&format!("state: stopped\n{one}")).await, ["Stopping instance slapd-linked"]);
    machine.start_by_hand("linked", config.as_ref());
    until(|| machine.try_connect("linked"), |answers| *answers).await;
    assert_eq!(machine.apply("state: absent").await, ["Removing instance slapd-linked"]);
}

#[tokio::test]
async fn ports_that_others_have_are_not_taken_over() {
    let machine = Machine::new();
    let one = instance("moving", "");
    machine.apply(&one).await;
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let own = one.split("port: ").nth(1).unwrap().split(',').next().unwrap();
    let error = machine.fails(&one.replace(&format!(" port: {own}"), &format!(" port: {port}"))).await;
    assert!(error.starts_with("instance slapd-moving keeps its ports: ") && error.contains(&port.to_string()), "{error}");
    assert!(machine.try_connect("moving").await, "it runs as before");
    assert_eq!(machine.apply(&one).await, [""; 0], "no restart is left to do");
    let free = tests::installation::ports().0;
    let moved = one.replace(&format!(" port: {own}"), &format!(" port: {free}"));
    let expected = [format!("Set nsslapd-port:{free} in cn=config"), "Restarting instance slapd-moving".to_owned()];
    assert_eq!(machine.apply(&moved).await, expected);
}

#[tokio::test]
async fn addresses_that_are_not_this_hosts_leave_the_server_as_it_is() {
    let machine = Machine::new();
    let one = instance("listening", "");
    machine.apply(&one).await;
    for (option, address, expected) in [
        ("nsslapd_listenhost", "192.0.2.1", "is '192.0.2.1', and this host cannot listen at 192.0.2.1: "),
        ("nsslapd_securelistenhost", "192.0.2.1", "is '192.0.2.1', and this host cannot listen at 192.0.2.1: "),
        ("nsslapd_listenhost", "no-such-host.invalid", "is 'no-such-host.invalid', which has no address"),
    ] {
        let error = machine.fails(&one.replace("name: listening", &format!("name: listening, {option}: {address}"))).await;
        let is_told = error.starts_with("instance slapd-listening keeps its ports: ") && error.contains(option);
        assert!(is_told && error.contains(expected) && error.ends_with("; correct it or leave the option out"), "{error}");
        assert!(machine.try_connect("listening").await, "it runs as before");
    }
    assert_eq!(machine.apply(&one).await, [""; 0], "no restart is left to do");
    let here = one.replace("name: listening", "name: listening, nsslapd_listenhost: 127.0.0.1");
    let expected = ["Set nsslapd-listenhost:127.0.0.1 in cn=config", "Restarting instance slapd-listening"];
    assert_eq!(machine.apply(&here).await, expected);
}

#[tokio::test]
async fn a_server_whose_address_is_this_hosts_no_more_starts_with_the_one_that_it_is_to_have() {
    let machine = Machine::new();
    let one = instance("wandering", ", nsslapd_listenhost: 127.0.0.1");
    machine.apply(&one).await;
    machine.apply(&format!("state: stopped\n{one}")).await;
    let file = machine.home("wandering").join("dse.ldif");
    let stored = std::fs::read_to_string(&file).unwrap();
    let (good, bad) = ("nsslapd-listenhost: 127.0.0.1\n", "nsslapd-listenhost: 192.0.2.1\n");
    assert!(stored.contains(good), "{stored}");
    std::fs::write(&file, stored.replace(good, bad)).unwrap();
    let done = machine.apply(&one).await;
    assert!(done.contains(&"Starting instance slapd-wandering".to_owned()), "{done:?}");
    assert!(done.contains(&"Set nsslapd-listenhost:127.0.0.1 in cn=config".to_owned()), "{done:?}");
}

#[tokio::test]
async fn a_password_that_a_stopped_server_has_in_another_hash_is_known_again() {
    let machine = Machine::new();
    let backend = "backends: [{name: root, suffix: 'o=x', ReplicaRole: hub, ReplicaBindDN: 'cn=replication manager,cn=config', \
                   ReplicaCredentials: secret34}]";
    let schemes = "passwordStorageScheme: SSHA512, nsslapd_rootpwstoragescheme: SSHA512";
    let one = instance("hashing", &format!(", started: false, {schemes}, {backend}"));
    let done = machine.apply(&one).await;
    assert_eq!(done.last().map(String::as_str), Some("Stopping instance slapd-hashing"));
    let hashes = || {
        let stored = std::fs::read_to_string(machine.home("hashing").join("dse.ldif")).unwrap();
        // Users' passwords stand there in base64.
        [": {SSHA512}", ":: e1NTSEE1MTJ9"].iter().map(|hash| stored.matches(hash).count()).sum::<usize>()
    };
    assert_eq!(hashes(), 1, "the replication manager's");
    let changed = one.replace("secret12", "secret56");
    let expected = ["Starting instance slapd-hashing", "Set nsslapd-rootpw in cn=config", "Stopping instance slapd-hashing"];
    assert_eq!(machine.apply(&changed).await, expected);
    assert_eq!(hashes(), 2, "the administrator's too");
    // Also one that is another is seen.
    assert_eq!(machine.apply(&one).await, expected);
}

#[tokio::test]
async fn a_password_that_is_another_is_changed() {
    let machine = Machine::new();
    let one = instance("secret", "");
    machine.apply(&one).await;
    assert_eq!(machine.apply(&one.replace("secret12", "secret34")).await, ["Set nsslapd-rootpw in cn=config"]);
}

#[tokio::test]
async fn options_are_changed_and_the_server_restarts_where_it_has_to() {
    let machine = Machine::new();
    let one = instance("options", "");
    machine.apply(&one).await;
    let changed = one.replace("name: options", "name: options, nsslapd_sizelimit: 77, nsslapd_idlistscanlimit: 4001");
    let expected = [
        "Set nsslapd-sizelimit:77 in cn=config",
        "Set nsslapd-idlistscanlimit:4001 in cn=config,cn=ldbm database,cn=plugins,cn=config",
        "Restarting instance slapd-options",
    ];
    assert_eq!(machine.apply(&changed).await, expected);
}

#[tokio::test]
async fn an_instance_takes_the_port_that_another_leaves() {
    let machine = Machine::new();
    let [one, two, free] = ["takes", "leaves", "none"].map(|name| element(name, ""));
    let port = |text: &str| text.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    machine.apply(&format!("ds389_instances: [{one}, {two}]")).await;
    let with = |text: &str, other: &str| text.replace(&format!(" port: {}", port(text)), &format!(" port: {}", port(other)));
    let moved = format!("ds389_instances: [{}, {}]", with(&one, &two), with(&two, &free));
    let expected = [
        format!("Set nsslapd-port:{} in cn=config", port(&free)),
        "Restarting instance slapd-leaves".to_owned(),
        format!("Set nsslapd-port:{} in cn=config", port(&two)),
        "Restarting instance slapd-takes".to_owned(),
    ];
    assert_eq!(machine.apply(&moved).await, expected);
}

#[tokio::test]
async fn two_instances_that_want_the_same_port_are_told_before_one_is_made() {
    let machine = Machine::new();
    let [one, two] = ["firstport", "secondport"].map(|name| element(name, ""));
    let port = |text: &str| text.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let own = port(&two);
    let same = two.replace(&format!(" port: {own}"), &format!(" port: {}", port(&one)));
    let foreseen = async |instances: &str| {
        let actions = machine.plan(&format!("ds389_instances: [{instances}]")).await.unwrap();
        machine.host.foresee(&actions).await.map_err(|error| error.to_string())
    };
    let expected = |start: &str| {
        let port = port(&one);
        format!("{start}: option 'port' is {port}, and so is option 'port' of instance slapd-firstport; choose another port")
    };
    let error = foreseen(&format!("{one}, {same}")).await.unwrap_err();
    assert!(error.starts_with(&expected("failed to create instance slapd-secondport")), "{error}");
    // One that is to have no server is in nobody's way.
    assert_eq!(foreseen(&format!("{one}, {}", same.replace("name: ", "started: no, name: "))).await, Ok(()));
    assert_eq!(foreseen(&format!("{one}, {two}")).await, Ok(()));
    assert_eq!(machine.prefix.left(), [""; 0]);

    machine.apply(&format!("ds389_instances: [{one}, {two}]")).await;
    let error = foreseen(&format!("{one}, {same}")).await.unwrap_err();
    assert!(error.starts_with(&expected("instance slapd-secondport keeps its ports")), "{error}");
}

#[tokio::test]
async fn a_creation_that_fails_says_why_and_leaves_nothing() {
    let machine = Machine::new();
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    for (more, expected) in [
        (format!("port: {port}"), format!("{port}")),
        ("user: nobody-of-this-name, port: 0".to_owned(), "nobody-of-this-name".to_owned()),
    ] {
        let error =
            machine.fails(&format!("ds389_instances: [{{name: bad, rootpw: secret12, secure_port: 65535, {more}}}]")).await;
        assert!(error.starts_with("failed to create instance slapd-bad: ") && error.contains(&expected), "{error}");
        assert_eq!(machine.prefix.left(), [""; 0]);
    }
}

#[tokio::test]
async fn an_instance_that_does_not_start_for_the_first_time_leaves_nothing_and_can_be_created_anew() {
    let machine = Machine::new();
    // The socket cannot be where a folder is, and is said at a creation only.
    let folder = format!("{}/run/taken", machine.prefix.path());
    std::fs::create_dir(&folder).unwrap();
    let one = instance("first", "");
    let wrong = one.replace("name: first", &format!("name: first, ldapi: {folder}"));
    let error = machine.fails(&wrong).await;
    let expected = "instance slapd-first did not start for the first time, and nothing of it was kept: ";
    assert!(error.starts_with(expected) && error.contains("PR_Bind"), "{error}");
    assert_eq!(machine.prefix.left(), [""; 0]);
    assert_eq!(machine.apply(&one).await, ["Creating instance slapd-first", "Starting instance slapd-first"]);

    // One that has started before stays, whatever keeps it from that now.
    machine.apply(&format!("state: stopped\n{one}")).await;
    let socket = format!("{}/run/slapd-first.socket", machine.prefix.path());
    let _ = std::fs::remove_file(&socket);
    std::fs::create_dir(&socket).unwrap();
    let error = machine.fails(&one).await;
    assert!(error.starts_with("instance slapd-first does not start: "), "{error}");
    std::fs::remove_dir(&socket).unwrap();
    assert_eq!(machine.apply(&one).await, ["Starting instance slapd-first"]);
}

#[tokio::test]
async fn a_server_that_has_no_room_for_its_cache_is_started_with_the_one_that_it_is_to_have() {
    let machine = Machine::new();
    let wanted = instance("sized", ", nsslapd_cache_autosize: 0, nsslapd_dbcachesize: SIZE");
    let sized = |size: u64| wanted.replace("SIZE", &size.to_string());
    machine.apply(&sized(67_108_864)).await;
    if machine.has_lmdb().await {
        return;
    }
    machine.apply(&format!("state: stopped\n{}", sized(67_108_864))).await;
    let file = machine.home("sized").join("dse.ldif");
    let text = std::fs::read_to_string(&file).unwrap();
    let too_large = text.replace("nsslapd-dbcachesize: 67108864", "nsslapd-dbcachesize: 67108864000000");
    assert_ne!(text, too_large);
    std::fs::write(&file, too_large).unwrap();
    let done = machine.apply(&sized(70_000_000)).await;
    assert_eq!(done[0], "Starting instance slapd-sized", "{done:?}");
    assert_eq!(machine.apply(&sized(70_000_000)).await, [""; 0]);
}

#[tokio::test]
async fn of_two_applies_at_once_one_waits_in_vain_or_finds_that_it_has_to_plan_again() {
    let machine = Machine::new();
    let text = instance("busy", "");
    let (specification, actions) = (wanted(&text), machine.plan(&text).await.unwrap());
    let (mut quiet, mut also_quiet) = (|_: Event<'_>| {}, |_: Event<'_>| {});
    let (one, other) = tokio::join!(
        machine.host.carry_out_plan(&specification, &actions, &|| false, &mut quiet),
        machine.host.carry_out_plan(&specification, &actions, &|| false, &mut also_quiet)
    );
    // Whichever comes first, and however long it takes.
    let refused: Vec<Error> = [one, other].into_iter().filter_map(Result::err).collect();
    assert!(matches!(refused[..], [Error::Busy { .. } | Error::Moved]), "{refused:?}");
    assert_eq!(machine.apply(&text).await, [""; 0]);
}

#[tokio::test]
async fn an_apply_that_finds_another_under_way_says_so_and_does_nothing() {
    let machine = Machine::new();
    let folder = format!("{}/etc/dirsrv", machine.prefix.path());
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(format!("{folder}/aviary.lock")).unwrap();
    lock.lock().unwrap();
    let error = machine.fails(&instance("busy", "")).await;
    assert!(error.starts_with("another apply is under way on this host: ") && error.contains("aviary.lock"), "{error}");
    assert_eq!(machine.prefix.left(), [""; 0]);
    drop(lock);
    assert_eq!(machine.apply(&instance("busy", "")).await, ["Creating instance slapd-busy", "Starting instance slapd-busy"]);
}
