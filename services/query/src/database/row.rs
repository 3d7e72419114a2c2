//! A row's values as SQLite has them. What they mean is for the readers of each kind of row.

use rusqlite::types::ValueRef;

/// A stored value, whatever the column was declared to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'row> {
    Null,
    Integer(i64),
    Real(f64),
    /// Not always UTF-8.
    Text(&'row [u8]),
    Blob(&'row [u8]),
}

/// One row of an answer.
pub(crate) struct Row<'row>(&'row rusqlite::Row<'row>);

impl<'row> Row<'row> {
    pub(super) fn new(row: &'row rusqlite::Row<'row>) -> Self {
        Self(row)
    }

    /// The value in a column, counted from 0; null when there is no such column.
    pub(crate) fn value(&self, column: usize) -> Value<'row> {
        match self.0.get_ref(column) {
            Ok(ValueRef::Null) | Err(_) => Value::Null,
            Ok(ValueRef::Integer(value)) => Value::Integer(value),
            Ok(ValueRef::Real(value)) => Value::Real(value),
            Ok(ValueRef::Text(value)) => Value::Text(value),
            Ok(ValueRef::Blob(value)) => Value::Blob(value),
        }
    }
}
