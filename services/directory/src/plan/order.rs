//! The order of a host's instances: whoever leaves a port goes before whoever takes it, for a server that cannot have its port
//! does not start.

use crate::{plan::Planner, setting::Settings, specification::Instance};

impl Planner<'_> {
    /// The instances as they were listed, but for those that wait for the port of another.
    pub(super) fn in_order_of_ports<'w>(&mut self, mut waiting: Vec<&'w Instance>) -> Vec<&'w Instance> {
        let mut ordered = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let is_free = |taker: &&Instance| !waiting.iter().any(|other| self.gives_way(other, taker));
            let next = waiting.iter().position(is_free).unwrap_or_else(|| {
                self.complain_of_a_circle(&waiting);
                0
            });
            ordered.push(waiting.remove(next));
        }
        ordered
    }

    /// Whether an instance has a port that it leaves and another wants.
    fn gives_way(&self, other: &Instance, taker: &Instance) -> bool {
        let Some(found) = self.found.instance(&other.name).filter(|_| !other.is_called(&taker.name)) else { return false };
        let (before, after, wanted) = (ports(&[&found.settings]), self.ports(other), self.ports(taker));
        before.iter().any(|port| *port != 0 && !after.contains(port) && wanted.contains(port))
    }

    /// The ports that an instance is to have.
    fn ports(&self, wanted: &Instance) -> [i64; 2] {
        let found = self.found.instance(&wanted.name).map(|found| &found.settings);
        ports(&[Some(&wanted.settings), found].into_iter().flatten().collect::<Vec<_>>())
    }

    fn complain_of_a_circle(&mut self, waiting: &[&Instance]) {
        let Some(first) = waiting.first() else { return };
        let names = waiting.iter().map(|instance| instance.name.as_str()).collect::<Vec<_>>().join(", ");
        let message =
            format!("instances {names} wait for ports of each other: move one of them to a port that is free, and then on");
        self.problems.add(&first.place(), first.at, message);
    }
}

/// Port and secure port, as the first of the settings says that has them.
fn ports(settings: &[&Settings]) -> [i64; 2] {
    [("port", 389), ("secure_port", 636)]
        .map(|(option, default)| settings.iter().find_map(|settings| settings.number(option)).unwrap_or(default))
}
