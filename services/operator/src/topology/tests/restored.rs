//! What becomes of suppliers of which somebody has put back an older copy.

use super::*;

const A: &str = "a.root";

/// The members of a mesh that began with the numbers 1 and 2, when the first is heard as this.
struct Mesh {
    records: Records,
}

impl Mesh {
    fn new() -> Self {
        let records = compose(&world(vec![numbered("a", 1, &[]), numbered("b", 2, &[])], vec![mesh()]), &Records::new()).records;
        Self { records }
    }

    /// What follows once `a` is heard so, and has caught up with the other one or not.
    fn hears(&mut self, a: Member, has_caught_up: bool) -> Topology {
        let way = (SUFFIX.to_owned(), ["b", "a"].map(str::to_owned));
        let caught_up = Some(way).filter(|_| has_caught_up).into_iter().collect();
        let members = vec![a, numbered("b", 2, &[])];
        let topology = compose(&World { caught_up, ..world(members, vec![mesh()]) }, &self.records);
        self.records = topology.records.clone();
        topology
    }
}

/// A supplier that has this number, or none, knows of those of both, and is not to have the spent ones again.
fn numbered(name: &str, id: u32, spent: &[u32]) -> Member {
    let other = if name == "a" { "b" } else { "a" };
    let mut member = settled(with_agreement(heard(name, "supplier", "g"), other, AgreementState::InSync, ""));
    let replica = &mut member.heard.as_mut().unwrap()[0];
    (replica.id, replica.suppliers, replica.spent) = (id, vec![1, 2], spent.to_vec());
    member
}

fn states(topology: &Topology) -> Vec<State> {
    topology.agreements["mesh"].pairs.iter().map(|pair| pair.state).collect()
}

#[test]
fn a_restored_supplier_gets_another_number_and_its_first_is_cleaned_once_nothing_of_it_is_missing() {
    let mut site = Mesh::new();
    assert_eq!(site.records[SUFFIX].numbers[A], 1);
    let restored = site.hears(numbered("a", 0, &[1]), false);
    assert_eq!((part(&restored, "a").backends["root"].id, part(&restored, "a").refused.clone()), (Some(3), None));
    assert_eq!(states(&restored), [State::Behind, State::Behind]);
    let message = &restored.agreements["mesh"].pairs[0].message;
    assert!(message.starts_with("a.root was restored from a backup, and lacks changes that b.root has"), "{message}");
    let asked = || [(SUFFIX.to_owned(), ["b", "a"].map(str::to_owned))].into();
    assert_eq!(restored.unsure(), asked());
    // It may have all that came before it was restored, and says so with the number that it had.
    let early = site.hears(numbered("a", 0, &[1]), true);
    assert_eq!((early.records[SUFFIX].restored.len(), early.records[SUFFIX].gone.len()), (1, 0));
    let promoted = site.hears(numbered("a", 3, &[]), false);
    assert_eq!((states(&promoted), promoted.unsure()), (vec![State::Behind, State::Behind], asked()));
    assert!(promoted.parts.values().all(|part| part.gone.is_empty()));
    let caught_up = site.hears(numbered("a", 3, &[]), true);
    assert_eq!((states(&caught_up), caught_up.unsure().len()), (vec![State::InSync, State::InSync], 0));
    assert_eq!(caught_up.parts.values().flat_map(|part| part.gone.get(SUFFIX)).flatten().collect::<Vec<_>>(), [&1]);
    assert_eq!(caught_up.records[SUFFIX].numbers[A], 3);
}

#[test]
fn a_number_that_a_resource_gives_is_refused_once_its_supplier_was_restored() {
    let given = |id: u16, heard: u32, spent: &[u32]| {
        let Member { backends, .. } = instance("a", &format!("supplier {id}"));
        Member { backends, ..numbered("a", heard, spent) }
    };
    let mut site = Mesh::new();
    site.hears(given(1, 1, &[]), true);
    let refused = part(&site.hears(given(1, 0, &[1]), false), "a").refused.clone().unwrap();
    assert_eq!(refused.reason, Reason::Conflict);
    assert!(refused.message.contains("replicaId 1 is that of a supplier that there was before"), "{}", refused.message);
    let other = site.hears(given(7, 0, &[1]), false);
    assert_eq!((part(&other, "a").backends["root"].id, part(&other, "a").refused.clone()), (Some(7), None));
}

#[test]
fn what_a_restored_supplier_lacks_is_nobodys_concern_once_it_is_gone() {
    let mut site = Mesh::new();
    site.hears(numbered("a", 0, &[1]), false);
    let alone = compose(&world(vec![numbered("b", 2, &[])], vec![mesh()]), &site.records);
    assert_eq!(alone.records[SUFFIX].restored.len(), 0);
    assert!(alone.records[SUFFIX].gone.contains(&1));
}
