//! Options of an instance.

use crate::{
    codec::Codec,
    options::{COUNT, COUNT_OR_NONE, Definition, Home, state},
    version::Version,
};

const PORT: Codec = Codec::Number(0, 65535);

pub(super) const OPTIONS: &[Definition] = &[
    Definition::new("name", Codec::Name, Home::Nature, "Name of the instance, without slapd- before it.")
        .alias(&["instance_name"])
        .required()
        .fixed(),
    state("Whether the instance is there. All its data goes with it."),
    Definition::new("started", Codec::Switch, Home::Nature, "Whether the server runs.").default("on"),
    Definition::new("port", PORT, Home::Config("nsslapd-port"), "Port for LDAP; 0 for none.").default("389").restart(),
    Definition::new(
        "secure_port",
        // The server does not start with 0.
        Codec::Number(1, 65535),
        Home::Config("nsslapd-secureport"),
        "Port for LDAPS, where nsslapd_security is on.",
    )
    .default("636")
    .restart(),
    Definition::new(
        "full_machine_name",
        Codec::Text,
        Home::Config("nsslapd-localhost"),
        "Fully qualified name of the host, as certificates and other servers have it.",
    )
    .restart(),
    Definition::new("root_dn", Codec::Dn, Home::Config("nsslapd-rootdn"), "DN of the administrator.")
        .default("cn=Directory Manager")
        .fixed(),
    Definition::new(
        "rootpw",
        Codec::Password,
        Home::Config("nsslapd-rootpw"),
        "Password of the administrator, at least 8 characters, or its hash.",
    )
    .alias(&["root_password"]),
    Definition::new("user", Codec::Name, Home::Config("nsslapd-localuser"), "User that the server runs as.")
        .default("dirsrv")
        .fixed(),
    Definition::new("group", Codec::Name, Home::Creation, "Group of the server's files.").default("dirsrv").fixed(),
    Definition::new("ldapi", Codec::Path, Home::Config("nsslapd-ldapifilepath"), "Socket for connections from the host itself.")
        .fixed(),
    Definition::new("backup_dir", Codec::Path, Home::Config("nsslapd-bakdir"), "Folder of backups."),
    Definition::new("ldif_dir", Codec::Path, Home::Config("nsslapd-ldifdir"), "Folder of files to import and export."),
    Definition::new("cert_dir", Codec::Path, Home::Config("nsslapd-certdir"), "Folder of certificates and keys.").fixed(),
    Definition::new("lock_dir", Codec::Path, Home::Config("nsslapd-lockdir"), "Folder of lock files.").fixed(),
    Definition::new("run_dir", Codec::Path, Home::Config("nsslapd-rundir"), "Folder of the file with the process's number.")
        .fixed(),
    Definition::new("schema_dir", Codec::Path, Home::Config("nsslapd-schemadir"), "Folder of the schema.").fixed(),
    Definition::new("tmp_dir", Codec::Path, Home::Config("nsslapd-tmpdir"), "Folder of temporary files.").fixed(),
    Definition::new("inst_dir", Codec::Path, Home::Config("nsslapd-instancedir"), "Folder of the instance's programs.").fixed(),
    Definition::new("db_dir", Codec::Path, Home::Ldbm("nsslapd-directory"), "Folder of the database.")
        .alias(&["nsslapd_directory"])
        .fixed(),
    Definition::new(
        "db_home_dir",
        Codec::Path,
        Home::Bdb("nsslapd-db-home-directory"),
        "Folder of the database's shared memory, where the database is BDB.",
    )
    .fixed(),
    Definition::new(
        "db_lib",
        Codec::Choice(&[&["bdb"], &["mdb"]]),
        Home::Ldbm("nsslapd-backend-implement"),
        "Kind of database. New servers have mdb from 3.0, bdb before.",
    )
    .fixed(),
    Definition::new("mdb_max_size", COUNT, Home::Mdb("nsslapd-mdb-max-size"), "Bytes that an LMDB database may grow to.")
        .restart()
        .since(Version::new(2, 1, 0)),
    Definition::new("config_dir", Codec::Path, Home::Creation, "Folder of the configuration.").fixed(),
    Definition::new("log_dir", Codec::Path, Home::Creation, "Folder of logs.").fixed(),
    Definition::new("local_state_dir", Codec::Path, Home::Creation, "Folder of variable data.").fixed(),
    Definition::new("sysconf_dir", Codec::Path, Home::Creation, "Folder of the system's configuration.").fixed(),
    Definition::new("data_dir", Codec::Path, Home::Creation, "Folder of shared data.").fixed(),
    Definition::new("initconfig_dir", Codec::Path, Home::Creation, "Folder of the service's environment.").fixed(),
    Definition::new("bin_dir", Codec::Path, Home::Creation, "Folder of programs.").fixed(),
    Definition::new("sbin_dir", Codec::Path, Home::Creation, "Folder of the server's program.").fixed(),
    Definition::new("lib_dir", Codec::Path, Home::Creation, "Folder of libraries.").fixed(),
    Definition::new(
        "self_sign_cert",
        Codec::Switch,
        Home::Creation,
        "Whether a new instance gets a certificate that it signs itself.",
    )
    .default("on"),
    Definition::new(
        "self_sign_cert_valid_months",
        Codec::Number(1, 1200),
        Home::Creation,
        "Months for which that certificate is valid.",
    )
    .default("24"),
    Definition::new(
        "selinux",
        Codec::Switch,
        Home::Creation,
        "Whether files and ports get their SELinux labels, where SELinux is on.",
    )
    .default("on"),
    Definition::new(
        "systemd",
        Codec::Switch,
        Home::Creation,
        "Whether systemd starts and stops the instance, where systemd is there.",
    )
    .default("on"),
    Definition::new(
        "strict_host_checking",
        Codec::Switch,
        Home::Creation,
        "Whether full_machine_name has to have an address that leads back to it.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_lookthroughlimit",
        COUNT_OR_NONE,
        Home::Ldbm("nsslapd-lookthroughlimit"),
        "How many entries a search may look at; -1 is no limit.",
    )
    .default("5000"),
    Definition::new(
        "nsslapd_idlistscanlimit",
        // The server takes fewer for 100 without a word.
        Codec::Number(100, i64::MAX),
        Home::Ldbm("nsslapd-idlistscanlimit"),
        "How many entries an index key may lead to before a search does without the index.",
    )
    .restart(),
    Definition::new(
        "nsslapd_pagedlookthroughlimit",
        COUNT_OR_NONE,
        Home::Ldbm("nsslapd-pagedlookthroughlimit"),
        "As nsslapd_lookthroughlimit, for searches in pages; 0 is the same limit.",
    )
    .default("0"),
    Definition::new(
        "nsslapd_pagedidlistscanlimit",
        COUNT,
        Home::Ldbm("nsslapd-pagedidlistscanlimit"),
        "As nsslapd_idlistscanlimit, for searches in pages, at least 100; 0 is the same limit.",
    )
    .default("0"),
    Definition::new(
        "nsslapd_rangelookthroughlimit",
        COUNT_OR_NONE,
        Home::Ldbm("nsslapd-rangelookthroughlimit"),
        "How many entries a search for a range may look at.",
    )
    .default("5000"),
    Definition::new("nsslapd_mode", Codec::Mode, Home::Ldbm("nsslapd-mode"), "Permissions of database files.")
        .default("600")
        .restart(),
    Definition::new(
        "nsslapd_import_cachesize",
        COUNT,
        Home::Bdb("nsslapd-import-cachesize"),
        "Bytes of the cache of an import, where the database is BDB.",
    )
    .default("16777216"),
    Definition::new(
        "nsslapd_search_bypass_filter_test",
        Codec::Choice(&[&["on"], &["off"], &["verify"]]),
        Home::Ldbm("nsslapd-search-bypass-filter-test"),
        "Whether a search takes what indexes give it without looking at each entry.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_search_use_vlv_index",
        Codec::Switch,
        Home::Ldbm("nsslapd-search-use-vlv-index"),
        "Whether searches use virtual list views.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_exclude_from_export",
        Codec::Words,
        Home::Ldbm("nsslapd-exclude-from-export"),
        "Attributes that exports leave out.",
    )
    .default("entrydn entryid dncomp parentid numSubordinates tombstonenumsubordinates entryusn")
    .fixed(),
    Definition::new(
        "nsslapd_backend_opt_level",
        COUNT,
        Home::Ldbm("nsslapd-backend-opt-level"),
        "Experimental ways to write faster.",
    )
    .default("1")
    .fixed(),
    Definition::new(
        "nsslapd_cache_autosize",
        Codec::Number(0, 100),
        Home::Bdb("nsslapd-cache-autosize"),
        "Percentage of the host's memory for caches; 0 for fixed sizes.",
    )
    .restart(),
    Definition::new(
        "nsslapd_dbcachesize",
        COUNT,
        Home::Bdb("nsslapd-dbcachesize"),
        "Bytes of the database's cache. Works when nsslapd_cache_autosize is 0.",
    )
    .restart(),
    Definition::new("nsslapd_listenhost", Codec::Text, Home::Config("nsslapd-listenhost"), "Address for LDAP, if not all.")
        .restart(),
    Definition::new(
        "nsslapd_securelistenhost",
        Codec::Text,
        Home::Config("nsslapd-securelistenhost"),
        "Address for LDAPS, if not all.",
    )
    .restart(),
    Definition::new(
        "nsslapd_allow_anonymous_access",
        Codec::Choice(&[&["on"], &["off"], &["rootdse"]]),
        Home::Config("nsslapd-allow-anonymous-access"),
        "Whether clients that do not bind may read.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_allow_unauthenticated_binds",
        Codec::Switch,
        Home::Config("nsslapd-allow-unauthenticated-binds"),
        "Whether a DN without a password is taken for an anonymous client.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_dynamic_plugins",
        Codec::Switch,
        Home::Config("nsslapd-dynamic-plugins"),
        "Whether plugins are switched without a restart.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_sizelimit",
        COUNT_OR_NONE,
        Home::Config("nsslapd-sizelimit"),
        "How many entries a search may return; -1 is no limit.",
    )
    .default("2000"),
    Definition::new(
        "nsslapd_timelimit",
        COUNT_OR_NONE,
        Home::Config("nsslapd-timelimit"),
        "Seconds that a search may take; -1 is no limit.",
    )
    .default("3600"),
    Definition::new(
        "nsslapd_idletimeout",
        COUNT,
        Home::Config("nsslapd-idletimeout"),
        "Seconds after which an idle connection is closed; 0 is never.",
    )
    .default("3600"),
    Definition::new(
        "nsslapd_ioblocktimeout",
        COUNT,
        Home::Config("nsslapd-ioblocktimeout"),
        "Milliseconds after which a stuck connection is closed.",
    )
    .default("10000"),
    Definition::new("nsslapd_maxbersize", COUNT, Home::Config("nsslapd-maxbersize"), "Bytes of the largest request.")
        .default("2097152"),
    Definition::new(
        "nsslapd_maxdescriptors",
        Codec::Number(1, 1048576),
        Home::Config("nsslapd-maxdescriptors"),
        "How many files and connections may be open.",
    )
    .restart(),
    Definition::new(
        "nsslapd_threadnumber",
        Codec::Number(-1, 4096),
        Home::Config("nsslapd-threadnumber"),
        "How many threads work on requests; -1 is as the host has processors.",
    )
    .default("-1"),
];
