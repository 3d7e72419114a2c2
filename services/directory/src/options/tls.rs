//! Options of an instance: TLS.

use crate::{
    codec::Codec,
    options::{COUNT, Definition, Home},
};

/// Versions of TLS.
const VERSION: Codec = Codec::Choice(&[&["TLS1.0"], &["TLS1.1"], &["TLS1.2"], &["TLS1.3"]]);

pub(super) const OPTIONS: &[Definition] = &[
    Definition::new(
        "tls_cert",
        Codec::Path,
        Home::Certificates,
        "File of PEM on the server's host: the certificate that the server shows, then those between it and its authority. It is \
         imported again when the file has another one.",
    ),
    Definition::new("tls_key", Codec::Path, Home::Certificates, "File of PEM on the server's host: the key of tls_cert."),
    Definition::new(
        "tls_ca",
        Codec::Paths,
        Home::Certificates,
        "Files of PEM on the server's host: certificates of authorities whose certificates the server trusts. Those \
         that it has trusted before are left as they are.",
    ),
    Definition::new("nsslapd_security", Codec::Switch, Home::Config("nsslapd-security"), "Whether TLS is on.").restart(),
    Definition::new(
        "nsslapd_require_secure_binds",
        Codec::Switch,
        Home::Config("nsslapd-require-secure-binds"),
        "Whether passwords are refused on connections that are not secure.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_minssf",
        Codec::Number(0, 71),
        Home::Config("nsslapd-minssf"),
        "Strength of encryption that every operation needs. More than 71 would lock out the host itself.",
    )
    .default("0"),
    Definition::new(
        "nsslapd_ssl_check_hostname",
        Codec::Switch,
        Home::Config("nsslapd-ssl-check-hostname"),
        "Whether certificates of other servers are checked at all.",
    )
    .default("on"),
    Definition::new("sslversionmin", VERSION, Home::Encryption("sslVersionMin"), "Oldest TLS that clients may speak.").restart(),
    Definition::new("sslversionmax", VERSION, Home::Encryption("sslVersionMax"), "Newest TLS that clients may speak.").restart(),
    Definition::new(
        "nssslclientauth",
        Codec::Choice(&[&["off"], &["allowed"], &["required"]]),
        Home::Encryption("nsSSLClientAuth"),
        "Whether clients may or must have certificates.",
    )
    .default("allowed")
    .restart(),
    Definition::new(
        "nssslsessiontimeout",
        COUNT,
        Home::Encryption("nsSSLSessionTimeout"),
        "Seconds for which clients may take up a TLS session again; 0 is as long as the library lets them.",
    )
    .spelled("nsSSLSessionTimeout")
    .default("0")
    .restart(),
    Definition::new(
        "allowweakcipher",
        Codec::Switch,
        Home::Encryption("allowWeakCipher"),
        "Whether ciphers that are weak may be used.",
    )
    .spelled("allowWeakCipher")
    .default("off")
    .restart(),
    Definition::new(
        "nsssl3ciphers",
        Codec::Text,
        Home::Encryption("nsSSL3Ciphers"),
        "Which ciphers may be used, such as +all or default,-TLS_RSA_WITH_AES_128_CBC_SHA.",
    )
    .spelled("nsSSL3Ciphers")
    .restart(),
    Definition::new(
        "nsslapd_validate_cert",
        Codec::Choice(&[&["warn"], &["on"], &["off"]]),
        Home::Config("nsslapd-validate-cert"),
        "What the server does at its start when its certificate has ended: on does not start.",
    )
    .default("warn")
    .restart(),
    Definition::new(
        "nsslapd_tls_check_crl",
        Codec::Choice(&[&["none"], &["peer"], &["all"]]),
        Home::Config("nsslapd-tls-check-crl"),
        "Whether lists of revoked certificates are looked at when the server connects to others.",
    )
    .default("none"),
    Definition::new(
        "nsslapd_minssf_exclude_rootdse",
        Codec::Switch,
        Home::Config("nsslapd-minssf-exclude-rootdse"),
        "Whether the root DSE can be read without the encryption that nsslapd_minssf asks for.",
    )
    .default("off"),
    Definition::new(
        "nsslapd_certmap_basedn",
        Codec::Dn,
        Home::Config("nsslapd-certmap-basedn"),
        "Where entries for clients with certificates are looked for.",
    ),
];
