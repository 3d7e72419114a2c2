//! Replica update vectors: up to which change of each supplier somebody has all of them.

use serde::Serialize;

use crate::replication::Csn;

/// What a replica has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ruv {
    /// Names the data that everybody's began as. Servers that have another do not replicate with each other.
    pub generation: String,
    /// One for each supplier that is known.
    pub elements: Vec<Element>,
}

/// What a replica has of one supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Element {
    /// The supplier's number.
    pub id: u16,
    /// Where the supplier is, if it has said so.
    pub url: Option<String>,
    /// The oldest change; `None` before the first.
    pub oldest: Option<Csn>,
    /// The newest change; `None` before the first.
    pub newest: Option<Csn>,
}

impl Ruv {
    /// Reads the values of `nsds50ruv`; `None` if there is no generation among them. What is not understood is left out.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut generation, mut elements) = (None, Vec::new());
        for value in values {
            let Some((head, rest)) = value.trim().strip_prefix('{').and_then(|value| value.split_once('}')) else { continue };
            let mut words = head.split_whitespace();
            match words.next() {
                Some("replicageneration") => generation = Some(rest.trim().to_owned()),
                Some("replica") => {
                    let Some(id) = words.next().and_then(|word| word.parse().ok()) else { continue };
                    let mut numbers = rest.split_whitespace().map_while(Csn::parse);
                    let (oldest, newest) = (numbers.next(), numbers.next());
                    elements.push(Element { id, url: words.next().map(str::to_owned), oldest, newest });
                }
                _ => {}
            }
        }
        elements.sort_by_key(|element| element.id);
        generation.filter(|generation| !generation.is_empty()).map(|generation| Self { generation, elements })
    }

    /// The newest change of a supplier.
    pub fn newest(&self, id: u16) -> Option<Csn> {
        self.elements.iter().find(|element| element.id == id).and_then(|element| element.newest)
    }

    /// The newest change of all.
    pub fn last(&self) -> Option<Csn> {
        self.elements.iter().filter_map(|element| element.newest).max()
    }

    /// By how many seconds another replica is behind this one: the oldest of the newest changes of a supplier that it lacks
    /// decides. `None` if the two do not have the same data to begin with.
    pub fn lag(&self, other: &Self) -> Option<u64> {
        if self.generation != other.generation {
            return None;
        }
        let behind = |element: &Element| {
            let newest = element.newest?;
            match other.newest(element.id) {
                Some(known) if known >= newest => None,
                Some(known) => Some(newest.at.since(known.at)),
                None => element.oldest.map(|oldest| newest.at.since(oldest.at)),
            }
        };
        Some(self.elements.iter().filter_map(behind).max().unwrap_or(0))
    }
}
