//! What is seen of an instance in its entries, as servers and their users have written them.

use crate::{entry::Tree, ldif, observed::Instance, specification::Role};

/// An instance with a supplier for `dc=x,dc=y` whose mapping tree has this name.
fn instance(suffix: &str, mapping_tree: &str) -> Instance {
    let text = format!(
        "dn: cn=b,cn=ldbm database,cn=plugins,cn=config
objectClass: nsBackendInstance
cn: b
nsslapd-suffix: {suffix}

dn: {mapping_tree},cn=mapping tree,cn=config
objectClass: nsMappingTree

dn: cn=replica,{mapping_tree},cn=mapping tree,cn=config
objectClass: nsds5Replica
nsDS5ReplicaType: 3
nsDS5Flags: 1
nsDS5ReplicaId: 7
nsDS5ReplicaPurgeDelay: 5

dn: cn=a,cn=replica,{mapping_tree},cn=mapping tree,cn=config
objectClass: nsds5replicationagreement
cn: a
"
    );
    Instance::read("i", &Tree::from_records(ldif::parse(text.as_bytes()).unwrap()).unwrap())
}

#[test]
fn a_replica_is_found_however_its_suffix_is_written() {
    let names = [
        r"cn=dc\3Dx\2Cdc\3Dy",
        r#"cn="dc=x,dc=y""#,
        r#"cn="dc=x, dc=y""#,
        r"cn=dc\=x\,dc\=y",
        r"cn=DC\3DX\2C dc\3DY",
        r#"CN="dc=x;dc=\22y\22""#,
    ];
    for suffix in ["dc=x,dc=y", "DC=x, dc = Y"] {
        for name in names {
            let backend = &instance(suffix, name).backends[0];
            assert!(backend.is_mapped, "{name}");
            assert_eq!((backend.role, backend.replica_id), (Some(Role::Supplier), Some(7)), "{name}");
            assert_eq!(backend.settings.number("replicapurgedelay"), Some(5), "{name}");
            assert!(backend.agreement("A").is_some(), "{name}");
        }
    }
}

#[test]
fn a_backend_that_no_suffix_leads_to_has_no_part_in_replication() {
    let backend = &instance("dc=x,dc=y", r"cn=dc\3Dother").backends[0];
    assert_eq!((backend.is_mapped, backend.role), (false, None));
}
