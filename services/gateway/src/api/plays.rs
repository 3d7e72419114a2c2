//! `plays`.

use aviary_proto::report::v1::{self as wire, OrderField, Page, Play, PlayFilter, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, playbooks, writer::Writer};

pub(crate) struct Plays;

impl Resource for Plays {
    type Filter = PlayFilter;
    type Row = Play;

    const NOUN: Noun = Noun::Plays;
    const ORDER: &'static [(&'static str, OrderField)] = playbooks::DATED_ORDER;

    fn filter(query: &QueryString, errors: &mut Errors) -> PlayFilter {
        let mut filters = Filters::new(query, errors);
        PlayFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            started: filters.dates("started_before", "started_after"),
            ended: filters.dates("ended_before", "ended_after"),
            playbook: filters.number("playbook"),
            uuid: filters.uuid("uuid"),
            status: filters.choices("status", &["unknown", "running", "completed", "expired"]),
            name: filters.text("name"),
        }
    }

    fn write(writer: &mut Writer, row: &Play, single: bool) {
        writer.open();
        write_head(writer, row);
        if single {
            writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
        } else {
            writer.integer("playbook", row.playbook_id);
        }
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        write_times(writer, row);
        writer.text("name", row.name.as_deref());
        writer.text("uuid", row.uuid.as_deref());
        writer.text("status", row.status.as_deref());
        writer.close();
    }

    calls!(list_plays(ListPlaysRequest), get_play(GetPlayRequest, id));
}

/// A play inside another object.
pub(super) fn write_simple(writer: &mut Writer, row: &Play) {
    writer.open();
    write_head(writer, row);
    write_times(writer, row);
    writer.text("name", row.name.as_deref());
    writer.text("status", row.status.as_deref());
    writer.close();
}

fn write_head(writer: &mut Writer, row: &Play) {
    writer.integer("id", row.id);
    writer.object("items", row.items.as_ref(), |writer, items| {
        writer.open();
        writer.integer("tasks", items.tasks);
        writer.integer("results", items.results);
        writer.close();
    });
}

fn write_times(writer: &mut Writer, row: &Play) {
    writer.time("started", row.started.as_ref());
    writer.time("ended", row.ended.as_ref());
    writer.duration("duration", row.duration.as_ref());
}
