//! Statements built from an allow-list: each piece of SQL is a constant of this program, each value is bound. The joins
//! and conditions stand as ARA's Django puts them, because many of ARA's lists have no order and come as SQLite's plan
//! has it.

use aviary_proto::report::v1::{Bounds, DateRange, Order, OrderField, Page};
use prost_types::Timestamp;

use crate::{database::Param, error::Error, rows::time};

/// Longest text that can be looked for, in bytes, with what is escaped in it: SQLite reads no longer patterns.
const MAX_PATTERN_BYTES: usize = 50_000;

/// A question in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Select {
    table: &'static str,
    joins: Vec<&'static str>,
    conditions: Vec<String>,
    params: Vec<Param>,
    /// The first column in which a text is looked for that is too long for that.
    overlong: Option<&'static str>,
}

/// What a list can be sorted by, and how it is sorted when nobody asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sorting {
    /// `ORDER BY` of the plain list; empty for none.
    pub(crate) default: &'static str,
    /// Fields and their columns.
    pub(crate) fields: &'static [(OrderField, &'static str)],
}

impl Select {
    /// Rows of a table.
    pub(crate) fn from(table: &'static str) -> Self {
        Self { table, ..Self::default() }
    }

    /// Adds a join, once.
    pub(crate) fn join(&mut self, join: &'static str) {
        if !self.joins.contains(&join) {
            self.joins.push(join);
        }
    }

    fn condition(&mut self, sql: impl Into<String>, param: Param) {
        self.conditions.push(sql.into());
        self.params.push(param);
    }

    /// The column has this number.
    pub(crate) fn number(&mut self, column: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.condition(format!("{column} = ?"), Param::Integer(value));
        }
    }

    /// The column has this text.
    pub(crate) fn text(&mut self, column: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.condition(format!("{column} = ?"), Param::Text(value.clone()));
        }
    }

    /// The column has this text somewhere, whatever the case of ASCII letters.
    pub(crate) fn contains(&mut self, column: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.like(column, format!("%{}%", escape_like(value)));
        }
    }

    /// The column has just this text, whatever the case of ASCII letters.
    pub(crate) fn matches(&mut self, column: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.like(column, escape_like(value));
        }
    }

    fn like(&mut self, column: &'static str, pattern: String) {
        if pattern.len() > MAX_PATTERN_BYTES {
            self.overlong.get_or_insert(column);
        }
        self.condition(format!("{column} LIKE ? ESCAPE '\\'"), Param::Text(pattern));
    }

    /// The question, provided that SQLite can answer it.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        match self.overlong {
            Some(column) => Err(Error::Argument { field: column, problem: "the text to look for is too long".to_owned() }),
            None => Ok(self),
        }
    }

    /// The column is true, or false.
    pub(crate) fn flag(&mut self, column: &'static str, value: Option<bool>) {
        match value {
            Some(true) => self.conditions.push(column.to_owned()),
            Some(false) => self.conditions.push(format!("NOT {column}")),
            None => {}
        }
    }

    /// The column has one of these texts.
    pub(crate) fn any(&mut self, column: &'static str, values: &[String]) {
        if !values.is_empty() {
            let each = vec![format!("{column} = ?"); values.len()];
            self.conditions.push(format!("({})", each.join(" OR ")));
            self.params.extend(values.iter().cloned().map(Param::Text));
        }
    }

    /// The column's number lies between these.
    pub(crate) fn bounds(&mut self, column: &'static str, bounds: Option<&Bounds>) {
        let Some(bounds) = bounds else { return };
        if let Some(value) = bounds.greater_than {
            self.condition(format!("{column} > ?"), Param::Integer(value));
        }
        if let Some(value) = bounds.less_than {
            self.condition(format!("{column} < ?"), Param::Integer(value));
        }
    }

    /// The column's time lies in this span.
    pub(crate) fn dates(&mut self, field: &'static str, column: &'static str, range: Option<&DateRange>) -> Result<(), Error> {
        let Some(range) = range else { return Ok(()) };
        for (bound, operator) in [(&range.before, "<="), (&range.after, ">=")] {
            if let Some(bound) = bound {
                self.condition(format!("{column} {operator} ?"), Param::Text(stored_time(field, bound)?));
            }
        }
        Ok(())
    }

    /// The statement that counts the rows, and its values.
    pub(crate) fn count(&self) -> (String, &[Param]) {
        (format!("SELECT COUNT(*){}", self.tail()), &self.params)
    }

    /// The statement that reads a page of the rows with the columns of `select`, and its values.
    pub(crate) fn page(
        mut self,
        select: &str,
        sorting: &Sorting,
        sorted_join: Option<(&'static str, &'static str)>,
        page: &Page,
    ) -> Result<(String, Vec<Param>), Error> {
        let order = order_by(sorting, &page.order)?;
        if let Some((_, join)) = sorted_join.filter(|(columns, _)| order.split([' ', ',']).any(|word| word.starts_with(columns)))
        {
            self.join(join);
        }
        let mut sql = format!("{select}{}{order}", self.tail());
        let number = |value: u64| Param::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        match (page.limit, page.offset) {
            (None, 0) => {}
            (limit, offset) => {
                sql.push_str(" LIMIT ?");
                // SQLite's way to say no limit is a negative one.
                self.params.push(limit.map_or(Param::Integer(-1), number));
                if offset > 0 {
                    sql.push_str(" OFFSET ?");
                    self.params.push(number(offset));
                }
            }
        }
        Ok((sql, self.params))
    }

    /// The statement that reads the one row whose key is `key`, with the columns of `select`.
    pub(crate) fn one(mut self, select: &str, key: &'static str, value: Param) -> (String, Vec<Param>) {
        self.condition(format!("{key} = ?"), value);
        (format!("{select}{}", self.tail()), self.params)
    }

    fn tail(&self) -> String {
        let mut sql = format!(" FROM {}", self.table);
        for join in &self.joins {
            sql.push_str(" INNER JOIN ");
            sql.push_str(join);
        }
        if !self.conditions.is_empty() {
            sql.push_str(" WHERE ");
            sql.push_str(&self.conditions.join(" AND "));
        }
        sql
    }
}

fn order_by(sorting: &Sorting, order: &[Order]) -> Result<String, Error> {
    if order.is_empty() {
        return Ok(sorting.default.to_owned());
    }
    if order.iter().all(|key| key.field == OrderField::Stored as i32) {
        return Ok(String::new());
    }
    let mut keys = Vec::with_capacity(order.len());
    for key in order {
        let column = sorting.fields.iter().find(|(field, _)| *field as i32 == key.field).map(|(_, column)| column);
        let Some(column) = column else {
            let known: Vec<&str> = sorting.fields.iter().map(|(field, _)| field.as_str_name()).collect();
            return Err(Error::Argument { field: "page.order", problem: format!("this list sorts by {}", known.join(", ")) });
        };
        keys.push(format!("{column} {}", if key.descending { "DESC" } else { "ASC" }));
    }
    Ok(format!(" ORDER BY {}", keys.join(", ")))
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// A time as ARA stores it: text in UTC, which is also how it is compared.
fn stored_time(field: &'static str, value: &Timestamp) -> Result<String, Error> {
    time::to_stored(value).ok_or_else(|| Error::Argument { field, problem: "the time is not in the years 1 to 9999".to_owned() })
}
