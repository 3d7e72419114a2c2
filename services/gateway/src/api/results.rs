//! `results`.

use aviary_proto::report::v1::{self as wire, OrderField, Page, ReportRef, Result as ResultRow, ResultFilter};
use tonic::Status;

use super::{
    Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, hosts, playbooks, plays, tasks, writer::Writer,
};
use crate::json;

pub(crate) struct Results;

impl Resource for Results {
    type Filter = ResultFilter;
    type Row = ResultRow;

    const NOUN: Noun = Noun::Results;
    const ORDER: &'static [(&'static str, OrderField)] = playbooks::DATED_ORDER;

    fn filter(query: &QueryString, errors: &mut Errors) -> ResultFilter {
        let mut filters = Filters::new(query, errors);
        ResultFilter {
            created: filters.dates("created_before", "created_after"),
            updated: filters.dates("updated_before", "updated_after"),
            started: filters.dates("started_before", "started_after"),
            ended: filters.dates("ended_before", "ended_after"),
            playbook: filters.number("playbook"),
            task: filters.number("task"),
            task_name: filters.text("task_name"),
            play: filters.number("play"),
            host: filters.number("host"),
            host_name: filters.text("host_name"),
            delegated_to: filters.number("delegated_to"),
            changed: filters.flag("changed"),
            status: filters.choices("status", &["ok", "failed", "skipped", "unreachable", "unknown"]),
            ignore_errors: filters.flag("ignore_errors"),
        }
    }

    fn write(writer: &mut Writer, row: &ResultRow, single: bool) {
        writer.open();
        writer.integer("id", row.id);
        writer.text("status", shown_status(row));
        if single {
            writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
            writer.object("play", row.play.as_deref(), plays::write_simple);
            writer.object("task", row.task.as_deref(), tasks::write_simple);
            writer.object("host", row.host.as_deref(), hosts::write_simple);
            writer.list("delegated_to", &row.delegated_to, hosts::write_simple);
            writer.stored("content", row.content.as_deref());
        } else {
            writer.integer("playbook", row.playbook_id);
            writer.integer("play", row.play_id);
            writer.integer("task", row.task_id);
            writer.integer("host", row.host_id);
            writer.list("delegated_to", &row.delegated_to_ids, |writer, id| json::push_i64(&mut writer.out, *id));
        }
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        writer.time("started", row.started.as_ref());
        writer.time("ended", row.ended.as_ref());
        writer.duration("duration", row.duration.as_ref());
        writer.flag("changed", row.changed);
        writer.flag("ignore_errors", row.ignore_errors);
        writer.close();
    }

    calls!(list_results(ListResultsRequest), get_result(GetResultRequest, id));
}

/// What ARA shows for the stored status.
fn shown_status(row: &ResultRow) -> Option<&str> {
    match row.status.as_deref() {
        Some("ok") if row.changed => Some("changed"),
        Some("failed") if row.ignore_errors => Some("ignored"),
        stored => stored,
    }
}
