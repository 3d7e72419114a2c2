//! Which of ARA's schemas a database has, told by its columns, and the scripts that bring an older one to that of 1.8.0.
//! Source of the history: ARA's migrations 0001 to 0020; what each left out is filled as its data migration fills it.

use std::collections::{HashMap, HashSet};

use crate::{
    database::{Connection, Value},
    error::Error,
};

/// Tables of the first schema (ARA 1.0.0, migration 0003). Later ones only added to them.
const FIRST_TABLES: [&str; 10] =
    ["file_contents", "files", "hosts", "labels", "playbooks", "playbooks_labels", "plays", "records", "results", "tasks"];
/// Tables that came later.
const LATER_TABLES: [&str; 2] = ["latest_hosts", "results_delegated_to"];

/// What a database looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    /// Releases of ARA that write it.
    pub(crate) release: &'static str,
    columns: HashMap<&'static str, HashSet<String>>,
    current: bool,
}

impl Schema {
    /// Looks at the tables of a database.
    pub(crate) fn probe(connection: &Connection) -> Result<Self, Error> {
        let mut kinds = HashMap::new();
        connection.query("SELECT name, type FROM pragma_table_list WHERE schema = 'main'", &[], |row| {
            kinds.insert(text(row.value(0)), text(row.value(1)));
            Ok::<_, Error>(())
        })?;
        let mut columns = HashMap::new();
        for table in FIRST_TABLES.into_iter().chain(LATER_TABLES) {
            match kinds.get(table).map(String::as_str) {
                Some("table") => {}
                Some(kind) => return Err(Error::NotAra(format!("{table} is a {kind}"))),
                None if FIRST_TABLES.contains(&table) => return Err(Error::NotAra(format!("it has no table {table}"))),
                None => continue,
            }
            let mut names = HashSet::new();
            connection.query(&format!("SELECT name, hidden FROM pragma_table_xinfo('{table}')"), &[], |row| {
                let name = text(row.value(0));
                // A generated column runs what its author wrote for each row that is read.
                if row.value(1) != Value::Integer(0) && is_read(table, &name) {
                    return Err(Error::NotAra(format!("{table}.{name} is generated")));
                }
                names.insert(name);
                Ok(())
            })?;
            columns.insert(table, names);
        }
        let mut indexed = false;
        connection.query(
            "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'results_host_started_idx'",
            &[],
            |_| {
                indexed = true;
                Ok::<_, Error>(())
            },
        )?;
        let mut schema = Self { release: "", columns, current: false };
        schema.release = schema.find_release(indexed);
        schema.current = indexed && schema.release == "1.8.0";
        Ok(schema)
    }

    /// It is the schema that our statements are written for.
    pub(crate) fn is_current(&self) -> bool {
        self.current
    }

    fn has(&self, table: &str, column: &str) -> bool {
        self.columns.get(table).is_some_and(|columns| columns.contains(column))
    }

    fn find_release(&self, indexed: bool) -> &'static str {
        if self.has("tasks", "warnings") {
            if indexed { "1.8.0" } else { "1.8.0 before its last migration" }
        } else if self.has("tasks", "uuid") {
            "1.6.0 to 1.7.4"
        } else if self.has("playbooks", "user") {
            "before 1.6.0"
        } else if self.columns.contains_key("results_delegated_to") {
            "1.5.7 to 1.5.8"
        } else if self.has("playbooks", "controller") {
            "1.5.4 to 1.5.6"
        } else if self.has("playbooks", "duration") {
            "1.3.0 to 1.5.3"
        } else {
            "1.0.0 to 1.2.0"
        }
    }

    /// The scripts that fill an empty database with the content of the one that is attached as `source`, as ARA's own
    /// migrations would have left it, but for the moments at which they ran: `updated` stays what it was.
    pub(crate) fn rebuild(&self) -> Vec<String> {
        let mut scripts = vec![include_str!("../sql/tables.sql").to_owned()];
        for (table, columns) in TABLES {
            if !self.columns.contains_key(table) {
                continue;
            }
            let targets = columns.join(", ");
            let values = columns.iter().map(|column| self.value(table, column)).collect::<Vec<_>>().join(", ");
            let order = if *table == "latest_hosts" { "rowid" } else { "id" };
            scripts.push(format!(
                "INSERT INTO main.{table} ({targets}) SELECT {values} FROM source.{table} AS old ORDER BY old.{order}"
            ));
        }
        if !self.columns.contains_key("latest_hosts") {
            scripts.push(include_str!("../sql/backfill_latest_hosts.sql").to_owned());
        }
        if !self.has("playbooks", "client_version") {
            scripts.push(include_str!("../sql/backfill_task_status.sql").to_owned());
        }
        scripts.push(include_str!("../sql/indexes.sql").to_owned());
        scripts
    }

    fn value(&self, table: &str, column: &str) -> String {
        if self.has(table, column) {
            return format!("old.{column}");
        }
        match (table, column) {
            // 0004: computed in microseconds, from the last update where there is no end.
            (_, "duration") => format!("{} - {}", microseconds("coalesce(old.ended, old.updated)"), microseconds("old.started")),
            // 0008: everything before knew one controller.
            ("playbooks", "controller") => "'localhost'".to_owned(),
            // 0014 writes the release that runs the migration, which is the one that we speak as.
            ("playbooks", "server_version") => "'1.8.0'".to_owned(),
            // 0019
            ("tasks", "warnings" | "deprecations" | "exceptions") => "'[]'".to_owned(),
            _ => "NULL".to_owned(),
        }
    }
}

/// Columns of each table of 1.8.0, in an order in which rows refer only to rows that are already there.
const TABLES: &[(&str, &[&str])] = &[
    ("file_contents", &["id", "created", "updated", "sha1", "contents"]),
    ("labels", &["id", "created", "updated", "name"]),
    (
        "playbooks",
        &[
            "id",
            "created",
            "updated",
            "started",
            "ended",
            "name",
            "ansible_version",
            "status",
            "arguments",
            "path",
            "duration",
            "user",
            "client_version",
            "server_version",
            "python_version",
            "controller",
        ],
    ),
    ("playbooks_labels", &["id", "playbook_id", "label_id"]),
    ("files", &["id", "created", "updated", "path", "content_id", "playbook_id"]),
    ("hosts", &["id", "created", "updated", "name", "facts", "changed", "failed", "ok", "skipped", "unreachable", "playbook_id"]),
    ("latest_hosts", &["name", "created", "updated", "host_id"]),
    ("plays", &["id", "created", "updated", "started", "ended", "name", "status", "playbook_id", "duration", "uuid"]),
    ("records", &["id", "created", "updated", "key", "value", "type", "playbook_id"]),
    (
        "tasks",
        &[
            "id",
            "created",
            "updated",
            "started",
            "ended",
            "name",
            "action",
            "lineno",
            "tags",
            "handler",
            "status",
            "file_id",
            "play_id",
            "playbook_id",
            "duration",
            "uuid",
            "deprecations",
            "exceptions",
            "warnings",
        ],
    ),
    (
        "results",
        &[
            "id",
            "created",
            "updated",
            "started",
            "ended",
            "status",
            "content",
            "host_id",
            "play_id",
            "playbook_id",
            "task_id",
            "changed",
            "ignore_errors",
            "duration",
        ],
    ),
    ("results_delegated_to", &["id", "result_id", "host_id"]),
];

/// Our statements name the column.
fn is_read(table: &str, column: &str) -> bool {
    TABLES.iter().any(|(known, columns)| *known == table && columns.iter().any(|known| known.eq_ignore_ascii_case(column)))
}

/// Microseconds since 1970 of a stored time, exactly: SQLite's own arithmetic on days loses the last digits.
fn microseconds(time: &str) -> String {
    format!("(CAST(strftime('%s', {time}) AS INTEGER) * 1000000 + CAST(substr(substr({time}, 21) || '000000', 1, 6) AS INTEGER))")
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}
