//! Keeps secrets out of texts that others wrote: what a server says may repeat what it was told.

use directory::{
    secret::MASK,
    setting::{Setting, Settings},
    specification::Specification,
};

/// A text as short as this is in every other text: to mask it would only tell it.
const SHORT: usize = 4;

/// The secrets that have been handed to servers.
#[derive(Clone, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// Those of a specification.
    pub(super) fn of(specification: &Specification) -> Self {
        let mut secrets = Vec::new();
        for instance in &specification.instances {
            collect(&instance.settings, &mut secrets);
            for backend in &instance.backends {
                collect(&backend.settings, &mut secrets);
                backend.indexes.iter().chain(&backend.agreements).for_each(|child| collect(&child.settings, &mut secrets));
            }
        }
        specification.targeted.iter().for_each(|targeted| collect(&targeted.settings, &mut secrets));
        // One secret may be the beginning of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// The text with a mask for each of them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }
}

fn collect(settings: &Settings, secrets: &mut Vec<String>) {
    for (_, setting) in settings.iter() {
        if let Setting::Secret(secret) = setting
            && secret.reveal().len() >= SHORT
        {
            secrets.push(secret.reveal().to_owned());
        }
    }
}
