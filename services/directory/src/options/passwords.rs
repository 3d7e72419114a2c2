//! Options of an instance: the password policy of all users, as far as none of their own says otherwise.

use crate::{
    codec::Codec,
    options::{COUNT, Definition, Home},
};

/// A switch of the policy: its name in lower case and as the attribute is spelled, default, documentation.
const fn switch(name: &'static str, attribute: &'static str, default: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, Codec::Switch, Home::Config(attribute), doc).spelled(attribute).default(default)
}

/// A number of the policy.
const fn number(name: &'static str, attribute: &'static str, default: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, COUNT, Home::Config(attribute), doc).spelled(attribute).default(default)
}

/// A number of characters or attempts that is small.
const fn few(
    name: &'static str,
    attribute: &'static str,
    min: i64,
    max: i64,
    default: &'static str,
    doc: &'static str,
) -> Definition {
    Definition::new(name, Codec::Number(min, max), Home::Config(attribute), doc).spelled(attribute).default(default)
}

pub(super) const OPTIONS: &[Definition] = &[
    Definition::new(
        "passwordstoragescheme",
        Codec::Text,
        Home::Config("passwordStorageScheme"),
        "How users' passwords are hashed.",
    ),
    Definition::new(
        "nsslapd_rootpwstoragescheme",
        Codec::Text,
        Home::Config("nsslapd-rootpwstoragescheme"),
        "How the administrator's password is hashed.",
    ),
    Definition::new(
        "nsslapd_pwpolicy_local",
        Codec::Switch,
        Home::Config("nsslapd-pwpolicy-local"),
        "Whether users and subtrees may have policies of their own.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_pwpolicy_inherit_global",
        Codec::Switch,
        Home::Config("nsslapd-pwpolicy-inherit-global"),
        "Whether such policies take what they do not say from this one.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_allow_hashed_passwords",
        Codec::Switch,
        Home::Config("nsslapd-allow-hashed-passwords"),
        "Whether others than the administrator may write passwords that are hashed already.",
    )
    .default("off"),
    switch("passwordchange", "passwordChange", "on", "Whether users may change their passwords."),
    switch("passwordmustchange", "passwordMustChange", "off", "Whether users have to change a password that was set for them."),
    switch("passwordhistory", "passwordHistory", "off", "Whether earlier passwords are refused."),
    few("passwordinhistory", "passwordInHistory", 0, 24, "6", "How many earlier passwords are kept."),
    switch("passwordexp", "passwordExp", "off", "Whether passwords end."),
    number("passwordmaxage", "passwordMaxAge", "8640000", "Seconds after which a password ends."),
    number("passwordminage", "passwordMinAge", "0", "Seconds for which a new password cannot be changed."),
    number("passwordwarning", "passwordWarning", "86400", "Seconds before its end from which a user is warned."),
    number("passwordgracelimit", "passwordGraceLimit", "0", "How many logins are left after its end."),
    switch("passwordsendexpiringtime", "passwordSendExpiringTime", "off", "Whether clients are always told how long is left."),
    switch("passwordlockout", "passwordLockout", "off", "Whether accounts are locked after wrong passwords."),
    few("passwordmaxfailure", "passwordMaxFailure", 1, 32767, "3", "How many wrong passwords lock an account."),
    number("passwordlockoutduration", "passwordLockoutDuration", "3600", "Seconds for which an account is locked."),
    number("passwordresetfailurecount", "passwordResetFailureCount", "600", "Seconds after which wrong passwords are forgotten."),
    switch("passwordunlock", "passwordUnlock", "on", "Whether locked accounts are unlocked after that time, or by hand alone."),
    switch(
        "passwordlegacypolicy",
        "passwordLegacyPolicy",
        "on",
        "Whether an account is locked one attempt later, as it once was.",
    ),
    switch("passwordisglobalpolicy", "passwordIsGlobalPolicy", "off", "Whether locks are replicated."),
    switch("passwordtrackupdatetime", "passwordTrackUpdateTime", "off", "Whether the time of a password's change is kept."),
    switch("passwordchecksyntax", "passwordCheckSyntax", "off", "Whether new passwords have to be as the following options say."),
    few("passwordminlength", "passwordMinLength", 2, 512, "8", "Fewest characters."),
    few("passwordmindigits", "passwordMinDigits", 0, 64, "0", "Fewest digits."),
    few("passwordminalphas", "passwordMinAlphas", 0, 64, "0", "Fewest letters."),
    few("passwordminuppers", "passwordMinUppers", 0, 64, "0", "Fewest upper-case letters."),
    few("passwordminlowers", "passwordMinLowers", 0, 64, "0", "Fewest lower-case letters."),
    few("passwordminspecials", "passwordMinSpecials", 0, 64, "0", "Fewest characters that are neither letters nor digits."),
    few("passwordmin8bit", "passwordMin8bit", 0, 64, "0", "Fewest characters beyond ASCII."),
    few("passwordmincategories", "passwordMinCategories", 1, 5, "3", "Fewest kinds of characters."),
    few(
        "passwordmintokenlength",
        "passwordMinTokenLength",
        1,
        64,
        "3",
        "Shortest part of the user's attributes that a password may not have.",
    ),
    few("passwordmaxrepeats", "passwordMaxRepeats", 0, 64, "0", "How often a character may follow itself; 0 is no limit."),
    few("passwordmaxsequence", "passwordMaxSequence", 0, 64, "0", "How long a sequence such as 1234 may be; 0 is no limit."),
    few("passwordmaxseqsets", "passwordMaxSeqSets", 0, 64, "0", "How long a sequence that occurs twice may be; 0 is no limit."),
    few(
        "passwordmaxclasschars",
        "passwordMaxClassChars",
        0,
        64,
        "0",
        "How many characters of one kind may follow each other; 0 is no limit.",
    ),
    switch("passwordpalindrome", "passwordPalindrome", "off", "Whether palindromes are refused."),
    switch("passworddictcheck", "passwordDictCheck", "off", "Whether words of a dictionary are refused."),
];
