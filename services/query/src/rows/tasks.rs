//! Rows of `tasks`.

use aviary_proto::report::v1::{OrderField, Task, TaskFilter, TaskItems};

use super::{Fields, Noun, Reader, adopt, files::Files, plays::Plays};
use crate::{
    database::Param,
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Tasks;

const PLAYBOOKS: &str = "playbooks ON (tasks.playbook_id = playbooks.id)";
const FILES: &str = "files ON (tasks.file_id = files.id)";

impl Noun for Tasks {
    type Filter = TaskFilter;
    type Row = Task;

    const NAME: &'static str = "task";
    const COLUMNS: &'static str = include_str!("../../sql/task.sql");
    const KEY: &'static str = "tasks.id";
    const SORTING: Sorting = Sorting {
        default: " ORDER BY tasks.id DESC",
        fields: &[
            (OrderField::Id, "tasks.id"),
            (OrderField::Created, "tasks.created"),
            (OrderField::Updated, "tasks.updated"),
            (OrderField::Started, "tasks.started"),
            (OrderField::Ended, "tasks.ended"),
            (OrderField::Duration, "tasks.duration"),
        ],
    };
    const ALWAYS_JOINED: Option<&'static str> = Some(FILES);

    fn select(filter: &TaskFilter) -> Result<Select, Error> {
        let mut select = Select::from("tasks");
        select.dates("filter.created", "tasks.created", filter.created.as_ref())?;
        select.dates("filter.updated", "tasks.updated", filter.updated.as_ref())?;
        select.dates("filter.started", "tasks.started", filter.started.as_ref())?;
        select.dates("filter.ended", "tasks.ended", filter.ended.as_ref())?;
        select.number("tasks.playbook_id", filter.playbook);
        if filter.playbook_name.is_some() || filter.playbook_path.is_some() {
            select.join(PLAYBOOKS);
        }
        select.contains("playbooks.name", filter.playbook_name.as_ref());
        select.contains("playbooks.path", filter.playbook_path.as_ref());
        select.number("tasks.play_id", filter.play);
        select.any("tasks.status", &filter.status);
        select.contains("tasks.name", filter.name.as_ref());
        select.text("tasks.uuid", super::uuid_digits(filter.uuid.as_ref())?.as_ref());
        select.matches("tasks.action", filter.action.as_ref());
        if filter.path.is_some() {
            select.join(FILES);
        }
        select.contains("files.path", filter.path.as_ref());
        select.number("tasks.lineno", filter.lineno);
        select.flag("tasks.handler", filter.handler);
        select.bounds("COALESCE(json_array_length(tasks.exceptions), 0)", filter.exceptions_count.as_ref());
        select.bounds("COALESCE(json_array_length(tasks.deprecations), 0)", filter.deprecations_count.as_ref());
        select.bounds("COALESCE(json_array_length(tasks.warnings), 0)", filter.warnings_count.as_ref());
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<Task, Error> {
        let mut task = Task {
            id: fields.integer("id"),
            items: Some(TaskItems { results: fields.integer("items.results") }),
            path: fields.needed_text("path", "the report lacks the task's file"),
            tags: fields.packed("tags"),
            play_id: fields.integer("play_id"),
            play: None,
            file_id: fields.integer("file_id"),
            file: None,
            playbook_id: fields.integer("playbook_id"),
            playbook: None,
            deprecations: fields.long_text("deprecations"),
            exceptions: fields.long_text("exceptions"),
            warnings: fields.long_text("warnings"),
            created: fields.time(),
            updated: fields.time(),
            started: fields.time(),
            ended: fields.time(),
            duration: fields.duration(),
            name: fields.text("name"),
            uuid: fields.uuid(),
            action: fields.text("action"),
            lineno: fields.integer("lineno"),
            handler: fields.flag(),
            status: fields.text("status"),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if single {
            task.playbook = reader.playbook(task.playbook_id)?.map(Box::new);
            task.play = reader.nested::<Plays>("plays", Param::Integer(task.play_id), false)?.map(Box::new);
            task.file = reader.nested::<Files>("files", Param::Integer(task.file_id), false)?.map(Box::new);
            if let Some(playbook) = &mut task.playbook {
                adopt(&mut task.problems, "playbook", &mut playbook.problems);
            }
            if let Some(play) = &mut task.play {
                (play.created, play.updated, play.uuid) = (None, None, None);
                adopt(&mut task.problems, "play", &mut play.problems);
            }
            if let Some(file) = &mut task.file {
                (file.created, file.updated) = (None, None);
                adopt(&mut task.problems, "file", &mut file.problems);
            }
        }
        Ok(task)
    }
}
