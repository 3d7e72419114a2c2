//! Entries that Aviary makes of nothing but a name: a suffix's own, samples below it, and bind identities.

use crate::{dn::Dn, entry::Entry};

/// The entry of a suffix.
pub(super) fn suffix_entry(suffix: &Dn) -> Entry {
    let (attribute, value) = suffix.rdn();
    Entry::new(suffix.clone()).with("objectClass", &["top", class(attribute)]).with(attribute, &[value])
}

/// The object class of a suffix's entry, which goes with its attribute.
fn class(attribute: &str) -> &'static str {
    match attribute.to_lowercase().as_str() {
        "dc" => "domain",
        "o" => "organization",
        "ou" => "organizationalUnit",
        "c" => "country",
        "l" => "locality",
        "cn" => "nsContainer",
        _ => "extensibleObject",
    }
}

/// What anyone may read of the entries that directories have below a suffix, by the unit that these are in. Without it, nobody but the
/// administrator could read anything.
const READABLE: [(&str, &str); 4] = [
    ("groups", "objectClass || ou || cn || description || gidNumber || member || memberUid || uniqueMember"),
    (
        "people",
        "objectClass || ou || uid || cn || sn || givenName || displayName || mail || description || uidNumber || gidNumber || gecos || \
         homeDirectory || loginShell || memberOf || nsSshPublicKey || userCertificate",
    ),
    ("permissions", "objectClass || ou"),
    ("services", "objectClass || ou || cn || description"),
];

/// The entry of a suffix and those with which many directories begin.
pub(super) fn sample_entries(suffix: &Dn) -> Vec<Entry> {
    let (attribute, _) = suffix.rdn();
    let root = readable(
        &format!("objectClass || {attribute}"),
        "the suffix",
        &format!("(targetfilter = \"(objectClass={})\")", class(attribute)),
    );
    let unit = |(name, attributes): (&str, &str)| {
        let entry = Entry::new(suffix.child("ou", name)).with("objectClass", &["top", "organizationalUnit"]).with("ou", &[name]);
        let anyone = readable(attributes, name, "");
        match name {
            "people" => entry.with("aci", &[&anyone, OWN_PASSWORD]),
            _ => entry.with("aci", &[&anyone]),
        }
    };
    [suffix_entry(suffix).with("aci", &[&root])].into_iter().chain(READABLE.map(unit)).collect()
}

/// People may change their passwords.
const OWN_PASSWORD: &str = "(targetattr = \"userPassword\")(version 3.0; acl \"people may change their own password\"; allow (write) userdn = \"ldap:///self\";)";

/// Lets anyone read attributes.
fn readable(attributes: &str, what: &str, filter: &str) -> String {
    format!(
        "(targetattr = \"{attributes}\"){filter}(version 3.0; acl \"anyone may read {what}\"; \
         allow (read, search, compare) userdn = \"ldap:///anyone\";)"
    )
}

/// An identity that other servers bind with, without its password.
pub(super) fn manager(dn: &Dn) -> Entry {
    let (attribute, value) = dn.rdn();
    let entry = Entry::new(dn.clone());
    if attribute.eq_ignore_ascii_case("cn") {
        return entry.with("objectClass", &["top", "netscapeServer", "nsAccount"]).with("cn", &[value]);
    }
    entry.with("objectClass", &["top", "netscapeServer", "nsAccount", "inetUser"]).with("cn", &[value]).with(attribute, &[value])
}
