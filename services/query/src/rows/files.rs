//! Rows of `files`, with the contents that they share.

use aviary_proto::report::v1::{File, FileFilter, OrderField};

use super::{Fields, Noun, Reader, adopt};
use crate::{
    error::Error,
    select::{Select, Sorting},
};

pub(crate) struct Files;

impl Noun for Files {
    type Filter = FileFilter;
    type Row = File;

    const NAME: &'static str = "file";
    const COLUMNS: &'static str = include_str!("../../sql/file.sql");
    const KEY: &'static str = "files.id";
    const SORTING: Sorting = Sorting {
        default: "",
        fields: &[
            (OrderField::Id, "files.id"),
            (OrderField::Created, "files.created"),
            (OrderField::Updated, "files.updated"),
            (OrderField::Path, "files.path"),
        ],
    };

    fn select(filter: &FileFilter) -> Result<Select, Error> {
        let mut select = Select::from("files");
        select.dates("filter.created", "files.created", filter.created.as_ref())?;
        select.dates("filter.updated", "files.updated", filter.updated.as_ref())?;
        select.number("files.playbook_id", filter.playbook);
        select.contains("files.path", filter.path.as_ref());
        Ok(select)
    }

    fn read(reader: &Reader<'_>, mut fields: Fields<'_, '_>, single: bool) -> Result<File, Error> {
        let mut file = File {
            id: fields.integer("id"),
            sha1: fields.needed_text("sha1", "the report lacks the file's content"),
            playbook_id: fields.integer("playbook_id"),
            playbook: None,
            content: None,
            created: fields.time(),
            updated: fields.time(),
            path: fields.text("path"),
            problems: fields.problems,
            continued: Vec::new(),
        };
        if single {
            const CONTENT: &str = "SELECT contents FROM file_contents WHERE id = (SELECT content_id FROM files WHERE id = ?1)";
            file.content = reader.packed(CONTENT, file.id, "content", &mut file.problems)?;
            file.playbook = reader.playbook(file.playbook_id)?.map(Box::new);
            if let Some(playbook) = &mut file.playbook {
                adopt(&mut file.problems, "playbook", &mut playbook.problems);
            }
        }
        Ok(file)
    }
}
