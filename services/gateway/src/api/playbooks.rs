//! `playbooks`.

use aviary_proto::report::v1::{self as wire, OrderField, Page, Playbook, PlaybookFilter, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, writer::Writer};

pub(crate) struct Playbooks;

/// What `order` knows of everything that has a duration.
pub(super) const DATED_ORDER: &[(&str, OrderField)] = &[
    ("id", OrderField::Id),
    ("created", OrderField::Created),
    ("updated", OrderField::Updated),
    ("started", OrderField::Started),
    ("ended", OrderField::Ended),
    ("duration", OrderField::Duration),
];

impl Resource for Playbooks {
    type Filter = PlaybookFilter;
    type Row = Playbook;

    const NOUN: Noun = Noun::Playbooks;
    const ORDER: &'static [(&'static str, OrderField)] = DATED_ORDER;

    fn filter(query: &QueryString, errors: &mut Errors) -> PlaybookFilter {
        let mut filters = Filters::new(query, errors);
        PlaybookFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            started: filters.dates("started_before", "started_after"),
            ended: filters.dates("ended_before", "ended_after"),
            ansible_version: filters.text("ansible_version"),
            client_version: filters.text("client_version"),
            server_version: filters.text("server_version"),
            python_version: filters.text("python_version"),
            user: filters.text("user"),
            controller: filters.text("controller"),
            name: filters.text("name"),
            path: filters.text("path"),
            status: filters.choices("status", &["unknown", "expired", "running", "completed", "failed"]),
            label: filters.text("label"),
        }
    }

    fn write(writer: &mut Writer, row: &Playbook, _single: bool) {
        write(writer, row, true);
    }

    calls!(list_playbooks(ListPlaybooksRequest), get_playbook(GetPlaybookRequest, id));
}

/// A playbook inside another object.
pub(super) fn write_simple(writer: &mut Writer, row: &Playbook) {
    write(writer, row, false);
}

fn write(writer: &mut Writer, row: &Playbook, whole: bool) {
    writer.open();
    writer.integer("id", row.id);
    writer.object("items", row.items.as_ref(), |writer, items| {
        writer.open();
        writer.integer("plays", items.plays);
        writer.integer("tasks", items.tasks);
        writer.integer("results", items.results);
        writer.integer("hosts", items.hosts);
        writer.integer("files", items.files);
        writer.integer("records", items.records);
        writer.close();
    });
    writer.stored("arguments", row.arguments.as_deref());
    writer.list("labels", &row.labels, |writer, label| {
        writer.open();
        writer.integer("id", label.id);
        writer.text("name", label.name.as_deref());
        writer.close();
    });
    if whole {
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
    }
    writer.time("started", row.started.as_ref());
    writer.time("ended", row.ended.as_ref());
    writer.duration("duration", row.duration.as_ref());
    writer.text("name", row.name.as_deref());
    writer.text("ansible_version", row.ansible_version.as_deref());
    writer.text("client_version", row.client_version.as_deref());
    writer.text("python_version", row.python_version.as_deref());
    writer.text("server_version", row.server_version.as_deref());
    writer.text("status", row.status.as_deref());
    writer.text("path", row.path.as_deref());
    writer.text("controller", row.controller.as_deref());
    writer.text("user", row.user.as_deref());
    writer.close();
}
