//! Values and files that ansible-vault encrypted: opened with the passwords that a user has given. Only what is about 389 DS is
//! opened, so that nobody needs the passwords of others. Blocking work.

mod envelope;
mod passwords;

pub use self::{
    envelope::{Envelope, Problem, is_encrypted},
    passwords::{Error, Passwords},
};
use directory::{
    place::{Place, Problems},
    value::{Node, Value},
    variables,
};

/// Puts the text of each vaulted value of our variables in its place. Each that no password opens is told by its name.
pub fn decrypt(host: &mut Node, passwords: &Passwords) -> Result<(), Problems> {
    let mut problems = Problems::new();
    if let Value::Map(map) = &mut host.value {
        for entry in map.entries_mut().iter_mut().filter(|entry| variables::is_ours(&entry.key)) {
            let path = entry.key.clone();
            open(&path, &mut entry.node, passwords, &mut problems);
        }
    }
    problems.or(())
}

/// The text of a file that is encrypted as a whole.
pub fn decrypt_file(text: &str, passwords: &Passwords) -> Result<String, Problem> {
    passwords.open(&Envelope::parse(text)?)
}

fn open(path: &str, node: &mut Node, passwords: &Passwords, problems: &mut Problems) {
    match &mut node.value {
        Value::Vault(text) => match Envelope::parse(text).and_then(|envelope| passwords.open(&envelope)) {
            Ok(text) => node.value = Value::Text(text),
            Err(problem) => problems.add(&Place::default(), node.at, format!("{path} {problem}")),
        },
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                open(&format!("{path}[{index}]"), item, passwords, problems);
            }
        }
        Value::Map(map) => {
            for entry in map.entries_mut() {
                let path = format!("{path}.{}", entry.key);
                open(&path, &mut entry.node, passwords, problems);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
