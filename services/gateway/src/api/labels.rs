//! `labels`.

use aviary_proto::report::v1::{self as wire, Label, LabelFilter, OrderField, Page, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, writer::Writer};

pub(crate) struct Labels;

impl Resource for Labels {
    type Filter = LabelFilter;
    type Row = Label;

    const NOUN: Noun = Noun::Labels;
    const ORDER: &'static [(&'static str, OrderField)] =
        &[("id", OrderField::Id), ("created", OrderField::Created), ("updated", OrderField::Updated)];

    fn filter(query: &QueryString, errors: &mut Errors) -> LabelFilter {
        let mut filters = Filters::new(query, errors);
        LabelFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
        }
    }

    fn write(writer: &mut Writer, row: &Label, _single: bool) {
        writer.open();
        writer.integer("id", row.id);
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        writer.text("name", row.name.as_deref());
        writer.close();
    }

    calls!(list_labels(ListLabelsRequest), get_label(GetLabelRequest, id));
}
