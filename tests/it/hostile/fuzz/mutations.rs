//! How chance spoils a report: bytes of its head, pages, cells and schema, lies about sizes, values of the wrong kind, ends
//! that are missing, and packings of all that.

use rusqlite::{Connection as Database, types::Value};
use tests::shelf::{gzip, zlib, zstd};

use crate::conformance::random::Random;

/// Spoils a copy of a sound database; what was done, by name.
pub(super) fn mutate(good: &[u8], random: &mut Random) -> (Vec<u8>, Vec<&'static str>) {
    type Pack = fn(&[u8]) -> Vec<u8>;
    type InPlace = fn(&mut [u8], &mut Random);
    type Whole = fn(&mut Vec<u8>, &mut Random);
    const IN_PLACE: [(&str, InPlace); 11] = [
        ("head bytes", head_bytes),
        ("head numbers", head_numbers),
        ("page count", page_count),
        ("free pages", free_pages),
        ("page of noise", page_of_noise),
        ("page of another", page_of_another),
        ("page head", page_head),
        ("cell pointers", cell_pointers),
        ("cell bytes", cell_bytes),
        ("long numbers", long_numbers),
        ("schema text", schema_text),
    ];
    const WHOLE: [(&str, Whole); 4] = [("schema rows", schema_rows), ("values", values), ("cut", cut), ("longer", longer)];
    const PACKINGS: [(&str, Pack); 3] = [("zlib", zlib), ("gzip", gzip), ("zstd", zstd)];
    let mut bytes = good.to_vec();
    let mut told = Vec::new();
    for _ in 0..=random.below(3) {
        let chance = random.below(IN_PLACE.len() + WHOLE.len());
        let name = match (IN_PLACE.get(chance), WHOLE.get(chance.saturating_sub(IN_PLACE.len()))) {
            (Some((name, mutation)), _) => {
                mutation(&mut bytes, random);
                name
            }
            (None, Some((name, mutation))) => {
                mutation(&mut bytes, random);
                name
            }
            (None, None) => continue,
        };
        told.push(*name);
    }
    let Some((name, pack)) = PACKINGS.get(random.below(12)) else { return (bytes, told) };
    bytes = pack(&bytes);
    told.push(*name);
    if random.below(3) == 0 {
        told.push("packed bytes");
        flip(&mut bytes, random, 0, usize::MAX, 8);
    }
    (bytes, told)
}

/// Changes up to so many bytes in a part of the file.
fn flip(bytes: &mut [u8], random: &mut Random, from: usize, to: usize, most: usize) {
    let to = to.min(bytes.len());
    if from >= to {
        return;
    }
    for _ in 0..=random.below(most) {
        let at = from + random.below(to - from);
        bytes[at] = match random.below(4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << random.below(8)),
            _ => random.below(256) as u8,
        };
    }
}

fn page_size(bytes: &[u8]) -> usize {
    match bytes.get(16..18) {
        Some([0, 1]) => 65536,
        Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])).clamp(512, 65536),
        _ => 4096,
    }
}

/// Where a page begins, and where it ends; pages of tables more often than the first one.
fn a_page(bytes: &[u8], random: &mut Random) -> (usize, usize) {
    let size = page_size(bytes);
    let pages = (bytes.len() / size).max(1);
    let page = if random.below(6) == 0 { 0 } else { random.below(pages) };
    (page * size, ((page + 1) * size).min(bytes.len()))
}

/// Where the head of a page's tree begins.
fn tree(start: usize) -> usize {
    if start == 0 { 100 } else { start }
}

fn number(random: &mut Random) -> u32 {
    *random.pick(&[0, 1, 2, 3, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 1000, 65536])
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn head_bytes(bytes: &mut [u8], random: &mut Random) {
    flip(bytes, random, 0, 100, 4);
}

fn head_numbers(bytes: &mut [u8], random: &mut Random) {
    // Page size, versions, reserved bytes, counters, schema format, encoding, vacuum, and what SQLite compares with them.
    let at = *random.pick(&[16, 18, 19, 20, 21, 24, 40, 44, 48, 52, 56, 60, 64, 68, 92, 96]);
    put(bytes, at, &number(random).to_be_bytes());
}

fn page_count(bytes: &mut [u8], random: &mut Random) {
    let pages = u32::try_from(bytes.len() / page_size(bytes)).unwrap();
    let lie = *random.pick(&[0, 1, pages / 2, pages - 1, pages + 1, pages * 2, 0x7fff_ffff, u32::MAX]);
    put(bytes, 28, &lie.to_be_bytes());
    if random.below(2) == 0 {
        // The count is believed only when these are equal.
        let change: Vec<u8> = bytes.get(24..28).unwrap_or(&[0; 4]).to_vec();
        put(bytes, 92, &change);
    }
}

fn free_pages(bytes: &mut [u8], random: &mut Random) {
    let pages = bytes.len() / page_size(bytes);
    put(bytes, 32, &(random.below(pages + 2) as u32).to_be_bytes());
    put(bytes, 36, &number(random).to_be_bytes());
}

fn page_of_noise(bytes: &mut [u8], random: &mut Random) {
    let (start, end) = a_page(bytes, random);
    match random.below(3) {
        0 => bytes[start..end].fill(0),
        1 => bytes[start..end].fill(0xff),
        _ => bytes[start..end].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
    }
}

fn page_of_another(bytes: &mut [u8], random: &mut Random) {
    let (from, end) = a_page(bytes, random);
    let (to, _) = a_page(bytes, random);
    let page = bytes[from..end].to_vec();
    put(bytes, to, &page);
}

fn page_head(bytes: &mut [u8], random: &mut Random) {
    let (start, _) = a_page(bytes, random);
    let at = tree(start);
    match random.below(5) {
        0 => put(bytes, at, &[*random.pick(&[2, 5, 10, 13, 0, 1, 0xff])]),
        1 => put(bytes, at + 1, &(number(random) as u16).to_be_bytes()),
        2 => put(bytes, at + 3, &(number(random) as u16).to_be_bytes()),
        3 => put(bytes, at + 5, &(number(random) as u16).to_be_bytes()),
        _ => {
            let pages = bytes.len() / page_size(bytes);
            put(bytes, at + 8, &(random.below(pages + 2) as u32).to_be_bytes());
        }
    }
}

fn cell_pointers(bytes: &mut [u8], random: &mut Random) {
    let (start, end) = a_page(bytes, random);
    let at = tree(start) + 8;
    flip(bytes, random, at, (at + 64).min(end), 6);
}

fn cell_bytes(bytes: &mut [u8], random: &mut Random) {
    let (start, end) = a_page(bytes, random);
    flip(bytes, random, tree(start) + 12, end, 24);
}

/// SQLite's numbers of variable length, longer than they can be.
fn long_numbers(bytes: &mut [u8], random: &mut Random) {
    let (start, end) = a_page(bytes, random);
    let at = start + random.below(end.saturating_sub(start).max(1));
    put(bytes, at, &vec![0xff; 1 + random.below(12)]);
}

/// The text of a statement in the schema, of the same length.
fn schema_text(bytes: &mut [u8], random: &mut Random) {
    let places: Vec<usize> = bytes.windows(7).enumerate().filter(|(_, window)| *window == b"CREATE ").map(|(at, _)| at).collect();
    if !places.is_empty() {
        let at = *random.pick(&places);
        flip(bytes, random, at, at + 200, 4);
    }
}

/// Runs statements on the database as it is; one that is spoiled already stays as it is.
fn by_sql(bytes: &mut Vec<u8>, change: impl FnOnce(&Database) -> rusqlite::Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.sqlite");
    std::fs::write(&file, &bytes).unwrap();
    let Ok(database) = Database::open(&file) else { return };
    let _ = database.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF;");
    let changed = change(&database);
    let closed = database.close();
    if changed.is_ok() && closed.is_ok() {
        *bytes = std::fs::read(&file).unwrap();
    }
}

const TABLES: [&str; 10] =
    ["playbooks", "plays", "tasks", "hosts", "results", "files", "file_contents", "records", "labels", "latest_hosts"];

fn schema_rows(bytes: &mut Vec<u8>, random: &mut Random) {
    let table = *random.pick(&TABLES);
    let other = *random.pick(&TABLES);
    let change = match random.below(8) {
        0 => format!("UPDATE sqlite_master SET rootpage = {} WHERE name = '{table}'", number(random)),
        1 => format!(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = '{other}') WHERE name = '{table}'"
        ),
        2 => format!("UPDATE sqlite_master SET sql = replace(sql, 'integer', 'blob') WHERE name = '{table}'"),
        3 => format!(
            "UPDATE sqlite_master SET sql = 'CREATE TABLE {table} (id integer primary key, a, b) WITHOUT ROWID' WHERE name = '{table}'"
        ),
        4 => format!(
            "UPDATE sqlite_master SET type = 'view', sql = 'CREATE VIEW {table} AS SELECT * FROM {other}' WHERE name = '{table}'"
        ),
        5 => format!(
            "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', 'DEFAULT (randomblob(100000000))') WHERE name = '{table}'"
        ),
        6 => format!("DELETE FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'index'"),
        _ => format!("UPDATE sqlite_master SET name = '{other}' WHERE name = '{table}'"),
    };
    by_sql(bytes, |database| database.execute_batch(&format!("PRAGMA writable_schema = ON; {change};")));
}

fn values(bytes: &mut Vec<u8>, random: &mut Random) {
    let table = *random.pick(&TABLES);
    let value = match random.below(9) {
        0 => Value::Null,
        1 => Value::Integer(*random.pick(&[0, -1, i64::MIN, i64::MAX, 1 << 53])),
        2 => Value::Real(*random.pick(&[f64::INFINITY, f64::MIN, -0.0, 1e308, 0.1])),
        3 => Value::Text("\0\u{1}\u{feff}\u{202e}😀".repeat(1 + random.below(1000))),
        4 => Value::Blob((0..random.below(5000)).map(|_| random.below(256) as u8).collect()),
        5 => Value::Blob(zlib("[".repeat(1 + random.below(100_000)).as_bytes())),
        6 => Value::Blob(zlib(&vec![b'9'; 1 + random.below(3_000_000)])),
        7 => Value::Text("9999-99-99 99:99:99.999999".to_owned()),
        _ => Value::Text("{\"a\":1e999,\"a\":[NaN,\"\\ud800\"]}".to_owned()),
    };
    let chance = random.below(1000);
    by_sql(bytes, |database| {
        let columns: Vec<String> = database
            .prepare("SELECT name FROM pragma_table_info(?1) WHERE pk = 0")?
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if let Some(column) = columns.get(chance % columns.len().max(1)) {
            database.execute(
                &format!("UPDATE OR IGNORE \"{table}\" SET \"{column}\" = ?1 WHERE rowid % 3 = {}", chance % 3),
                [&value],
            )?;
        }
        Ok(())
    });
}

fn cut(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = match random.below(4) {
        0 => random.below(200),
        1 => random.below(bytes.len() / page_size(bytes) + 1) * page_size(bytes),
        _ => random.below(bytes.len() + 1),
    };
    bytes.truncate(at);
}

fn longer(bytes: &mut Vec<u8>, random: &mut Random) {
    let more = 1 + random.below(3 * page_size(bytes));
    let noise: Vec<u8> = (0..more).map(|_| random.below(256) as u8).collect();
    bytes.extend(noise);
}
