//! Rows of `hosts` and `latest_hosts`.

use aviary_proto::report::v1::{Host, HostFilter, LatestHost, LatestHostFilter, OrderField};

use super::{Fields, Noun, Reader, adopt};
use crate::{
    database::Param,
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Hosts;

impl Noun for Hosts {
    type Filter = HostFilter;
    type Row = Host;

    const NAME: &'static str = "host";
    const COLUMNS: &'static str = include_str!("../../sql/host.sql");
    const KEY: &'static str = "hosts.id";
    const SORTING: Sorting = Sorting {
        default: "",
        fields: &[
            (OrderField::Id, "hosts.id"),
            (OrderField::Created, "hosts.created"),
            (OrderField::Updated, "hosts.updated"),
            (OrderField::Name, "hosts.name"),
            (OrderField::Changed, "hosts.changed"),
            (OrderField::Failed, "hosts.failed"),
            (OrderField::Ok, "hosts.ok"),
            (OrderField::Skipped, "hosts.skipped"),
            (OrderField::Unreachable, "hosts.unreachable"),
        ],
    };

    fn select(filter: &HostFilter) -> Result<Select, Error> {
        let mut select = Select::from("hosts");
        host_conditions(&mut select, filter)?;
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<Host, Error> {
        let mut host = Host {
            id: fields.integer("id"),
            playbook_id: fields.integer("playbook_id"),
            playbook: None,
            facts: None,
            created: fields.time(),
            updated: fields.time(),
            name: fields.text("name"),
            changed: fields.integer("changed"),
            failed: fields.integer("failed"),
            ok: fields.integer("ok"),
            skipped: fields.integer("skipped"),
            unreachable: fields.integer("unreachable"),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if single {
            host.facts = reader.packed("SELECT facts FROM hosts WHERE id = ?1", host.id, "facts", &mut host.problems)?;
            host.playbook = reader.playbook(host.playbook_id)?.map(Box::new);
            if let Some(playbook) = &mut host.playbook {
                adopt(&mut host.problems, "playbook", &mut playbook.problems);
            }
        }
        Ok(host)
    }
}

/// All conditions on columns of `hosts`, which is in the statement already.
fn host_conditions(select: &mut Select, filter: &HostFilter) -> Result<(), Error> {
    select.dates("filter.created", "hosts.created", filter.created.as_ref())?;
    select.dates("filter.updated", "hosts.updated", filter.updated.as_ref())?;
    select.number("hosts.playbook_id", filter.playbook);
    if filter.playbook_name.is_some() || filter.playbook_path.is_some() {
        select.join("playbooks ON (hosts.playbook_id = playbooks.id)");
    }
    select.contains("playbooks.name", filter.playbook_name.as_ref());
    select.contains("playbooks.path", filter.playbook_path.as_ref());
    select.contains("hosts.name", filter.name.as_ref());
    select.bounds("hosts.changed", filter.changed.as_ref());
    select.bounds("hosts.failed", filter.failed.as_ref());
    select.bounds("hosts.ok", filter.ok.as_ref());
    select.bounds("hosts.skipped", filter.skipped.as_ref());
    select.bounds("hosts.unreachable", filter.unreachable.as_ref());
    Ok(())
}

pub(crate) struct LatestHosts;

const HOSTS: &str = "hosts ON (latest_hosts.host_id = hosts.id)";

impl Noun for LatestHosts {
    type Filter = LatestHostFilter;
    type Row = LatestHost;

    const NAME: &'static str = "latest host";
    const COLUMNS: &'static str = include_str!("../../sql/latest_host.sql");
    const KEY: &'static str = "latest_hosts.name";
    const SORTED_JOIN: Option<(&'static str, &'static str)> = Some(("hosts.", HOSTS));
    const SORTING: Sorting = Sorting {
        default: "",
        fields: &[
            (OrderField::Id, "hosts.id"),
            (OrderField::Created, "latest_hosts.created"),
            (OrderField::Updated, "latest_hosts.updated"),
            (OrderField::Name, "latest_hosts.name"),
            (OrderField::Changed, "hosts.changed"),
            (OrderField::Failed, "hosts.failed"),
            (OrderField::Ok, "hosts.ok"),
            (OrderField::Skipped, "hosts.skipped"),
            (OrderField::Unreachable, "hosts.unreachable"),
        ],
    };

    fn select(filter: &LatestHostFilter) -> Result<Select, Error> {
        let mut select = Select::from("latest_hosts");
        select.dates("filter.created", "latest_hosts.created", filter.created.as_ref())?;
        select.dates("filter.updated", "latest_hosts.updated", filter.updated.as_ref())?;
        if let Some(host) = filter.host.as_ref().filter(|host| **host != HostFilter::default()) {
            select.join(HOSTS);
            host_conditions(&mut select, host)?;
        }
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, _single: bool) -> Result<LatestHost, Error> {
        let name = fields.text("name");
        let host_id = fields.integer("host_id");
        let mut latest = LatestHost {
            name,
            host: reader.nested::<Hosts>("hosts", Param::Integer(host_id), true)?.map(Box::new),
            created: fields.time(),
            updated: fields.time(),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if let Some(host) = &mut latest.host {
            adopt(&mut latest.problems, "host", &mut host.problems);
        }
        Ok(latest)
    }
}
