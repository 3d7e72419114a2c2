//! Rows of `records`.

use aviary_proto::report::v1::{OrderField, Record, RecordFilter};

use super::{Fields, Noun, Reader, adopt};
use crate::{
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Records;

impl Noun for Records {
    type Filter = RecordFilter;
    type Row = Record;

    const NAME: &'static str = "record";
    const COLUMNS: &'static str = include_str!("../../sql/record.sql");
    const KEY: &'static str = "records.id";
    const SORTING: Sorting = Sorting {
        default: "",
        fields: &[
            (OrderField::Id, "records.id"),
            (OrderField::Created, "records.created"),
            (OrderField::Updated, "records.updated"),
            (OrderField::Key, "records.key"),
        ],
    };

    fn select(filter: &RecordFilter) -> Result<Select, Error> {
        let mut select = Select::from("records");
        select.dates("filter.created", "records.created", filter.created.as_ref())?;
        select.dates("filter.updated", "records.updated", filter.updated.as_ref())?;
        select.number("records.playbook_id", filter.playbook);
        select.text("records.key", filter.key.as_ref());
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<Record, Error> {
        let mut record = Record {
            id: fields.integer("id"),
            playbook_id: fields.integer("playbook_id"),
            playbook: None,
            value: None,
            created: fields.time(),
            updated: fields.time(),
            key: fields.text("key"),
            r#type: fields.text("type"),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if single {
            record.value = reader.packed("SELECT value FROM records WHERE id = ?1", record.id, "value", &mut record.problems)?;
            record.playbook = reader.playbook(record.playbook_id)?.map(Box::new);
            if let Some(playbook) = &mut record.playbook {
                adopt(&mut record.problems, "playbook", &mut playbook.problems);
            }
        }
        Ok(record)
    }
}
