//! Which options resources of a cluster have, and how much they take of each. What belongs to the pod rather than to the
//! directory - paths, users, ports, certificates, passwords - is not for users to say there.

use crate::{
    codec::Codec,
    options::{Definition, Home, Scope},
};

/// Backends of an instance.
pub const MOST_BACKENDS: usize = 64;
/// Indexes of a backend.
pub const MOST_INDEXES: usize = 512;
/// Values of a list.
pub const MOST_VALUES: usize = 256;
/// Characters of a text.
pub const LONGEST_TEXT: usize = 4096;
/// Characters of a name. The cost of rules is reckoned by this and the next.
pub const LONGEST_NAME: usize = 64;
/// Characters of a suffix, and of the name of an instance and a backend.
pub const LONGEST_SUFFIX: usize = 256;

/// What the operator or the image says of instances, and what makes no sense in a pod.
const NOT_OF_INSTANCES: [&str; 16] = [
    "name",
    "state",
    "started",
    "port",
    "secure_port",
    "full_machine_name",
    "root_dn",
    "user",
    "group",
    "self_sign_cert",
    "self_sign_cert_valid_months",
    "selinux",
    "systemd",
    "strict_host_checking",
    "nsslapd_listenhost",
    "nsslapd_security",
];

/// The same of backends: agreements say how they connect.
const NOT_OF_BACKENDS: [&str; 1] = ["state"];

/// What the operator says of agreements, and what their resource has in words of its own.
const NOT_OF_AGREEMENTS: [&str; 17] = [
    "name",
    "state",
    "description",
    "replicahost",
    "replicaport",
    "replicatransportinfo",
    "replicabindmethod",
    "replicabinddn",
    "replicaenabled",
    "replicabootstrapbinddn",
    "replicabootstrapbindmethod",
    "replicabootstraptransportinfo",
    "replicaupdateschedule",
    "replicatedattributelist",
    "replicatedattributelisttotal",
    "initialise",
    "initialiserequest",
];

impl Scope {
    /// Whether resources have an option.
    pub fn offers(self, option: &Definition) -> bool {
        let is_of_host = matches!(option.codec, Codec::Path | Codec::Paths | Codec::Password);
        let is_said_elsewhere = match self {
            Self::Instance => NOT_OF_INSTANCES.contains(&option.name),
            Self::Backend => NOT_OF_BACKENDS.contains(&option.name) || option.home == Home::Incoming,
            Self::Index => option.name == "state",
            Self::Agreement => NOT_OF_AGREEMENTS.contains(&option.name),
        };
        !is_of_host && !is_said_elsewhere
    }

    /// The options that resources have, in the order in which they are documented.
    pub fn offered(self) -> impl Iterator<Item = &'static Definition> {
        self.options().iter().filter(move |option| self.offers(option))
    }

    /// The option that a field of a resource is.
    pub fn option_of_field(self, field: &str) -> Option<&'static Definition> {
        self.offered().find(|option| option.field() == field)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(scope: Scope, field: &str, expected: Option<&str>) {
        assert_eq!(scope.option_of_field(field).map(|option| option.name), expected, "{field}");
    }

    #[test]
    fn a_field_is_an_option_in_camel_case() {
        check(Scope::Instance, "nsslapdSizelimit", Some("nsslapd_sizelimit"));
        check(Scope::Instance, "dbLib", Some("db_lib"));
        check(Scope::Backend, "replicaRole", Some("replicarole"));
        check(Scope::Backend, "replicaBindDN", Some("replicabinddn"));
        check(Scope::Index, "indexType", Some("indextype"));
        check(Scope::Instance, "nsslapd_sizelimit", None);
    }

    #[test]
    fn what_is_the_pods_is_not_offered() {
        for field in ["rootpw", "port", "securePort", "certDir", "tlsKey", "user", "fullMachineName", "name"] {
            check(Scope::Instance, field, None);
        }
        for field in ["replicaCredentials", "replicaHost", "ldifFile", "state", "changelogSymetricKey"] {
            check(Scope::Backend, field, None);
        }
    }

    #[test]
    fn no_two_options_are_one_field() {
        for scope in Scope::ALL {
            let names: Vec<_> = scope.offered().map(Definition::field).collect();
            let unique: BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{scope:?}");
        }
    }
}
