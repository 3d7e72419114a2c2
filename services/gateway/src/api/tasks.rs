//! `tasks`.

use aviary_proto::report::v1::{self as wire, OrderField, Page, ReportRef, Task, TaskFilter};
use tonic::Status;

use super::{
    Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, files, playbooks, plays, writer::Writer,
};

pub(crate) struct Tasks;

impl Resource for Tasks {
    type Filter = TaskFilter;
    type Row = Task;

    const NOUN: Noun = Noun::Tasks;
    const ORDER: &'static [(&'static str, OrderField)] = playbooks::DATED_ORDER;

    fn filter(query: &QueryString, errors: &mut Errors) -> TaskFilter {
        let mut filters = Filters::new(query, errors);
        TaskFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            started: filters.dates("started_before", "started_after"),
            ended: filters.dates("ended_before", "ended_after"),
            playbook: filters.number("playbook"),
            playbook_name: filters.text("playbook_name"),
            playbook_path: filters.text("playbook_path"),
            play: filters.number("play"),
            status: filters.choices("status", &["completed", "expired", "failed", "running", "unknown"]),
            name: filters.text("name"),
            uuid: filters.uuid("uuid"),
            action: filters.text("action"),
            path: filters.text("path"),
            lineno: filters.lineno("lineno"),
            handler: filters.flag("handler"),
            exceptions_count: filters.bounds("exceptions_count__gt", "exceptions_count__lt"),
            deprecations_count: filters.bounds("deprecations_count__gt", "deprecations_count__lt"),
            warnings_count: filters.bounds("warnings_count__gt", "warnings_count__lt"),
        }
    }

    fn write(writer: &mut Writer, row: &Task, single: bool) {
        writer.open();
        write_head(writer, row);
        if single {
            writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
            writer.object("play", row.play.as_deref(), plays::write_simple);
            writer.object("file", row.file.as_deref(), files::write_simple);
            writer.stored("tags", row.tags.as_deref());
        } else {
            writer.stored("tags", row.tags.as_deref());
            writer.integer("play", row.play_id);
            writer.stored("deprecations", row.deprecations.as_deref());
            writer.stored("exceptions", row.exceptions.as_deref());
            writer.stored("warnings", row.warnings.as_deref());
        }
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        write_body(writer, row);
        if single {
            write_notes(writer, row);
        } else {
            writer.integer("file", row.file_id);
            writer.integer("playbook", row.playbook_id);
        }
        writer.close();
    }

    calls!(list_tasks(ListTasksRequest), get_task(GetTaskRequest, id));
}

/// A task inside another object.
pub(super) fn write_simple(writer: &mut Writer, row: &Task) {
    writer.open();
    write_head(writer, row);
    writer.stored("tags", row.tags.as_deref());
    write_body(writer, row);
    write_notes(writer, row);
    writer.integer("file", row.file_id);
    writer.close();
}

fn write_head(writer: &mut Writer, row: &Task) {
    writer.integer("id", row.id);
    writer.object("items", row.items.as_ref(), |writer, items| {
        writer.open();
        writer.integer("results", items.results);
        writer.close();
    });
    writer.text("path", row.path.as_deref());
}

fn write_body(writer: &mut Writer, row: &Task) {
    writer.time("started", row.started.as_ref());
    writer.time("ended", row.ended.as_ref());
    writer.duration("duration", row.duration.as_ref());
    writer.text("name", row.name.as_deref());
    writer.text("uuid", row.uuid.as_deref());
    writer.text("action", row.action.as_deref());
    writer.integer("lineno", row.lineno);
    writer.flag("handler", row.handler);
    writer.text("status", row.status.as_deref());
}

fn write_notes(writer: &mut Writer, row: &Task) {
    writer.stored("warnings", row.warnings.as_deref());
    writer.stored("deprecations", row.deprecations.as_deref());
    writer.stored("exceptions", row.exceptions.as_deref());
}
