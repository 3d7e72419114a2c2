//! Where reports are put: a place for each in the store, by namespace, instance and time, and of each instance no more than so many.

use k8s_openapi::jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use kube::runtime::reflector::ObjectRef;
use store::{Location, Source, Store};

use crate::crd::DS389Instance;

/// What all of it is below.
const ROOT: &str = "ds389";
/// The name of a folder that makes it a report, as query is told unless it is told another one.
const PREFIX: &str = "ara-report";
/// How an agent writes the time of a report.
const TIME: &str = "%Y%m%dT%H%M%SZ";
/// Places on one page of a listing, and the pages that are looked at for one report. What is beyond them is removed another time.
const PAGE: usize = 1000;
const MOST_PAGES: usize = 100;

/// The store of the reports.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    store: Store,
    /// The name that the store has among others, with a slash behind it; empty without a name.
    name: String,
    /// Reports of an instance that are kept.
    kept: usize,
}

/// The place of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where in the store it is.
    pub(crate) location: Location,
    /// When what it tells of ended.
    pub(crate) time: Timestamp,
}

impl Shelf {
    /// That of a store, which has to be of a kind that takes reports.
    pub(crate) fn open(source: &Source, options: &store::Options, kept: usize) -> Result<Self, store::Error> {
        let store = Store::open(source, options)?;
        store.takes_reports()?;
        let name = source.name.as_ref().map(|name| format!("{name}/")).unwrap_or_default();
        Ok(Self { store, name, kept })
    }

    /// Where Aviary serves a report, if its stores are called as this one is.
    pub(crate) fn path(&self, location: &Location) -> String {
        format!("{}{location}", self.name)
    }

    /// Puts a report at its place, however often.
    pub(crate) async fn put(&self, location: &Location, database: Vec<u8>) -> Result<(), store::Error> {
        self.store.put(location, database.into()).await
    }

    /// Removes the oldest reports of an instance that are too many.
    pub(crate) async fn thin(&self, instance: &ObjectRef<DS389Instance>) -> Result<(), store::Error> {
        let folder = folder(instance)?;
        let (mut names, mut token) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let page = match self.store.list(&folder, &[], &token, PAGE).await {
                Err(store::Error::NotFound) => return Ok(()),
                page => page?,
            };
            names.extend(page.entries.into_iter().map(|entry| entry.name));
            match page.next {
                Some(next) => token = next,
                None => break,
            }
        }
        for name in surplus(names, self.kept) {
            self.store.remove(&folder.join(&name)?.join(PREFIX)?).await?;
        }
        Ok(())
    }
}

/// The place of the report that an agent calls by an id; `None` if that is no time, as it comes from a pod.
pub(crate) fn place(instance: &ObjectRef<DS389Instance>, id: &str) -> Option<Place> {
    let time = time(id)?;
    let location = folder(instance).ok()?.join(id).ok()?.join(PREFIX).ok()?;
    Some(Place { location, time })
}

fn folder(instance: &ObjectRef<DS389Instance>) -> Result<Location, store::Error> {
    let namespace = instance.namespace.as_deref().unwrap_or_default();
    Ok(Location::parse(&format!("{ROOT}/{namespace}/{}", instance.name))?)
}

fn time(id: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(TIME, id).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    // There may be other ways to write it.
    (time.strftime(TIME).to_string() == id).then_some(time)
}

/// The oldest of these that are too many. What is called otherwise than reports are is left alone.
fn surplus(names: Vec<String>, kept: usize) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().filter(|name| time(name).is_some()).collect();
    names.sort();
    names.truncate(names.len().saturating_sub(kept));
    names
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn instance() -> ObjectRef<DS389Instance> {
        ObjectRef::new("ldap-1").within("people")
    }

    #[test]
    fn a_report_has_a_place_by_namespace_instance_and_time() {
        let place = place(&instance(), "20261129T041503Z").unwrap();
        assert_eq!(place.location.as_str(), "ds389/people/ldap-1/20261129T041503Z/ara-report");
        assert_eq!(place.time, "2026-11-29T04:15:03Z".parse().unwrap());
    }

    #[test]
    fn what_is_no_time_has_no_place() {
        for id in [
            "",
            "../../other",
            "20261129T041503Z/..",
            "20261129T041503",
            "2026-11-29T04:15:03Z",
            "20261329T041503Z",
            "20261129T041503Z ",
            " 20261129T041503Z",
            "+20261129T041503Z",
            "2026129T041503Z",
        ] {
            assert_eq!(place(&instance(), id), None, "{id:?}");
        }
    }

    #[test]
    fn the_oldest_are_too_many_and_what_is_called_otherwise_is_not_counted() {
        let check = |names: &[&str], kept: usize, expected: &[&str]| {
            assert_eq!(surplus(names.iter().map(|name| (*name).to_owned()).collect(), kept), expected, "{names:?} {kept}");
        };
        let (one, two, three) = ("20261129T041503Z", "20261129T041504Z", "20270101T000000Z");
        check(&[], 1, &[]);
        check(&[one, two], 2, &[]);
        check(&[three, one, two], 2, &[one]);
        check(&[three, one, two], 1, &[one, two]);
        check(&["a", one, "zz", two], 1, &[one]);
    }

    #[tokio::test]
    async fn of_each_instance_the_last_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::folder(folder.path());
        let shelf = Shelf::open(&source, &store::Options::default(), 2).unwrap();
        let other = ObjectRef::new("ldap-10").within("people");
        shelf.thin(&instance()).await.unwrap();
        for (instance, second) in [(&instance(), 1), (&instance(), 3), (&other, 1), (&instance(), 2), (&instance(), 4)] {
            let place = place(instance, &format!("20261129T04150{second}Z")).unwrap();
            shelf.put(&place.location, vec![second]).await.unwrap();
        }
        shelf.thin(&instance()).await.unwrap();
        let names = |name: &str| {
            let entries = std::fs::read_dir(folder.path().join("ds389/people").join(name)).unwrap();
            let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names("ldap-1"), ["20261129T041503Z", "20261129T041504Z"]);
        assert_eq!(names("ldap-10"), ["20261129T041501Z"]);
    }

    #[test]
    fn a_name_of_the_store_is_the_first_segment_where_it_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse("ds389/a").unwrap();
        for (name, expected) in [(None, "ds389/a"), (Some("logs"), "logs/ds389/a")] {
            let mut source = Source::folder(folder.path());
            source.name = name.map(str::to_owned);
            assert_eq!(Shelf::open(&source, &store::Options::default(), 1).unwrap().path(&location), expected);
        }
    }
}
