//! What a stored schema may do: be read, table by table. Everything else that SQLite could be talked into is off.

use rusqlite::{
    Connection,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

/// Tables that a statement of ours may read.
const TABLES: [&str; 13] = [
    "file_contents",
    "files",
    "hosts",
    "labels",
    "latest_hosts",
    "playbooks",
    "playbooks_labels",
    "plays",
    "records",
    "results",
    "results_delegated_to",
    "sqlite_master",
    "tasks",
];
/// Functions that our statements use.
const FUNCTIONS: [&str; 5] = ["coalesce", "count", "json_array_length", "like", "length"];
/// Pragmas that only look.
const PRAGMAS: [&str; 2] = ["table_list", "table_xinfo"];
/// Prepared statements kept for each connection.
const STATEMENTS: usize = 24;
/// Longest value, in bytes: larger ones are an error instead of memory.
const MAX_VALUE_BYTES: i32 = 256 << 20;
/// Page cache of each connection, in KiB.
const CACHE_KIB: i32 = 8 * 1024;
/// What all connections of the process come to before SQLite gives pages back, in bytes.
const HEAP_BYTES: i32 = 32 << 20;

pub(super) fn apply(connection: &mut Connection) -> rusqlite::Result<()> {
    distrust(connection)?;
    // Plans must not depend on bound values: without this SQLite prepares most statements anew each time that they are used,
    // since their values are cleared in between.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.execute_batch(&format!(
        "PRAGMA soft_heap_limit = {HEAP_BYTES}; PRAGMA cache_size = -{CACHE_KIB}; PRAGMA query_only = ON;"
    ))?;
    connection.authorizer(Some(authorize))
}

/// The part that also a connection needs that copies out of a stored database.
pub(super) fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    connection.execute_batch("PRAGMA cell_size_check = ON;")
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Transaction { .. } => true,
        AuthAction::Read { table_name, .. } => {
            TABLES.contains(&table_name) || PRAGMAS.iter().any(|pragma| table_name.strip_prefix("pragma_") == Some(pragma))
        }
        AuthAction::Function { function_name } => FUNCTIONS.iter().any(|name| name.eq_ignore_ascii_case(function_name)),
        AuthAction::Pragma { pragma_name, .. } => PRAGMAS.contains(&pragma_name),
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}
