//! Secrets that are wanted and secrets that the server has. A server tells nobody its own, so whoever plans asks first whether
//! they are the same, in a way that the server offers, such as a bind.

use std::collections::BTreeMap;

use crate::{
    certificates::Certificates,
    dn::Dn,
    layout,
    options::{Definition, Scope},
    place::Place,
    secret::Secret,
    setting::{Setting, Settings},
    specification::{Presence, Specification},
};

/// Which secrets the server has already, as far as that could be found out, and which certificates.
#[derive(Debug, Clone, Default)]
pub struct Comparisons {
    secrets: BTreeMap<(Place, &'static str), BTreeMap<Dn, bool>>,
    certificates: BTreeMap<Place, Certificates>,
}

/// One secret that is wanted, and where the server has its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The object.
    pub place: Place,
    /// The option.
    pub option: &'static str,
    /// The entry that has the secret.
    pub dn: Dn,
    /// The attribute that holds it.
    pub attribute: &'static str,
    /// The one that is wanted.
    pub secret: Secret,
}

impl Comparisons {
    /// Notes the answer to a question.
    pub fn insert(&mut self, question: &Question, is_the_same: bool) {
        let known = self.secrets.entry(key(&question.place, question.option)).or_default();
        known.insert(question.dn.clone(), is_the_same);
    }

    /// Notes what was found out of an instance's certificates.
    pub fn insert_certificates(&mut self, instance: &Place, certificates: Certificates) {
        self.certificates.insert(instance.lowered(), certificates);
    }

    /// What was found out of an instance's certificates, if somebody did.
    pub(crate) fn certificates(&self, instance: &Place) -> Option<&Certificates> {
        self.certificates.get(&instance.lowered())
    }

    /// What nobody could compare is not the same: a password that is set again does no harm, and a wrong one does.
    /// Of several questions for one option all have to be answered with yes.
    pub(crate) fn is_the_same(&self, place: &Place, option: &'static str) -> bool {
        self.secrets.get(&key(place, option)).is_some_and(|known| known.values().all(|is_the_same| *is_the_same))
    }

    /// The same of the secret in one entry.
    pub(crate) fn is_the_same_of(&self, place: &Place, option: &'static str, dn: &Dn) -> bool {
        self.secrets.get(&key(place, option)).and_then(|known| known.get(dn)).copied().unwrap_or(false)
    }
}

/// Names are the same in any case.
fn key(place: &Place, option: &'static str) -> (Place, &'static str) {
    (place.lowered(), option)
}

/// All that there is to ask about the secrets of a specification.
pub fn questions(wanted: &Specification) -> Vec<Question> {
    let mut questions = Vec::new();
    for instance in wanted.instances.iter().filter(|instance| instance.presence == Presence::Present) {
        let place = instance.place();
        questions.extend(stored(&place, &layout::config(), &instance.settings));
        for backend in &instance.backends {
            let place = place.child(Scope::Backend, &backend.name);
            let names = backend.settings.list("replicabinddn").unwrap_or_default();
            let managers = names.iter().filter_map(|name| Dn::parse(name).ok()).filter(|dn| dn.is_below(&layout::config()));
            let all = backend.settings.secret("replicacredentials");
            questions.extend(managers.filter_map(|dn| {
                let own = wanted.identity(&dn);
                let secret = if layout::is_bind_identity(&dn) { own } else { own.or(all) }?.clone();
                Some(Question { place: place.clone(), option: "replicacredentials", dn, attribute: "userPassword", secret })
            }));
            questions.extend(stored(&place, &layout::changelog(&backend.name), &backend.settings));
            let Some(suffix) = &backend.suffix else { continue };
            for agreement in &backend.agreements {
                let place = place.child(Scope::Agreement, &agreement.name);
                questions.extend(stored(&place, &layout::agreement(suffix, &agreement.name), &agreement.settings));
            }
        }
    }
    questions
}

/// The secrets that are kept in an entry of the object's own.
fn stored(place: &Place, dn: &Dn, settings: &Settings) -> Vec<Question> {
    let question = |(option, setting): (&'static Definition, &Setting)| match (option.home.attribute(), setting) {
        (Some(attribute), Setting::Secret(secret)) => {
            Some(Question { place: place.clone(), option: option.name, dn: dn.clone(), attribute, secret: secret.clone() })
        }
        _ => None,
    };
    settings.iter().filter_map(question).collect()
}
