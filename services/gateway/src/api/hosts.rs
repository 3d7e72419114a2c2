//! `hosts` and `latesthosts`.

use aviary_proto::report::v1::{self as wire, Host, HostFilter, LatestHost, LatestHostFilter, OrderField, Page, ReportRef};
use tonic::Status;

use super::{Client, Errors, Filters, Key, Noun, Part, Parts, QueryString, Resource, calls, playbooks, writer::Writer};

pub(crate) struct Hosts;

impl Resource for Hosts {
    type Filter = HostFilter;
    type Row = Host;

    const NOUN: Noun = Noun::Hosts;
    const ORDER: &'static [(&'static str, OrderField)] = &[
        ("id", OrderField::Id),
        ("created", OrderField::Created),
        ("updated", OrderField::Updated),
        ("name", OrderField::Name),
        ("changed", OrderField::Changed),
        ("failed", OrderField::Failed),
        ("ok", OrderField::Ok),
        ("skipped", OrderField::Skipped),
        ("unreachable", OrderField::Unreachable),
    ];

    fn filter(query: &QueryString, errors: &mut Errors) -> HostFilter {
        let mut filters = Filters::new(query, errors);
        let created = filters.dates("created_before", "created_after");
        let updated = filters.dates("updated_before", "updated_after");
        HostFilter { created, updated, ..conditions(&mut filters) }
    }

    fn write(writer: &mut Writer, row: &Host, single: bool) {
        if single {
            return write_whole(writer, row);
        }
        writer.open();
        writer.integer("id", row.id);
        writer.integer("playbook", row.playbook_id);
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        write_counters(writer, row);
        writer.close();
    }

    calls!(list_hosts(ListHostsRequest), get_host(GetHostRequest, id));
}

/// Everything but the dates, which hosts and latest hosts name differently.
fn conditions(filters: &mut Filters<'_>) -> HostFilter {
    HostFilter {
        created: None,
        updated: None,
        playbook: filters.number("playbook"),
        playbook_name: filters.text("playbook_name"),
        playbook_path: filters.text("playbook_path"),
        name: filters.text("name"),
        changed: filters.bounds("changed__gt", "changed__lt"),
        failed: filters.bounds("failed__gt", "failed__lt"),
        ok: filters.bounds("ok__gt", "ok__lt"),
        skipped: filters.bounds("skipped__gt", "skipped__lt"),
        unreachable: filters.bounds("unreachable__gt", "unreachable__lt"),
    }
}

fn write_whole(writer: &mut Writer, row: &Host) {
    writer.open();
    writer.integer("id", row.id);
    writer.object("playbook", row.playbook.as_deref(), playbooks::write_simple);
    writer.stored("facts", row.facts.as_deref());
    writer.time("created", row.created.as_ref());
    writer.time("updated", row.updated.as_ref());
    write_counters(writer, row);
    writer.close();
}

/// A host inside another object.
pub(super) fn write_simple(writer: &mut Writer, row: &Host) {
    writer.open();
    writer.integer("id", row.id);
    write_counters(writer, row);
    writer.close();
}

fn write_counters(writer: &mut Writer, row: &Host) {
    writer.text("name", row.name.as_deref());
    writer.integer("changed", row.changed);
    writer.integer("failed", row.failed);
    writer.integer("ok", row.ok);
    writer.integer("skipped", row.skipped);
    writer.integer("unreachable", row.unreachable);
}

pub(crate) struct LatestHosts;

impl Resource for LatestHosts {
    type Filter = LatestHostFilter;
    type Row = LatestHost;

    const NOUN: Noun = Noun::LatestHosts;
    const ORDER: &'static [(&'static str, OrderField)] = Hosts::ORDER;

    fn filter(query: &QueryString, errors: &mut Errors) -> LatestHostFilter {
        let mut filters = Filters::new(query, errors);
        let created = filters.dates("created_before", "created_after");
        let updated = filters.dates("updated_before", "updated_after");
        let mut host = conditions(&mut filters);
        host.created = filters.dates("host__created_before", "host__created_after");
        host.updated = filters.dates("host__updated_before", "host__updated_after");
        LatestHostFilter { created, updated, host: (host != HostFilter::default()).then_some(host) }
    }

    fn write(writer: &mut Writer, row: &LatestHost, _single: bool) {
        writer.open();
        writer.text("name", row.name.as_deref());
        writer.object("host", row.host.as_deref(), write_whole);
        writer.time("created", row.created.as_ref());
        writer.time("updated", row.updated.as_ref());
        writer.close();
    }

    calls!(list_latest_hosts(ListLatestHostsRequest), get_latest_host(GetLatestHostRequest, name));
}
