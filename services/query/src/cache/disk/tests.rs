//! What the folder promises to whoever finds something in it.

use std::io::Write;

use store::{Location, Revision, encoding::Encoding};

use super::*;

fn key(name: &str) -> Key {
    Key::new("store", &Location::parse(name).unwrap())
}

/// Keeps `bytes` as the content `etag` of `name`; not sealed.
fn publish(disk: &Disk, name: &str, etag: &str, bytes: &[u8]) -> Entry {
    let mut file = tempfile::NamedTempFile::new_in(disk.work()).unwrap();
    file.write_all(bytes).unwrap();
    let size = bytes.len() as u64;
    let revision =
        Revision { key: name.to_owned(), etag: Some(etag.to_owned()), version: None, modified: None, size, settled: true };
    let record = Record::new(format!("store {name}"), &revision, Encoding::Raw, "1.8.0", size, None);
    disk.publish(&key(name), file.into_temp_path(), record).unwrap()
}

fn keep(disk: &Disk, name: &str, etag: &str, bytes: &[u8]) -> Entry {
    let entry = publish(disk, name, etag, bytes);
    disk.seal(&entry).unwrap();
    entry
}

fn count(disk: &Disk) -> usize {
    disk.files().count()
}

#[test]
fn what_is_kept_is_found_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(Some(folder.path()), 1 << 20).unwrap();
    assert!(disk.is_empty());
    keep(&disk, "a", "1", b"one");
    drop(disk);
    let disk = Disk::open(Some(folder.path()), 1 << 20).unwrap();
    let (entry, checked) = disk.read(&key("a")).unwrap();
    assert_eq!(fs::read(&entry.path).unwrap(), b"one");
    assert_eq!(entry.record.revision().etag.as_deref(), Some("1"));
    assert!(checked.elapsed().unwrap().as_secs() < 60);
    assert!(disk.read(&key("b")).is_none());
    assert_eq!(fs::read_dir(folder.path().join(WORK)).unwrap().count(), 1, "the first process took its work with it");
}

#[test]
fn a_new_content_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(Some(folder.path()), 1 << 20).unwrap();
    let first = keep(&disk, "a", "1", b"one");
    let mut reader = File::open(&first.path).unwrap();
    let second = keep(&disk, "a", "2", b"two!");
    assert_eq!(disk.read(&key("a")).unwrap().0.path, second.path);
    assert_ne!(first.record.generation, second.record.generation);
    assert!(!first.path.exists());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(text, "one", "who reads it reads on");
    assert_eq!(count(&disk), 2);
}

#[test]
fn a_process_that_ended_anywhere_leaves_nothing_that_counts_and_nothing_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(Some(folder.path()), 1 << 20).unwrap();
    keep(&disk, "good", "1", b"good");
    // In the middle of a download, after publishing, after the record of nothing.
    let dead = folder.path().join(WORK).join("1-dead");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("lock"), "").unwrap();
    fs::write(dead.join("half.sqlite"), "half").unwrap();
    let unsealed = publish(&disk, "unsealed", "1", b"whole, but no record");
    let lost = keep(&disk, "lost", "1", b"lost");
    fs::remove_file(&lost.path).unwrap();
    assert!(disk.read(&key("unsealed")).is_none());
    assert!(disk.read(&key("lost")).is_none());
    let swept = disk.sweep(|| true);
    assert_eq!(swept, Swept { sound: 1, spoiled: 1, left_over: 2 });
    assert!(!unsealed.path.exists() && !dead.exists());
    assert_eq!(count(&disk), 2, "the good one and its record");
    assert_eq!(disk.sweep(|| true), Swept { sound: 1, ..Swept::default() });
}

#[test]
fn bytes_that_changed_on_the_disk_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(Some(folder.path()), 1 << 20).unwrap();
    let shorter = keep(&disk, "shorter", "1", b"12345");
    let other = keep(&disk, "other", "1", b"12345");
    fs::write(&shorter.path, b"123").unwrap();
    assert!(disk.read(&key("shorter")).is_none(), "told by its size at once");
    fs::write(&other.path, b"1234x").unwrap();
    assert_eq!(disk.sweep(|| true), Swept { spoiled: 2, ..Swept::default() });
    assert!(disk.read(&key("other")).is_none());
    for garbage in ["", "{}", "[1", "{\"version\":1}"] {
        fs::write(disk.record_path(&key("garbage")), garbage)
            .or_else(|_| {
                fs::create_dir_all(disk.shelf(&key("garbage")))
                    .and_then(|()| fs::write(disk.record_path(&key("garbage")), garbage))
            })
            .unwrap();
        assert!(disk.read(&key("garbage")).is_none(), "{garbage:?}");
    }
    disk.sweep(|| true);
    assert_eq!(count(&disk), 0);
}

#[test]
fn the_least_recently_used_make_room_down_to_the_low_mark() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(Some(folder.path()), 1000).unwrap();
    let entries: Vec<Entry> = (0..10).map(|number| keep(&disk, &format!("{number}"), "1", &[0; 100])).collect();
    for (age, entry) in entries.iter().enumerate() {
        let used = SystemTime::now() - std::time::Duration::from_secs(1000 - age as u64);
        File::open(&entry.path).unwrap().set_times(FileTimes::new().set_modified(used)).unwrap();
    }
    disk.touch(&entries[0]).unwrap();
    assert!(!disk.is_over());
    keep(&disk, "one more", "1", &[0; 100]);
    assert!(disk.is_over());
    let _fetching = disk.try_lock(&key("2")).unwrap().unwrap();
    disk.evict(0);
    assert!(!disk.is_over());
    let is_there = |name: &str| disk.read(&key(name)).is_some();
    assert!(is_there("0") && is_there("one more"), "used last");
    assert!(is_there("2"), "being fetched");
    assert!(!is_there("1") && !is_there("3") && is_there("4"));
    assert_eq!(count(&disk), 18);
    disk.evict(1000);
    assert!(is_there("2") && !is_there("9"));
    assert!(disk.can_hold(1000) && !disk.can_hold(1001));
}

#[test]
fn a_report_is_fetched_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let one = Disk::open(Some(folder.path()), 1000).unwrap();
    let other = Disk::open(Some(folder.path()), 1000).unwrap();
    let lock = one.try_lock(&key("a")).unwrap().unwrap();
    assert!(other.try_lock(&key("a")).unwrap().is_none());
    assert!(other.try_lock(&key("b")).unwrap().is_some());
    drop(lock);
    assert!(other.try_lock(&key("a")).unwrap().is_some());
    assert_eq!(fs::read_dir(folder.path().join(LOCKS)).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Disk::open(Some(&file), 1000).unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()) && error.contains("--cache"), "{error}");
}
