//! Options of a backend, its replica and its changelog.

use crate::{
    codec::Codec,
    options::{BIND_METHOD, COUNT, COUNT_OR_NONE, Definition, Home, TRANSPORT, agreement::PORT, state},
};

pub(super) static OPTIONS: &[Definition] = &[
    Definition::new("name", Codec::Name, Home::Nature, "Name of the backend.").required().fixed(),
    state("Whether the backend is there. Its data goes with it."),
    Definition::new("suffix", Codec::Dn, Home::Backend("nsslapd-suffix"), "Root of the entries that the backend holds.")
        .required()
        .fixed(),
    Definition::new(
        "create_suffix_entry",
        Codec::Switch,
        Home::Creation,
        "Whether a new backend gets the entry of its suffix. A suffix without one cannot be searched or replicated.",
    )
    .default("on"),
    Definition::new(
        "sample_entries",
        Codec::Switch,
        Home::Creation,
        "Whether a new backend gets the entries with which many directories begin: groups, people, permissions and services.",
    )
    .default("off"),
    Definition::new(
        "ldif_file",
        Codec::Path,
        Home::Creation,
        "LDIF file of the server's host that a new backend is filled from.",
    ),
    Definition::new(
        "require_index",
        Codec::Switch,
        Home::Backend("nsslapd-require-index"),
        "Whether unindexed searches are refused.",
    )
    .default("off"),
    Definition::new("readonly", Codec::Switch, Home::Backend("nsslapd-readonly"), "Whether changes are refused.").default("off"),
    Definition::new(
        "entry_cache_size",
        COUNT,
        Home::Backend("nsslapd-cachememsize"),
        "Bytes of the cache of entries. Works when nsslapd_cache_autosize is 0.",
    ),
    Definition::new(
        "entry_cache_number",
        COUNT_OR_NONE,
        Home::Backend("nsslapd-cachesize"),
        "How many entries the cache holds at most; -1 is as many as its bytes allow. Works when nsslapd_cache_autosize is 0.",
    ),
    Definition::new(
        "dn_cache_size",
        COUNT,
        Home::Backend("nsslapd-dncachememsize"),
        "Bytes of the cache of DNs. Works when nsslapd_cache_autosize is 0.",
    ),
    Definition::new("directory", Codec::Path, Home::Backend("nsslapd-directory"), "Folder of the backend's files.").fixed(),
    Definition::new(
        "replicarole",
        Codec::Choice(&[&["None"], &["supplier", "master"], &["hub"], &["consumer"]]),
        Home::Nature,
        "Part in replication. None takes the backend out of it; without a word it stays as it is.",
    )
    .spelled("ReplicaRole")
    .alias(&["replica_role"]),
    Definition::new("replicaid", Codec::Number(1, 65534), Home::Nature, "Number of a supplier, unique for the suffix.")
        .spelled("ReplicaId")
        .alias(&["replica_id"]),
    Definition::new(
        "replicabinddn",
        Codec::Dns,
        Home::Replica("nsDS5ReplicaBindDN"),
        "DNs that may send updates. One below cn=config is created, with ReplicaCredentials as its password.",
    )
    .spelled("ReplicaBindDN")
    .alias(&["replica_binddn"]),
    Definition::new(
        "replicacredentials",
        Codec::Password,
        Home::Incoming,
        "Password of ReplicaBindDN. Agreements that target this backend bind with both.",
    )
    .spelled("ReplicaCredentials")
    .alias(&["replica_bindpw"]),
    Definition::new(
        "replicabinddngroup",
        Codec::Dn,
        Home::Replica("nsDS5ReplicaBindDNGroup"),
        "The group whose members may send updates.",
    )
    .spelled("ReplicaBindDNGroup")
    .alias(&["replica_bindgroup"]),
    Definition::new(
        "replicabinddngroupcheckinterval",
        COUNT_OR_NONE,
        Home::Replica("nsDS5ReplicaBindDNGroupCheckInterval"),
        "Seconds after which the members of ReplicaBindDNGroup are looked up again; -1 is never.",
    )
    .spelled("ReplicaBindDNGroupCheckInterval")
    .default("-1"),
    Definition::new(
        "replicabackoffmin",
        COUNT,
        Home::Replica("nsDS5ReplicaBackoffMin"),
        "Seconds before the first new attempt after a failure that may pass.",
    )
    .spelled("ReplicaBackoffMin")
    .default("3"),
    Definition::new(
        "replicabackoffmax",
        COUNT,
        Home::Replica("nsDS5ReplicaBackoffMax"),
        "Seconds between attempts at most after failures that may pass.",
    )
    .spelled("ReplicaBackoffMax")
    .default("300"),
    Definition::new(
        "replicaprecisetombstonepurging",
        Codec::Switch,
        Home::Replica("nsDS5ReplicaPreciseTombstonePurging"),
        "Whether purging looks at each tombstone, which is exact and slow.",
    )
    .spelled("ReplicaPreciseTombstonePurging"),
    Definition::new(
        "replicaprotocoltimeout",
        COUNT,
        Home::Replica("nsDS5ReplicaProtocolTimeout"),
        "Seconds to wait for what is under way when replication stops.",
    )
    .spelled("ReplicaProtocolTimeout")
    .default("120"),
    Definition::new(
        "replicapurgedelay",
        COUNT_OR_NONE,
        Home::Replica("nsDS5ReplicaPurgeDelay"),
        "Seconds for which deleted entries and the state of changed ones are kept; -1 is for ever.",
    )
    .spelled("ReplicaPurgeDelay")
    .default("604800"),
    Definition::new(
        "replicareferral",
        Codec::Urls,
        Home::Replica("nsDS5ReplicaReferral"),
        "Where clients are sent that want to write to a hub or a consumer.",
    )
    .spelled("ReplicaReferral"),
    Definition::new(
        "replicareleasetimeout",
        COUNT,
        Home::Replica("nsDS5ReplicaReleaseTimeout"),
        "Seconds after which a supplier lets others have the replica.",
    )
    .spelled("ReplicaReleaseTimeout"),
    Definition::new(
        "replicatombstonepurgeinterval",
        COUNT_OR_NONE,
        Home::Replica("nsDS5ReplicaTombstonePurgeInterval"),
        "Seconds between two purges of tombstones; -1 is never.",
    )
    .spelled("ReplicaTombstonePurgeInterval")
    .default("86400"),
    Definition::new(
        "replicakeepaliveupdateinterval",
        COUNT,
        Home::Replica("nsDS5ReplicaKeepAliveUpdateInterval"),
        "Seconds between updates that only keep agreements with few changes up to date.",
    )
    .spelled("ReplicaKeepAliveUpdateInterval")
    .default("3600"),
    Definition::new(
        "replicahost",
        Codec::Text,
        Home::Incoming,
        "Host that agreements that target this backend connect to, if not the full_machine_name or the address of its host.",
    )
    .spelled("ReplicaHost"),
    Definition::new(
        "replicaport",
        PORT,
        Home::Incoming,
        "Port that agreements that target this backend connect to, if not the port or secure_port of its instance.",
    )
    .spelled("ReplicaPort"),
    Definition::new("replicabindmethod", BIND_METHOD, Home::Incoming, "How agreements that target this backend bind.")
        .spelled("ReplicaBindMethod"),
    Definition::new(
        "replicabootstrapbinddn",
        Codec::Dn,
        Home::Incoming,
        "DN that agreements that target this backend bind with when it refuses ReplicaBindDN.",
    )
    .spelled("ReplicaBootstrapBindDN"),
    Definition::new(
        "replicabootstrapbindmethod",
        BIND_METHOD,
        Home::Incoming,
        "How agreements that target this backend bind with ReplicaBootstrapBindDN.",
    )
    .spelled("ReplicaBootstrapBindMethod"),
    Definition::new(
        "replicabootstrapcredentials",
        Codec::Password,
        Home::Incoming,
        "Password of ReplicaBootstrapBindDN, for agreements that target this backend.",
    )
    .spelled("ReplicaBootstrapCredentials"),
    Definition::new(
        "replicabootstraptransportinfo",
        TRANSPORT,
        Home::Incoming,
        "How agreements that target this backend connect for ReplicaBootstrapBindDN.",
    )
    .spelled("ReplicaBootstrapTransportInfo"),
    Definition::new("replicatransportinfo", TRANSPORT, Home::Incoming, "How agreements that target this backend connect.")
        .spelled("ReplicaTransportInfo"),
    Definition::new(
        "replicaupdateschedule",
        Codec::Schedule,
        Home::Incoming,
        "When agreements that target this backend send updates.",
    )
    .spelled("ReplicaUpdateSchedule"),
    Definition::new(
        "replicawaitforasyncresults",
        COUNT,
        Home::Incoming,
        "Milliseconds for which agreements that target this backend wait for acknowledgements.",
    )
    .spelled("ReplicaWaitForAsyncResults"),
    Definition::new(
        "changelogmaxage",
        Codec::Age,
        Home::Changelog("nsslapd-changelogmaxage"),
        "How long changes are kept for consumers that are behind.",
    )
    .spelled("ChangelogMaxAge")
    .alias(&["changelog_max_age"])
    .default("7d"),
    Definition::new(
        "changelogmaxentries",
        COUNT_OR_NONE,
        Home::Changelog("nsslapd-changelogmaxentries"),
        "How many changes are kept for consumers that are behind.",
    )
    .spelled("ChangelogMaxEntries")
    .alias(&["changelog_max_entries"]),
    Definition::new(
        "changelogtriminterval",
        COUNT,
        Home::Changelog("nsslapd-changelogtrim-interval"),
        "Seconds between two trims of the changelog.",
    )
    .spelled("ChangelogTrimInterval")
    .default("300"),
    Definition::new(
        "changelogencryptionalgorithm",
        Codec::Choice(&[&["AES"], &["3DES"]]),
        Home::Changelog("nsslapd-encryptionalgorithm"),
        "Cipher of the changelog. It needs TLS, and works for changes that are written afterwards.",
    )
    .spelled("ChangelogEncryptionAlgorithm")
    .restart(),
    Definition::new(
        "changelogsymetrickey",
        Codec::Password,
        Home::Changelog("nsSymmetricKey"),
        "Key of the encrypted changelog.",
    )
    .spelled("ChangelogSymetricKey")
    .alias(&["changelogsymmetrickey"])
    .restart(),
];
