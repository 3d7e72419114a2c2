//! Rows of `results`.

use aviary_proto::report::v1::{OrderField, Result as ResultRow, ResultFilter};

use super::{Fields, Noun, Reader, adopt, hosts::Hosts, plays::Plays, tasks::Tasks};
use crate::{
    database::Param,
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Results;

/// The hosts that a result was delegated to, with the columns of every host.
const DELEGATED_TO: &str = concat!(include_str!("../../sql/host.sql"), include_str!("../../sql/result_delegated_to.sql"));

impl Noun for Results {
    type Filter = ResultFilter;
    type Row = ResultRow;

    const NAME: &'static str = "result";
    const COLUMNS: &'static str = include_str!("../../sql/result.sql");
    const KEY: &'static str = "results.id";
    const SORTING: Sorting = Sorting {
        default: " ORDER BY results.id DESC",
        fields: &[
            (OrderField::Id, "results.id"),
            (OrderField::Created, "results.created"),
            (OrderField::Updated, "results.updated"),
            (OrderField::Started, "results.started"),
            (OrderField::Ended, "results.ended"),
            (OrderField::Duration, "results.duration"),
        ],
    };

    fn select(filter: &ResultFilter) -> Result<Select, Error> {
        let mut select = Select::from("results");
        select.dates("filter.created", "results.created", filter.created.as_ref())?;
        select.dates("filter.updated", "results.updated", filter.updated.as_ref())?;
        select.dates("filter.started", "results.started", filter.started.as_ref())?;
        select.dates("filter.ended", "results.ended", filter.ended.as_ref())?;
        select.number("results.playbook_id", filter.playbook);
        select.number("results.task_id", filter.task);
        if filter.task_name.is_some() {
            select.join("tasks ON (results.task_id = tasks.id)");
        }
        select.contains("tasks.name", filter.task_name.as_ref());
        select.number("results.play_id", filter.play);
        select.number("results.host_id", filter.host);
        if filter.host_name.is_some() {
            select.join("hosts ON (results.host_id = hosts.id)");
        }
        select.matches("hosts.name", filter.host_name.as_ref());
        if filter.delegated_to.is_some() {
            select.join("results_delegated_to ON (results.id = results_delegated_to.result_id)");
        }
        select.number("results_delegated_to.host_id", filter.delegated_to);
        select.flag("results.changed", filter.changed);
        select.any("results.status", &filter.status);
        select.flag("results.ignore_errors", filter.ignore_errors);
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<ResultRow, Error> {
        let mut result = ResultRow {
            id: fields.integer("id"),
            status: fields.text("status"),
            playbook_id: fields.integer("playbook_id"),
            play_id: fields.integer("play_id"),
            task_id: fields.integer("task_id"),
            host_id: fields.integer("host_id"),
            created: fields.time(),
            updated: fields.time(),
            started: fields.time(),
            ended: fields.time(),
            duration: fields.duration(),
            changed: fields.flag(),
            ignore_errors: fields.flag(),
            problems: fields.problems,
            ..ResultRow::default()
        };
        if reader.has_delegation()? {
            reader.connection.query(DELEGATED_TO, &[Param::Integer(result.id)], |row| {
                let host = Hosts::read(reader, Fields::new(reader, row), false)?;
                result.delegated_to_ids.push(host.id);
                if single {
                    result.delegated_to.push(host);
                }
                Ok::<_, Error>(())
            })?;
        }
        if single {
            hang_on(reader, &mut result)?;
        }
        Ok(result)
    }
}

/// Adds the objects that a single result shows.
fn hang_on(reader: &Reader<'_>, result: &mut ResultRow) -> Result<(), Error> {
    result.content = reader.packed("SELECT content FROM results WHERE id = ?1", result.id, "content", &mut result.problems)?;
    result.playbook = reader.playbook(result.playbook_id)?.map(Box::new);
    result.play = reader.nested::<Plays>("plays", Param::Integer(result.play_id), false)?.map(Box::new);
    result.task = reader.nested::<Tasks>("tasks", Param::Integer(result.task_id), false)?.map(Box::new);
    result.host = reader.nested::<Hosts>("hosts", Param::Integer(result.host_id), false)?.map(Box::new);
    if let Some(playbook) = &mut result.playbook {
        adopt(&mut result.problems, "playbook", &mut playbook.problems);
    }
    if let Some(play) = &mut result.play {
        (play.created, play.updated, play.uuid) = (None, None, None);
        adopt(&mut result.problems, "play", &mut play.problems);
    }
    if let Some(task) = &mut result.task {
        (task.created, task.updated) = (None, None);
        adopt(&mut result.problems, "task", &mut task.problems);
    }
    for (part, host) in result
        .host
        .iter_mut()
        .map(|host| ("host", &mut **host))
        .chain(result.delegated_to.iter_mut().map(|host| ("delegated_to", host)))
    {
        (host.created, host.updated) = (None, None);
        adopt(&mut result.problems, part, &mut host.problems);
    }
    Ok(())
}
