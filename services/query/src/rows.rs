//! From a database's values to the contract's messages: one file for each kind of row. A value that cannot be read is
//! left out and named among the row's problems; it never spoils the row.

pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod hosts;
pub(crate) mod labels;
pub(crate) mod playbooks;
pub(crate) mod plays;
pub(crate) mod records;
pub(crate) mod results;
pub(crate) mod tasks;
pub(crate) mod time;

use std::{cell::RefCell, collections::HashMap};

use aviary_proto::report::v1::{Playbook, Problem};

use crate::{
    database::{Connection, Param},
    error::Error,
    select::{Select, Sorting},
};
use fields::Fields;

/// A kind of row: what can be asked of it, and how one is read.
pub(crate) trait Noun {
    /// The contract's filter.
    type Filter: Default + Send + 'static;
    /// The contract's message.
    type Row: aviary_proto::LongTexts + prost::Message + Default + Send + 'static;

    /// Its name, for errors.
    const NAME: &'static str;
    /// The columns that [`Noun::read`] wants.
    const COLUMNS: &'static str;
    /// The column that tells one row from another.
    const KEY: &'static str;
    /// What its list can be sorted by.
    const SORTING: Sorting;
    /// A join that ARA's lists have whatever is asked, but its counts have not.
    const ALWAYS_JOINED: Option<&'static str> = None;
    /// Columns of another table that the list can be sorted by, by their beginning, and the join that brings them in.
    const SORTED_JOIN: Option<(&'static str, &'static str)> = None;

    /// The rows that match a filter.
    fn select(filter: &Self::Filter) -> Result<Select, Error>;

    /// Reads a row of a list, or a single one with all that belongs to it.
    fn read(reader: &Reader<'_>, fields: Fields<'_, '_>, single: bool) -> Result<Self::Row, Error>;
}

/// Reads rows and what hangs on them from one session.
pub(crate) struct Reader<'session> {
    pub(crate) connection: &'session Connection,
    /// Longest text that a packed value may unpack to, in bytes.
    max_text: usize,
    inflate: RefCell<flate2::Decompress>,
    /// Playbooks that rows of this answer hang on: many hang on the same.
    playbooks: RefCell<HashMap<i64, Option<Playbook>>>,
    /// Whether any result was delegated, once known: most reports have none.
    delegation: RefCell<Option<bool>>,
}

/// Playbooks remembered while one answer is read.
const REMEMBERED_PLAYBOOKS: usize = 128;

impl<'session> Reader<'session> {
    pub(crate) fn new(connection: &'session Connection, max_text: usize) -> Self {
        Self {
            connection,
            max_text,
            inflate: RefCell::new(flate2::Decompress::new(true)),
            playbooks: RefCell::default(),
            delegation: RefCell::default(),
        }
    }

    /// Reads the row of `N` that has this key, as part of another one.
    fn nested<N: Noun>(&self, from: &'static str, key: Param, single: bool) -> Result<Option<N::Row>, Error> {
        let (sql, params) = Select::from(from).one(N::COLUMNS, N::KEY, key);
        let mut found = None;
        self.connection.query(&sql, &params, |row| {
            found = Some(N::read(self, Fields::new(self, row), single)?);
            Ok::<_, Error>(())
        })?;
        Ok(found)
    }

    /// One packed value of a row, which lists leave out.
    fn packed(
        &self,
        sql: &'static str,
        key: i64,
        name: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<String>, Error> {
        let mut text = None;
        self.connection.query(sql, &[Param::Integer(key)], |row| {
            let mut fields = Fields::new(self, row);
            text = fields.packed(name);
            problems.append(&mut fields.problems);
            Ok::<_, Error>(())
        })?;
        Ok(text)
    }

    /// The playbook that a row hangs on, without its own times of creation and update.
    fn playbook(&self, id: i64) -> Result<Option<Playbook>, Error> {
        if let Some(known) = self.playbooks.borrow().get(&id) {
            return Ok(known.clone());
        }
        let mut playbook = self.nested::<playbooks::Playbooks>("playbooks", Param::Integer(id), true)?;
        if let Some(playbook) = &mut playbook {
            (playbook.created, playbook.updated) = (None, None);
        }
        let mut playbooks = self.playbooks.borrow_mut();
        if playbooks.len() < REMEMBERED_PLAYBOOKS {
            playbooks.insert(id, playbook.clone());
        }
        Ok(playbook)
    }

    /// Whether any result of the report was delegated.
    fn has_delegation(&self) -> Result<bool, Error> {
        if let Some(known) = *self.delegation.borrow() {
            return Ok(known);
        }
        let mut any = false;
        self.connection.query("SELECT 1 FROM results_delegated_to LIMIT 1", &[], |_| {
            any = true;
            Ok::<_, Error>(())
        })?;
        *self.delegation.borrow_mut() = Some(any);
        Ok(any)
    }
}

/// Moves the problems of a part into those of the whole.
fn adopt(problems: &mut Vec<Problem>, part: &'static str, inner: &mut Vec<Problem>) {
    problems.extend(inner.drain(..).map(|problem| Problem { field: format!("{part}.{}", problem.field), ..problem }));
}

/// A UUID as ARA stores it: 32 lower-case hexadecimal digits.
fn uuid_digits(uuid: Option<&String>) -> Result<Option<String>, Error> {
    let Some(uuid) = uuid else { return Ok(None) };
    let digits: String = uuid.chars().filter(|character| *character != '-').collect::<String>().to_ascii_lowercase();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Argument { field: "filter.uuid", problem: "not 32 hexadecimal digits".to_owned() });
    }
    Ok(Some(digits))
}
