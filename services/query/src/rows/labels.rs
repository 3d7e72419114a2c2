//! Rows of `labels`.

use aviary_proto::report::v1::{Label, LabelFilter, OrderField};

use super::{Fields, Noun, Reader};
use crate::{
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Labels;

impl Noun for Labels {
    type Filter = LabelFilter;
    type Row = Label;

    const NAME: &'static str = "label";
    const COLUMNS: &'static str = include_str!("../../sql/label.sql");
    const KEY: &'static str = "labels.id";
    const SORTING: Sorting = Sorting {
        default: "",
        fields: &[
            (OrderField::Id, "labels.id"),
            (OrderField::Created, "labels.created"),
            (OrderField::Updated, "labels.updated"),
        ],
    };

    fn select(filter: &LabelFilter) -> Result<Select, Error> {
        let mut select = Select::from("labels");
        select.dates("filter.created", "labels.created", filter.created.as_ref())?;
        select.dates("filter.updated", "labels.updated", filter.updated.as_ref())?;
        Ok(select)
    }

    fn read(_reader: &Reader<'_>, mut fields: Fields<'_, '_>, _single: bool) -> Result<Label, Error> {
        Ok(Label {
            id: fields.integer("id"),
            created: fields.time(),
            updated: fields.time(),
            name: fields.text("name"),
            problems: fields.problems,
        })
    }
}
