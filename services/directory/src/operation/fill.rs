//! Entries that Aviary makes of nothing but a name: a suffix's own, samples below it, and bind identities.

use crate::{dn::Dn, entry::Entry};

/// The entry of a suffix, of the object class that goes with its attribute.
pub(super) fn suffix_entry(suffix: &Dn) -> Entry {
    let (attribute, value) = suffix.rdn();
    let class = match attribute.to_lowercase().as_str() {
        "dc" => "domain",
        "o" => "organization",
        "ou" => "organizationalUnit",
        "c" => "country",
        "l" => "locality",
        "cn" => "nsContainer",
        _ => "extensibleObject",
    };
    Entry::new(suffix.clone()).with("objectClass", &["top", class]).with(attribute, &[value])
}

/// The entry of a suffix and those with which many directories begin.
pub(super) fn sample_entries(suffix: &Dn) -> Vec<Entry> {
    let unit =
        |name: &str| Entry::new(suffix.child("ou", name)).with("objectClass", &["top", "organizationalUnit"]).with("ou", &[name]);
    let units = ["groups", "people", "permissions", "services"].map(unit);
    [suffix_entry(suffix)].into_iter().chain(units).collect()
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
