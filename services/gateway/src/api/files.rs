//! `files`.

use aviary_proto::report::v1::{self as wire, File, FileFilter, OrderField, Page, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, playbooks, writer::Writer};

pub(crate) struct Files;

impl Resource for Files {
    type Filter = FileFilter;
    type Row = File;

    const NOUN: Noun = Noun::Files;
    const ORDER: &'static [(&'static str, OrderField)] =
        &[("id", OrderField::Id), ("created", OrderField::Created), ("updated", OrderField::Updated), ("path", OrderField::Path)];

    fn filter(query: &QueryString, errors: &mut Errors) -> FileFilter {
        let mut filters = Filters::new(query, errors);
        FileFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            playbook: filters.number("playbook"),
            path: filters.text("path"),
        }
    }

    fn write(writer: &mut Writer, row: &File, single: bool) {
        writer.open();
        writer.integer("id", row.id);
        writer.text("sha1", row.sha1.as_deref());
        if single {
            writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
            writer.text("content", row.content.as_deref());
        } else {
            writer.integer("playbook", row.playbook_id);
        }
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        writer.text("path", row.path.as_deref());
        writer.close();
    }

    calls!(list_files(ListFilesRequest), get_file(GetFileRequest, id));
}

/// A file inside another object.
pub(super) fn write_simple(writer: &mut Writer, row: &File) {
    writer.open();
    writer.integer("id", row.id);
    writer.text("sha1", row.sha1.as_deref());
    writer.text("path", row.path.as_deref());
    writer.close();
}
