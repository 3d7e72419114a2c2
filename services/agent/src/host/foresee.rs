//! What of a plan is going to fail, as far as that can be told before anything is begun.

use std::{fs, io, path::PathBuf};

use directory::{
    action::{Action, Filling, Step},
    observed,
    setting::Settings,
};

use crate::{
    create::{self, checks},
    host::{Error, Host},
};

/// Options that say where a server listens.
const LISTENING: [&str; 5] = ["port", "secure_port", "nsslapd_listenhost", "nsslapd_securelistenhost", "nsslapd_security"];

/// An instance that runs while a plan is carried out, as that makes it.
#[derive(Debug)]
struct Listener {
    instance: String,
    settings: Settings,
    has_tls: bool,
    is_new: bool,
    /// Whether the plan says where it listens.
    is_moved: bool,
}

/// A port that a server takes, on all addresses unless there is one.
struct End<'a> {
    option: &'static str,
    address_option: &'static str,
    port: i64,
    address: Option<&'a str>,
}

impl Host {
    /// Sees whether the instances that a plan creates can be created, and whether all can listen where they are to.
    pub async fn foresee(&self, actions: &[Action]) -> Result<(), Error> {
        // Ports may be let go by what comes before.
        let frees_ports = |action: &Action| matches!(action.step, Step::RemoveInstance | Step::Stop | Step::Restart);
        let with_ports = !actions.iter().any(frees_ports);
        for action in actions {
            let Step::CreateInstance(settings) = &action.step else { continue };
            let (instance, settings) = (action.place.instance_name().to_owned(), settings.clone());
            self.blocking(move |installation| {
                let foreseen = create::foresee(installation, &instance, &settings, with_ports);
                foreseen.map_err(|source| Error::Create { instance, source })
            })
            .await?;
        }
        if !actions.iter().any(says_where) {
            return Ok(());
        }
        clash(&listeners(actions, &self.observe().await?)).map_or(Ok(()), Err)
    }

    /// Sees whether the files are there that new backends get their first entries from. Not for hosts that get them later.
    pub async fn foresee_files(&self, actions: &[Action]) -> Result<(), Error> {
        for action in actions {
            let Step::Fill { with: Filling::Ldif(file), .. } = &action.step else { continue };
            // One that was there before may have been filled: then nothing is imported, and the file may be gone.
            let makes = |other: &Action| other.place == action.place && matches!(other.step, Step::CreateBackend { .. });
            if !actions.iter().any(makes) {
                continue;
            }
            let path = PathBuf::from(file);
            let (looked, file) = self.blocking(move |_| Ok((fs::metadata(&path), path))).await?;
            let problem = match looked {
                Ok(metadata) if metadata.is_file() => continue,
                Ok(_) => "is no file",
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => "is not there",
                // The server's user may see more than this one.
                Err(_) => continue,
            };
            let (instance, backend) = (action.place.instance_name().to_owned(), action.object().to_owned());
            return Err(Error::Entries { instance, backend, file, problem });
        }
        Ok(())
    }
}

/// Whether an action says where a server listens.
fn says_where(action: &Action) -> bool {
    match &action.step {
        Step::CreateInstance(_) => true,
        Step::Set { changes, .. } => changes.iter().any(|change| LISTENING.contains(&change.option.name)),
        _ => false,
    }
}

/// The actions for an instance and what it has.
fn of<'a>(actions: &'a [Action], name: &'a str) -> impl Iterator<Item = &'a Action> {
    actions.iter().filter(move |action| action.place.instance_name() == name)
}

/// The instances that run at any time of a plan: those that did, but for those that are removed first, and those that it starts.
fn listeners(actions: &[Action], found: &observed::Host) -> Vec<Listener> {
    let starts = |name: &str| of(actions, name).any(|action| matches!(action.step, Step::Start));
    let stays = |name: &str| !of(actions, name).any(|action| matches!(action.step, Step::RemoveInstance));
    let there =
        found.instances.iter().filter(|instance| (instance.is_running || starts(&instance.name)) && stays(&instance.name));
    let there = there.map(|instance| {
        let mut settings = instance.settings.clone();
        for action in of(actions, &instance.name) {
            let Step::Set { changes, .. } = &action.step else { continue };
            for change in changes.iter().filter(|change| LISTENING.contains(&change.option.name)) {
                settings.insert(change.option, change.after.clone());
            }
        }
        let has_tls = settings.switch("nsslapd_security") == Some(true);
        let is_moved = of(actions, &instance.name).any(says_where);
        Listener { instance: instance.name.clone(), settings, has_tls, is_new: false, is_moved }
    });
    let new = actions.iter().filter_map(|action| match &action.step {
        Step::CreateInstance(settings) if starts(action.place.instance_name()) => Some(Listener {
            instance: action.place.instance_name().to_owned(),
            settings: settings.clone(),
            has_tls: checks::is_secure(settings),
            is_new: true,
            is_moved: true,
        }),
        _ => None,
    });
    there.chain(new).collect()
}

/// Two that want the same, told of the one that comes second to it.
fn clash(listeners: &[Listener]) -> Option<Error> {
    let pairs = listeners.iter().enumerate().flat_map(|(index, later)| {
        let before = listeners.get(..index).unwrap_or_default();
        before.iter().map(move |earlier| if later.is_moved { (earlier, later) } else { (later, earlier) })
    });
    pairs.filter(|(_, second)| second.is_moved).find_map(|(first, second)| second.clashes(first))
}

impl Listener {
    /// The ports that it takes.
    fn ends(&self) -> impl Iterator<Item = End<'_>> {
        let ends = [("port", "nsslapd_listenhost", 389), ("secure_port", "nsslapd_securelistenhost", 636)];
        let used = ends.into_iter().take(if self.has_tls { 2 } else { 1 });
        let read = |(option, address_option, default)| End {
            option,
            address_option,
            port: self.settings.number(option).unwrap_or(default),
            address: self.settings.text(address_option).filter(|address| !address.is_empty()),
        };
        used.map(read).filter(|end| end.port != 0)
    }

    /// Why it cannot listen beside another.
    fn clashes(&self, other: &Self) -> Option<Error> {
        let (own, theirs) =
            self.ends().find_map(|own| other.ends().find(|theirs| own.is_taken_by(theirs)).map(|theirs| (own, theirs)))?;
        let End { option, address_option, port, .. } = own;
        let problem = format!(
            "is {port}, and so is option '{}' of instance slapd-{}; choose another port for one of them, or give each an address \
             of its own by {address_option}{}",
            theirs.option,
            other.instance,
            if address_option == theirs.address_option { String::new() } else { format!(" and {}", theirs.address_option) }
        );
        let (instance, source) = (self.instance.clone(), create::Error::Option { option, problem });
        Some(match self.is_new {
            true => Error::Create { instance, source },
            false => Error::Ports { instance, source: Box::new(source) },
        })
    }
}

impl End<'_> {
    fn is_taken_by(&self, other: &Self) -> bool {
        let is_apart = matches!((self.address, other.address), (Some(own), Some(theirs)) if !own.eq_ignore_ascii_case(theirs));
        self.port == other.port && !is_apart
    }
}

#[cfg(test)]
mod tests {
    use directory::{options::Scope, place::Place, setting::Setting};

    use super::*;

    fn settings(options: &[(&str, Setting)]) -> Settings {
        let mut settings = Settings::new();
        for (name, setting) in options {
            settings.insert(Scope::Instance.option(name).unwrap(), setting.clone());
        }
        settings
    }

    /// What is said of two instances that are created and started.
    fn said(one: &[(&str, Setting)], two: &[(&str, Setting)]) -> String {
        let action = |name: &str, step| Action { place: Place::instance(name), step };
        let actions = [("one", one), ("two", two)]
            .map(|(name, options)| [action(name, Step::CreateInstance(settings(options))), action(name, Step::Start)])
            .concat();
        let none = observed::Host { version: None, default_indexes: Vec::new(), instances: Vec::new() };
        clash(&listeners(&actions, &none)).map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn two_instances_do_not_get_the_same_port() {
        let number = |name: &'static str, port| (name, Setting::Number(port));
        let (port, secure) = (|port| number("port", port), |port| number("secure_port", port));
        let at = |address: &str| ("nsslapd_listenhost", Setting::Text(address.to_owned()));
        let off = ("nsslapd_security", Setting::Switch(false));
        for (one, two, expected) in [
            (vec![], vec![secure(1636)], "option 'port' is 389, and so is option 'port' of instance slapd-one"),
            (vec![], vec![port(1389)], "option 'secure_port' is 636, and so is option 'secure_port' of instance slapd-one"),
            (vec![port(7)], vec![port(8), secure(7)], "option 'secure_port' is 7, and so is option 'port' of instance slapd-one"),
            (vec![port(7), at("::1")], vec![port(7), secure(0)], "option 'port' is 7, and so is"),
            (vec![port(7), at("::1")], vec![port(7), secure(0), at("127.0.0.1")], ""),
            (vec![port(7), off.clone()], vec![port(8)], ""),
            (vec![port(0), secure(0)], vec![port(0), secure(0)], ""),
            (vec![port(7)], vec![port(8), secure(9)], ""),
        ] {
            let said = said(&one, &two);
            let is_so = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
            assert!(
                is_so && (said.is_empty() || said.starts_with("failed to create instance slapd-two: ")),
                "{expected}: {said}"
            );
        }
    }
}
