//! Rows of `playbooks`.

use aviary_proto::report::v1::{LabelName, OrderField, Playbook, PlaybookFilter, PlaybookItems};

use super::{Fields, Noun, Reader};
use crate::{
    database::Param,
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Playbooks;

impl Noun for Playbooks {
    type Filter = PlaybookFilter;
    type Row = Playbook;

    const NAME: &'static str = "playbook";
    const COLUMNS: &'static str = include_str!("../../sql/playbook.sql");
    const KEY: &'static str = "playbooks.id";
    const SORTING: Sorting = Sorting {
        default: " ORDER BY playbooks.id DESC",
        fields: &[
            (OrderField::Id, "playbooks.id"),
            (OrderField::Created, "playbooks.created"),
            (OrderField::Updated, "playbooks.updated"),
            (OrderField::Started, "playbooks.started"),
            (OrderField::Ended, "playbooks.ended"),
            (OrderField::Duration, "playbooks.duration"),
        ],
    };

    fn select(filter: &PlaybookFilter) -> Result<Select, Error> {
        let mut select = Select::from("playbooks");
        select.dates("filter.created", "playbooks.created", filter.created.as_ref())?;
        select.dates("filter.updated", "playbooks.updated", filter.updated.as_ref())?;
        select.dates("filter.started", "playbooks.started", filter.started.as_ref())?;
        select.dates("filter.ended", "playbooks.ended", filter.ended.as_ref())?;
        select.contains("playbooks.ansible_version", filter.ansible_version.as_ref());
        select.contains("playbooks.client_version", filter.client_version.as_ref());
        select.contains("playbooks.server_version", filter.server_version.as_ref());
        select.contains("playbooks.python_version", filter.python_version.as_ref());
        select.contains("playbooks.user", filter.user.as_ref());
        select.contains("playbooks.controller", filter.controller.as_ref());
        select.contains("playbooks.name", filter.name.as_ref());
        select.contains("playbooks.path", filter.path.as_ref());
        select.any("playbooks.status", &filter.status);
        if filter.label.is_some() {
            select.join("playbooks_labels ON (playbooks.id = playbooks_labels.playbook_id)");
            select.join("labels ON (playbooks_labels.label_id = labels.id)");
            select.matches("labels.name", filter.label.as_ref());
        }
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, _single: bool) -> Result<Playbook, Error> {
        let id = fields.integer("id");
        let items = PlaybookItems {
            plays: fields.integer("items.plays"),
            tasks: fields.integer("items.tasks"),
            results: fields.integer("items.results"),
            hosts: fields.integer("items.hosts"),
            files: fields.integer("items.files"),
            records: fields.integer("items.records"),
        };
        let mut labels = Vec::new();
        reader.connection.query(include_str!("../../sql/playbook_labels.sql"), &[Param::Integer(id)], |row| {
            let mut fields = Fields::new(reader, row);
            labels.push(LabelName { id: fields.integer("id"), name: fields.text("name") });
            Ok::<_, Error>(())
        })?;
        Ok(Playbook {
            id,
            items: Some(items),
            arguments: fields.packed("arguments"),
            labels,
            created: fields.time(),
            updated: fields.time(),
            started: fields.time(),
            ended: fields.time(),
            duration: fields.duration(),
            name: fields.text("name"),
            ansible_version: fields.text("ansible_version"),
            client_version: fields.text("client_version"),
            python_version: fields.text("python_version"),
            server_version: fields.text("server_version"),
            status: fields.text("status"),
            path: fields.text("path"),
            controller: fields.text("controller"),
            user: fields.text("user"),
            problems: fields.problems,
            continued: Vec::new(),
        })
    }
}
