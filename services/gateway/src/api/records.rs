//! `records`.

use aviary_proto::report::v1::{self as wire, OrderField, Page, Record, RecordFilter, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, playbooks, writer::Writer};

pub(crate) struct Records;

impl Resource for Records {
    type Filter = RecordFilter;
    type Row = Record;

    const NOUN: Noun = Noun::Records;
    const ORDER: &'static [(&'static str, OrderField)] =
        &[("id", OrderField::Id), ("created", OrderField::Created), ("updated", OrderField::Updated), ("key", OrderField::Key)];

    fn filter(query: &QueryString, errors: &mut Errors) -> RecordFilter {
        let mut filters = Filters::new(query, errors);
        RecordFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            playbook: filters.number("playbook"),
            key: filters.text("key"),
        }
    }

    fn write(writer: &mut Writer, row: &Record, single: bool) {
        writer.open();
        writer.integer("id", row.id);
        if single {
            writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
            writer.stored("value", row.value.as_deref());
        } else {
            writer.integer("playbook", row.playbook_id);
        }
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        writer.text("key", row.key.as_deref());
        writer.text("type", row.r#type.as_deref());
        writer.close();
    }

    calls!(list_records(ListRecordsRequest), get_record(GetRecordRequest, id));
}
