//! Options of an index.

use crate::{
    codec::Codec,
    options::{Definition, Home, state},
};

const KINDS: &[&[&str]] = &[&["pres"], &["eq"], &["sub"], &["approx"], &["none"]];

pub(super) static OPTIONS: &[Definition] = &[
    Definition::new("name", Codec::Name, Home::Nature, "Attribute that is indexed.").required().fixed(),
    state("Whether the index is there."),
    Definition::new(
        "indextype",
        Codec::Choices(KINDS),
        Home::Index("nsIndexType"),
        "What is indexed: pres, eq, sub, approx. The backend's data is indexed again when this changes.",
    )
    .spelled("IndexType")
    .required(),
    Definition::new(
        "matchingrule",
        Codec::Types,
        Home::Index("nsMatchingRule"),
        "Matching rules, by name or OID, by which values are indexed besides.",
    )
    .spelled("MatchingRule"),
    Definition::new("systemindex", Codec::Truth, Home::Index("nsSystemIndex"), "Whether the server itself needs the index.")
        .spelled("SystemIndex")
        .default("false"),
];
