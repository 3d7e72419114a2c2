//! Rows of `plays`.

use aviary_proto::report::v1::{OrderField, Play, PlayFilter, PlayItems};

use super::{Fields, Noun, Reader, adopt};
use crate::{
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Plays;

impl Noun for Plays {
    type Filter = PlayFilter;
    type Row = Play;

    const NAME: &'static str = "play";
    const COLUMNS: &'static str = include_str!("../../sql/play.sql");
    const KEY: &'static str = "plays.id";
    const SORTING: Sorting = Sorting {
        default: " ORDER BY plays.id DESC",
        fields: &[
            (OrderField::Id, "plays.id"),
            (OrderField::Created, "plays.created"),
            (OrderField::Updated, "plays.updated"),
            (OrderField::Started, "plays.started"),
            (OrderField::Ended, "plays.ended"),
            (OrderField::Duration, "plays.duration"),
        ],
    };

    fn select(filter: &PlayFilter) -> Result<Select, Error> {
        let mut select = Select::from("plays");
        select.dates("filter.created", "plays.created", filter.created.as_ref())?;
        select.dates("filter.updated", "plays.updated", filter.updated.as_ref())?;
        select.dates("filter.started", "plays.started", filter.started.as_ref())?;
        select.dates("filter.ended", "plays.ended", filter.ended.as_ref())?;
        select.number("plays.playbook_id", filter.playbook);
        select.text("plays.uuid", super::uuid_digits(filter.uuid.as_ref())?.as_ref());
        select.any("plays.status", &filter.status);
        select.contains("plays.name", filter.name.as_ref());
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<Play, Error> {
        let mut play = Play {
            id: fields.integer("id"),
            items: Some(PlayItems { tasks: fields.integer("items.tasks"), results: fields.integer("items.results") }),
            playbook_id: fields.integer("playbook_id"),
            playbook: None,
            created: fields.time(),
            updated: fields.time(),
            started: fields.time(),
            ended: fields.time(),
            duration: fields.duration(),
            name: fields.text("name"),
            uuid: fields.uuid(),
            status: fields.text("status"),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if single {
            play.playbook = reader.playbook(play.playbook_id)?.map(Box::new);
            if let Some(playbook) = &mut play.playbook {
                adopt(&mut play.problems, "playbook", &mut playbook.problems);
            }
        }
        Ok(play)
    }
}
