//! Requests derived from the data of a report: every endpoint with every filter, order and page.
//!
//! Requests whose point is not the data (paths, headers, methods) are in `requests`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::random::Random;
use super::values::{moments, numbers, owned, pages, texts, uuids};

/// A request, verbatim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn get(target: impl Into<String>) -> Request {
        Request { method: "GET", target: target.into(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Request {
        self.method = method;
        self
    }
}

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Text as it may stand in a path or in a query.
pub(crate) fn encode(text: &str) -> String {
    percent_encode(text.as_bytes(), PATH).to_string()
}

/// What a filter takes; the text is SQL that finds values which match something.
enum Kind {
    Text(&'static str),
    Number(&'static str),
    Bool,
    Date(&'static str),
    Choice(&'static [&'static str]),
    Uuid(&'static str),
}
use Kind::{Bool, Choice, Date, Number, Text, Uuid};

/// An endpoint of the API with everything that it can be asked.
pub(crate) struct Endpoint {
    pub name: &'static str,
    /// SQL for the keys of details.
    keys: &'static str,
    filters: Vec<(&'static str, Kind)>,
    orders: &'static [&'static str],
}

const DURATION_ORDERS: &[&str] = &["id", "created", "updated", "started", "ended", "duration"];
const HOST_ORDERS: &[&str] = &["id", "created", "updated", "name", "changed", "failed", "ok", "skipped", "unreachable"];
const PLAYBOOK_STATUS: &[&str] =
    &["completed", "failed", "running", "expired", "unknown", "mysterious", "COMPLETED", "completed,failed"];
const PLAY_STATUS: &[&str] = &["completed", "running", "expired", "unknown", "failed"];
const RESULT_STATUS: &[&str] = &["ok", "failed", "skipped", "unreachable", "unknown", "changed", "ignored", "OK"];

const PLAYBOOK: (&str, Kind) = ("playbook", Number("select id from playbooks"));
const PLAYBOOK_NAME: (&str, Kind) = ("playbook_name", Text("select distinct name from playbooks where name is not null"));
const PLAYBOOK_PATH: (&str, Kind) = ("playbook_path", Text("select distinct path from playbooks"));

fn dates(table: &'static str, fields: &[(&'static str, &'static str)]) -> Vec<(&'static str, Kind)> {
    let sql = match table {
        "playbooks" => "select started from playbooks union select updated from playbooks",
        "plays" => "select started from plays union select created from plays",
        "tasks" => "select started from tasks union select ended from tasks",
        "results" => "select started from results union select created from results",
        "hosts" => "select created from hosts union select updated from hosts",
        "latest_hosts" => "select created from latest_hosts union select updated from hosts",
        "files" => "select created from files",
        "records" => "select created from records",
        _ => "select created from labels",
    };
    fields.iter().flat_map(|(before, after)| [(*before, Date(sql)), (*after, Date(sql))]).collect()
}

const BASE: &[(&str, &str)] = &[("created_before", "created_after"), ("updated_before", "updated_after")];
const DATED: &[(&str, &str)] = &[
    ("created_before", "created_after"),
    ("updated_before", "updated_after"),
    ("started_before", "started_after"),
    ("ended_before", "ended_after"),
];
const LATEST: &[(&str, &str)] = &[
    ("created_before", "created_after"),
    ("updated_before", "updated_after"),
    ("host__created_before", "host__created_after"),
    ("host__updated_before", "host__updated_after"),
];

fn counters() -> Vec<(&'static str, Kind)> {
    [
        "changed__gt",
        "changed__lt",
        "failed__gt",
        "failed__lt",
        "ok__gt",
        "ok__lt",
        "skipped__gt",
        "skipped__lt",
        "unreachable__gt",
        "unreachable__lt",
    ]
    .into_iter()
    .map(|name| (name, Number("select distinct ok from hosts")))
    .collect()
}

/// The table of the API, in the order of its root.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let text = |name, sql| (name, Text(sql));
    let endpoint = |name, keys, orders, table, date_fields, filters: Vec<(&'static str, Kind)>| {
        let mut all = dates(table, date_fields);
        all.extend(filters);
        Endpoint { name, keys, filters: all, orders }
    };
    let hosts = || {
        let mut filters = vec![PLAYBOOK, PLAYBOOK_NAME, PLAYBOOK_PATH, text("name", "select distinct name from hosts")];
        filters.extend(counters());
        filters
    };
    vec![
        endpoint(
            "labels",
            "select id from labels",
            &["id", "created", "updated", "name"],
            "labels",
            BASE,
            vec![text("name", "select name from labels")],
        ),
        endpoint(
            "playbooks",
            "select id from playbooks",
            DURATION_ORDERS,
            "playbooks",
            DATED,
            vec![
                text("ansible_version", "select distinct ansible_version from playbooks"),
                text("client_version", "select distinct client_version from playbooks where client_version is not null"),
                text("server_version", "select distinct server_version from playbooks"),
                text("python_version", "select distinct python_version from playbooks where python_version is not null"),
                text("user", "select distinct user from playbooks where user is not null"),
                text("controller", "select distinct controller from playbooks where controller is not null"),
                text("name", "select distinct name from playbooks where name is not null"),
                text("path", "select distinct path from playbooks"),
                ("status", Choice(PLAYBOOK_STATUS)),
                text("label", "select name from labels"),
            ],
        ),
        endpoint(
            "plays",
            "select id from plays",
            DURATION_ORDERS,
            "plays",
            DATED,
            vec![
                PLAYBOOK,
                ("uuid", Uuid("select uuid from plays")),
                ("status", Choice(PLAY_STATUS)),
                text("name", "select distinct name from plays where name is not null"),
            ],
        ),
        endpoint(
            "tasks",
            "select id from tasks",
            DURATION_ORDERS,
            "tasks",
            DATED,
            vec![
                PLAYBOOK,
                PLAYBOOK_NAME,
                PLAYBOOK_PATH,
                ("play", Number("select id from plays")),
                ("status", Choice(PLAYBOOK_STATUS)),
                text("name", "select distinct name from tasks where name is not null"),
                ("uuid", Uuid("select uuid from tasks where uuid is not null")),
                text("action", "select distinct action from tasks"),
                text("path", "select distinct path from files"),
                ("lineno", Number("select distinct lineno from tasks")),
                ("handler", Bool),
                ("exceptions_count__gt", Number("select 0")),
                ("exceptions_count__lt", Number("select 1")),
                ("deprecations_count__gt", Number("select 0")),
                ("deprecations_count__lt", Number("select 1")),
                ("warnings_count__gt", Number("select 1")),
                ("warnings_count__lt", Number("select 2")),
            ],
        ),
        endpoint("hosts", "select id from hosts", HOST_ORDERS, "hosts", BASE, hosts()),
        endpoint("latesthosts", "select name from latest_hosts", HOST_ORDERS, "latest_hosts", LATEST, hosts()),
        endpoint(
            "results",
            "select id from results",
            DURATION_ORDERS,
            "results",
            DATED,
            vec![
                PLAYBOOK,
                ("task", Number("select id from tasks")),
                text("task_name", "select distinct name from tasks where name is not null"),
                ("play", Number("select id from plays")),
                ("host", Number("select id from hosts")),
                text("host_name", "select distinct name from hosts"),
                ("delegated_to", Number("select distinct host_id from results_delegated_to")),
                ("changed", Bool),
                ("status", Choice(RESULT_STATUS)),
                ("ignore_errors", Bool),
            ],
        ),
        endpoint(
            "files",
            "select id from files",
            &["id", "created", "updated", "path"],
            "files",
            BASE,
            vec![PLAYBOOK, text("path", "select distinct path from files")],
        ),
        endpoint(
            "records",
            "select id from records",
            &["id", "created", "updated", "key"],
            "records",
            BASE,
            vec![PLAYBOOK, text("key", "select distinct key from records")],
        ),
    ]
}

/// A report that can be asked for its own values.
pub(crate) struct Data {
    con: Connection,
    random: Random,
}

impl Data {
    pub(crate) fn open(file: &std::path::Path, seed: u64) -> Data {
        let con = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a report opens");
        Data { con, random: Random::new(seed) }
    }

    /// Up to `most` of the values that the statement finds, spread over all of them.
    fn values(&mut self, sql: &str, most: usize) -> Vec<String> {
        let mut statement = self.con.prepare(sql).expect("a statement of the tests");
        let mut found: Vec<String> = statement
            .query_map([], |row| row.get::<_, rusqlite::types::Value>(0))
            .expect("a statement of the tests")
            .filter_map(|value| match value.expect("a row") {
                rusqlite::types::Value::Integer(number) => Some(number.to_string()),
                rusqlite::types::Value::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        drop(statement);
        self.random.shuffle(&mut found);
        found.truncate(most);
        found
    }
}

/// Every request for the data of one report; `base` is its URL path without a slash at the end.
pub(crate) fn of_report(base: &str, data: &mut Data) -> Vec<Request> {
    let mut out = Vec::new();
    for endpoint in endpoints() {
        let list = format!("{base}/api/v1/{}", endpoint.name);
        let queries = queries(&endpoint, data);
        out.push(Request::get(&list));
        for query in &queries {
            out.push(Request::get(format!("{list}?{query}")));
        }
        // Two and three things at once, as users ask.
        for _ in 0..30 {
            let mut parts: Vec<&str> = (0..2 + data.random.below(2)).map(|_| data.random.pick(&queries).as_str()).collect();
            parts.push(["limit=3", "limit=1&offset=1", "limit=2&offset=4", "order=-id", "foo=1"][data.random.below(5)]);
            out.push(Request::get(format!("{list}?{}", parts.join("&"))));
        }
        let keys = data.values(endpoint.keys, 12);
        for key in &keys {
            out.push(Request::get(format!("{list}/{}", encode(key))));
        }
        if let Some(key) = keys.first() {
            for _ in 0..8 {
                out.push(Request::get(format!("{list}/{}?{}", encode(key), data.random.pick(&queries))));
            }
        }
        for key in BAD_KEYS {
            out.push(Request::get(format!("{list}/{key}")));
        }
    }
    for root in ["/api/", "/api/v1/"] {
        out.push(Request::get(format!("{base}{root}")));
        out.push(Request::get(format!("{base}{root}?limit=1&status=bogus")));
    }
    out
}

const BAD_KEYS: &[&str] = &[
    "0",
    "-1",
    "999999",
    "99999999999999999999",
    "abc",
    "1.5",
    "01",
    "1%20",
    "%31",
    "+1",
    "1_0",
    "%D9%A1",
    "1e0",
    "1,2",
    "%00",
    "%FF",
    "node-1",
    "NODE-1",
    "1;2",
    "%2F",
    "None",
];

/// Each filter, order and page of an endpoint, alone.
pub(crate) fn queries(endpoint: &Endpoint, data: &mut Data) -> Vec<String> {
    let mut out = Vec::new();
    for (name, kind) in &endpoint.filters {
        let mut values = match kind {
            Text(sql) => texts(data.values(sql, 3)),
            Number(sql) => numbers(data.values(sql, 2)),
            Bool => owned(&["true", "false", "True", "False", "TRUE", "1", "0", "2", "3", "yes", "null", "unknown"]),
            Date(sql) => moments(data.values(sql, 2), &mut data.random),
            Choice(choices) => owned(choices),
            Uuid(sql) => uuids(data.values(sql, 2)),
        };
        values.extend(owned(&["", "%20", "%00", "%FF", "%zz"]));
        let first = values[0].clone();
        out.extend(values.iter().map(|value| format!("{name}={value}")));
        out.push(name.to_string());
        out.push(format!("{name}={first}&{name}="));
        out.push(format!("{name}=bogus&{name}={first}"));
        out.push(format!("{}={first}", name.to_uppercase()));
        if matches!(kind, Choice(_)) {
            out.push(format!("{name}={first}&{name}={}", values[1]));
            out.push(format!("{name}={first}&{name}=bogus&{name}=worse"));
        }
    }
    for order in endpoint.orders {
        out.push(format!("order={order}"));
        out.push(format!("order=-{order}"));
        out.push(format!("order={order},-id"));
    }
    for order in [
        "",
        ",id",
        "id,",
        "id,-id",
        "-id,id,created",
        "bogus",
        "id,bogus",
        "%20id",
        "--id",
        "ID",
        "-",
        "+id",
        "updated,-created,id",
        "pk",
        "id%2C-created",
        "created&order=-id",
        "host__name",
    ] {
        out.push(format!("order={order}"));
    }
    out.extend(pages());
    out
}
