//! Options of an instance: plugins that operators switch, each with what it has most need of. Their entries change at once, and
//! the plugins with the next start, unless `nsslapd_dynamic_plugins` is on.

use crate::{
    codec::Codec,
    options::{COUNT, COUNT_OR_NONE, Definition, Home},
};

// Plugins, as their entries are called.
const MEMBER_OF: &str = "MemberOf Plugin";
const INTEGRITY: &str = "referential integrity postoperation";
const UNIQUENESS: &str = "attribute uniqueness";
const AUTO_MEMBER: &str = "Auto Membership Plugin";
const MANAGED: &str = "Managed Entries";
const ACCOUNT_POLICY: &str = "Account Policy Plugin";
const RETRO: &str = "Retro Changelog Plugin";
const USN: &str = "USN";
const ROOT_DN: &str = "RootDN Access Control";

/// Plugins that do nothing until the next start, although the server says that they are on.
pub(super) const NEVER_DYNAMIC: &[&str] = &[USN];

/// The attribute that switches a plugin.
const ENABLED: &str = "nsslapd-pluginEnabled";

const fn option(
    name: &'static str,
    codec: Codec,
    plugin: &'static str,
    attribute: &'static str,
    doc: &'static str,
) -> Definition {
    Definition::new(name, codec, Home::Plugin(plugin, attribute), doc).restart()
}

const fn enabled(name: &'static str, plugin: &'static str, default: &'static str, doc: &'static str) -> Definition {
    option(name, Codec::Switch, plugin, ENABLED, doc).default(default)
}

const fn policy(name: &'static str, attribute: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, Codec::Text, Home::AccountPolicy(attribute), doc).restart()
}

pub(super) const OPTIONS: &[Definition] = &[
    enabled("memberof_enabled", MEMBER_OF, "off", "Whether entries list the groups that they are in (MemberOf)."),
    option("memberof_attr", Codec::Name, MEMBER_OF, "memberOfAttr", "Attribute that lists them.").default("memberOf"),
    option("memberof_groupattr", Codec::Types, MEMBER_OF, "memberOfGroupAttr", "Attributes of groups that list members.")
        .default("member"),
    option("memberof_allbackends", Codec::Switch, MEMBER_OF, "memberOfAllBackends", "Whether members may be in other backends.")
        .default("off"),
    option(
        "memberof_skipnested",
        Codec::Switch,
        MEMBER_OF,
        "memberOfSkipNested",
        "Whether groups in groups are not looked into.",
    )
    .default("off"),
    option(
        "memberof_entryscope",
        Codec::Dns,
        MEMBER_OF,
        "memberOfEntryScope",
        "Where entries get the attribute; else everywhere.",
    ),
    option(
        "memberof_entryscopeexclude",
        Codec::Dns,
        MEMBER_OF,
        "memberOfEntryScopeExcludeSubtree",
        "Where entries do not get it.",
    ),
    option(
        "memberof_autoaddoc",
        Codec::Name,
        MEMBER_OF,
        "memberOfAutoAddOC",
        "Object class that members get so that they may have the attribute.",
    ),
    enabled(
        "referint_enabled",
        INTEGRITY,
        "off",
        "Whether names of deleted entries are deleted elsewhere too (Referential Integrity).",
    ),
    option(
        "referint_update_delay",
        COUNT_OR_NONE,
        INTEGRITY,
        "referint-update-delay",
        "Seconds after which that is done; 0 is at once, -1 never.",
    )
    .default("0"),
    option("referint_membership_attr", Codec::Types, INTEGRITY, "referint-membership-attr", "Attributes with names of entries.")
        .default("member uniquemember owner seeAlso"),
    option("referint_entryscope", Codec::Dns, INTEGRITY, "nsslapd-pluginEntryScope", "Which deleted entries count; else all."),
    option("referint_excludeentryscope", Codec::Dns, INTEGRITY, "nsslapd-pluginExcludeEntryScope", "Which do not."),
    option(
        "referint_containerscope",
        Codec::Dn,
        INTEGRITY,
        "nsslapd-pluginContainerScope",
        "Where their names are looked for; else everywhere.",
    ),
    enabled("attruniq_enabled", UNIQUENESS, "off", "Whether values may occur once only (Attribute Uniqueness)."),
    option("attruniq_attribute_name", Codec::Types, UNIQUENESS, "uniqueness-attribute-name", "Attributes with such values.")
        .default("uid"),
    option("attruniq_subtrees", Codec::Dns, UNIQUENESS, "uniqueness-subtrees", "In which subtrees."),
    option("attruniq_exclude_subtrees", Codec::Dns, UNIQUENESS, "uniqueness-exclude-subtrees", "In which of them not."),
    option(
        "attruniq_across_all_subtrees",
        Codec::Switch,
        UNIQUENESS,
        "uniqueness-across-all-subtrees",
        "Whether once in all of them together, or in each.",
    )
    .default("off"),
    enabled("automember_enabled", AUTO_MEMBER, "on", "Whether new entries are put into groups by rules (Auto Membership)."),
    option(
        "automember_processmodifyops",
        Codec::Switch,
        AUTO_MEMBER,
        "autoMemberProcessModifyOps",
        "Whether entries that change are as well.",
    )
    .default("on"),
    option("automember_configarea", Codec::Dn, AUTO_MEMBER, "nsslapd-pluginConfigArea", "Where the rules are."),
    enabled("managed_entries_enabled", MANAGED, "on", "Whether entries have others made for them by rules (Managed Entries)."),
    option("managed_entries_configarea", Codec::Dn, MANAGED, "nsslapd-pluginConfigArea", "Where the rules are."),
    enabled("account_policy_enabled", ACCOUNT_POLICY, "off", "Whether accounts that are not used are locked (Account Policy)."),
    Definition::new(
        "account_policy_alwaysrecordlogin",
        Codec::Choice(&[&["no", "off", "false"], &["yes", "on", "true"]]),
        Home::AccountPolicy("alwaysRecordLogin"),
        "Whether logins of accounts without a policy are noted too.",
    )
    .default("no")
    .restart(),
    policy("account_policy_stateattrname", "stateAttrName", "Attribute with the time of the last login."),
    policy("account_policy_altstateattrname", "altStateAttrName", "Attribute that is taken where there is none yet."),
    policy("account_policy_specattrname", "specAttrName", "Attribute that says which policy an account has."),
    policy("account_policy_limitattrname", "limitAttrName", "Attribute of a policy with the seconds until an account is locked."),
    enabled("retro_changelog_enabled", RETRO, "off", "Whether changes can be read below cn=changelog (Retro Changelog)."),
    option("retro_changelog_maxage", Codec::Age, RETRO, "nsslapd-changelogmaxage", "How long they are kept."),
    option(
        "retro_changelog_trim_interval",
        COUNT,
        RETRO,
        "nsslapd-changelog-trim-interval",
        "Seconds between two looks at that.",
    ),
    option("retro_changelog_exclude_suffix", Codec::Dns, RETRO, "nsslapd-exclude-suffix", "Suffixes whose changes are left out."),
    option("retro_changelog_exclude_attrs", Codec::Types, RETRO, "nsslapd-exclude-attrs", "Attributes that are left out."),
    option(
        "retro_changelog_attribute",
        Codec::Texts,
        RETRO,
        "nsslapd-attribute",
        "Attributes of changed entries that are noted besides.",
    ),
    enabled("usn_enabled", USN, "off", "Whether each change gives entries a number (USN)."),
    enabled("rootdn_access_enabled", ROOT_DN, "off", "Whether the administrator's access has limits (RootDN Access Control)."),
    option("rootdn_open_time", Codec::Clock, ROOT_DN, "rootdn-open-time", "From when in the day there is access."),
    option("rootdn_close_time", Codec::Clock, ROOT_DN, "rootdn-close-time", "Until when."),
    option("rootdn_days_allowed", Codec::Text, ROOT_DN, "rootdn-days-allowed", "On which days, such as Mon, Tue."),
    option("rootdn_allow_host", Codec::Texts, ROOT_DN, "rootdn-allow-host", "From which hosts; * stands for any text."),
    option("rootdn_deny_host", Codec::Texts, ROOT_DN, "rootdn-deny-host", "From which hosts there is none."),
    option("rootdn_allow_ip", Codec::Texts, ROOT_DN, "rootdn-allow-ip", "From which addresses; * stands for any text."),
    option("rootdn_deny_ip", Codec::Texts, ROOT_DN, "rootdn-deny-ip", "From which addresses there is none."),
];
