//! Options of an instance: its logs.

use crate::{
    codec::Codec,
    options::{COUNT, COUNT_OR_NONE, Definition, Home},
    version::Version,
};

/// Spans after which a log is rotated.
const ROTATION: Codec = Codec::Choice(&[&["minute"], &["hour"], &["day"], &["week"], &["month"]]);

/// Spans after which a log is deleted.
const EXPIRATION: Codec = Codec::Choice(&[&["day"], &["week"], &["month"]]);

/// Megabytes, at least one.
const MEGABYTES: Codec = Codec::Number(1, i64::MAX);

/// What all logs have in common: its name in attributes and in words, whether it is written, size, number of files, days or
/// weeks of rotation, space.
macro_rules! log {
    ($log:literal, $what:literal, $on:literal, $files:literal, $rotation:literal, $space:literal) => {
        [
            Definition::new(
                concat!("nsslapd_", $log, "_logging_enabled"),
                Codec::Switch,
                Home::Config(concat!("nsslapd-", $log, "-logging-enabled")),
                concat!("Whether ", $what, " is written."),
            )
            .default($on),
            Definition::new(
                concat!("nsslapd_", $log, "_maxlogsize"),
                MEGABYTES_OR_NONE,
                Home::Config(concat!("nsslapd-", $log, "-maxlogsize")),
                concat!("Megabytes after which ", $what, " is rotated; -1 is never."),
            )
            .default("100"),
            Definition::new(
                concat!("nsslapd_", $log, "_maxlogsperdir"),
                Codec::Number(1, i64::MAX),
                Home::Config(concat!("nsslapd-", $log, "-maxlogsperdir")),
                concat!("How many files of ", $what, " are kept."),
            )
            .default($files),
            Definition::new(
                concat!("nsslapd_", $log, "_logrotationtime"),
                COUNT_OR_NONE,
                Home::Config(concat!("nsslapd-", $log, "-logrotationtime")),
                concat!("After how many of logrotationtimeunit ", $what, " is rotated; -1 is never."),
            )
            .default("1"),
            Definition::new(
                concat!("nsslapd_", $log, "_logrotationtimeunit"),
                ROTATION,
                Home::Config(concat!("nsslapd-", $log, "-logrotationtimeunit")),
                concat!("The span in which the rotation of ", $what, " is counted."),
            )
            .default($rotation),
            Definition::new(
                concat!("nsslapd_", $log, "_logexpirationtime"),
                COUNT_OR_NONE,
                Home::Config(concat!("nsslapd-", $log, "-logexpirationtime")),
                concat!("After how many of logexpirationtimeunit files of ", $what, " are deleted; -1 is never."),
            )
            .default("1"),
            Definition::new(
                concat!("nsslapd_", $log, "_logexpirationtimeunit"),
                EXPIRATION,
                Home::Config(concat!("nsslapd-", $log, "-logexpirationtimeunit")),
                concat!("The span in which the age of files of ", $what, " is counted."),
            )
            .default("month"),
            Definition::new(
                concat!("nsslapd_", $log, "_logmaxdiskspace"),
                MEGABYTES_OR_NONE,
                Home::Config(concat!("nsslapd-", $log, "-logmaxdiskspace")),
                concat!("Megabytes that all files of ", $what, " may have; the oldest are deleted. -1 is no limit."),
            )
            .default($space),
            Definition::new(
                concat!("nsslapd_", $log, "_logminfreediskspace"),
                MEGABYTES_OR_NONE,
                Home::Config(concat!("nsslapd-", $log, "-logminfreediskspace")),
                concat!("Megabytes that have to be free; otherwise the oldest files of ", $what, " are deleted."),
            )
            .default("5"),
        ]
    };
}

/// As [`MEGABYTES`], where -1 is no limit.
const MEGABYTES_OR_NONE: Codec = Codec::Number(-1, i64::MAX);

pub(super) const ACCESS: &[Definition] = &log!("accesslog", "the access log", "on", "10", "day", "500");
pub(super) const ERRORS: &[Definition] = &log!("errorlog", "the error log", "on", "2", "week", "100");
pub(super) const AUDIT: &[Definition] = &log!("auditlog", "the audit log", "off", "2", "week", "100");
pub(super) const AUDIT_FAILURES: &[Definition] = &log!("auditfaillog", "the audit log of what failed", "off", "2", "week", "100");

/// Permissions of a log's files.
const fn mode(name: &'static str, attribute: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, Codec::Mode, Home::Config(attribute), doc).default("600")
}

/// What only some have.
pub(super) const MORE: &[Definition] = &[
    mode("nsslapd_accesslog_mode", "nsslapd-accesslog-mode", "Permissions of files of the access log."),
    mode("nsslapd_errorlog_mode", "nsslapd-errorlog-mode", "Permissions of files of the error log."),
    // That of what failed is in the same file, and the server takes no other permissions for it.
    mode("nsslapd_auditlog_mode", "nsslapd-auditlog-mode", "Permissions of files of the audit log."),
    Definition::new(
        "nsslapd_accesslog_level",
        COUNT,
        Home::Config("nsslapd-accesslog-level"),
        "What the access log holds, as a sum of levels.",
    )
    .default("256"),
    Definition::new(
        "nsslapd_accesslog_logbuffering",
        Codec::Switch,
        Home::Config("nsslapd-accesslog-logbuffering"),
        "Whether lines of the access log are written together.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_errorlog_level",
        COUNT,
        Home::Config("nsslapd-errorlog-level"),
        "What the error log holds, as a sum of levels.",
    )
    .default("16384"),
    Definition::new(
        "nsslapd_auditlog_logging_hide_unhashed_pw",
        Codec::Switch,
        Home::Config("nsslapd-auditlog-logging-hide-unhashed-pw"),
        "Whether the audit log has no passwords.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_auditfaillog_logging_hide_unhashed_pw",
        Codec::Switch,
        Home::Config("nsslapd-auditfaillog-logging-hide-unhashed-pw"),
        "Whether the audit log of what failed has no passwords.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_securitylog_logging_enabled",
        Codec::Switch,
        Home::Config("nsslapd-securitylog-logging-enabled"),
        "Whether the security log is written.",
    )
    .default("on")
    .since(SECURITY_LOG),
    Definition::new(
        "nsslapd_securitylog_maxlogsize",
        MEGABYTES,
        Home::Config("nsslapd-securitylog-maxlogsize"),
        "Megabytes after which the security log is rotated.",
    )
    .default("100")
    .since(SECURITY_LOG),
    Definition::new(
        "nsslapd_securitylog_maxlogsperdir",
        MEGABYTES,
        Home::Config("nsslapd-securitylog-maxlogsperdir"),
        "How many files of the security log are kept.",
    )
    .default("10")
    .since(SECURITY_LOG),
    Definition::new(
        "nsslapd_csnlogging",
        Codec::Switch,
        Home::Config("nsslapd-csnlogging"),
        "Whether the access log has the numbers of replicated changes.",
    )
    .default("on"),
    Definition::new(
        "nsslapd_plugin_logging",
        Codec::Switch,
        Home::Config("nsslapd-plugin-logging"),
        "Whether the access log has what plugins do.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_syntaxlogging",
        Codec::Switch,
        Home::Config("nsslapd-syntaxlogging"),
        "Whether values that are against their syntax are logged.",
    )
    .default("off"),
];

/// The first server with a security log.
const SECURITY_LOG: Version = Version::new(2, 2, 0);
