//! What can be known to fail before anything is made: names, accounts, ports, folders.

use std::{
    collections::BTreeSet,
    fs, io,
    net::{IpAddr, SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use directory::{setting::Settings, specification::is_instance_name};

use super::{
    Error,
    owner::{Owner, Right, is_root},
};
use crate::{dse, installation::Installation, paths::Paths, tool};

/// The longest path of a socket.
const LONGEST_SOCKET: usize = 107;

/// Bytes that have to be free wherever an instance has files: about what its configuration takes, or its databases without data.
const ROOM: u64 = 1 << 20;

/// What will be made.
#[derive(Debug)]
pub(super) struct Plan {
    /// Its name.
    pub(super) name: String,
    /// Where.
    pub(super) paths: Paths,
    /// For whom.
    pub(super) owner: Owner,
    /// The host, as certificates have it.
    pub(super) host: String,
    /// The port for LDAP; 0 for none.
    pub(super) port: u16,
    /// The port for LDAPS.
    pub(super) secure_port: u16,
    /// Whether TLS will be on.
    pub(super) is_secure: bool,
}

/// Looks at everything but ports, and says what will be made.
pub(super) fn check(installation: &Installation, name: &str, settings: &Settings) -> Result<Plan, Error> {
    if !is_instance_name(name) {
        return Err(Error::Name { name: name.to_owned() });
    }
    let paths = Paths::planned(installation, name, settings);
    for path in [installation.home(name).join(dse::NAME), paths.dse()] {
        if path.try_exists().map_err(Error::file("look for", &path))? {
            return Err(Error::Exists { name: name.to_owned(), path });
        }
    }
    if settings.secret("rootpw").is_none() {
        return Err(Error::Option { option: "rootpw", problem: "is missing: a new instance needs it".to_owned() });
    }
    let plan = Plan {
        name: name.to_owned(),
        owner: Owner::resolve(installation, settings)?,
        host: host(settings)?,
        port: number(settings, "port", 389)?,
        secure_port: number(settings, "secure_port", 636)?,
        is_secure: is_secure(settings),
        paths,
    };
    folders(installation, &plan)?;
    Ok(plan)
}

/// Whether a new instance has TLS.
pub(crate) fn is_secure(settings: &Settings) -> bool {
    settings.switch("nsslapd_security").unwrap_or(signs_itself(settings) || settings.get("tls_cert").is_some())
}

/// Whether a new instance gets a certificate that it signs itself: unless it gets another one.
pub(super) fn signs_itself(settings: &Settings) -> bool {
    settings.switch("self_sign_cert").unwrap_or(settings.get("tls_cert").is_none())
}

pub(crate) fn number(settings: &Settings, option: &'static str, default: u16) -> Result<u16, Error> {
    let Some(number) = settings.number(option) else { return Ok(default) };
    u16::try_from(number).map_err(|_| Error::Option { option, problem: format!("is {number}; a port is from 0 to 65535") })
}

/// The name of this host: the one that is given, or the one that the kernel has.
pub(crate) fn host(settings: &Settings) -> Result<String, Error> {
    let fail = |problem| Err(Error::Option { option: "full_machine_name", problem });
    let host = match settings.text("full_machine_name") {
        Some(host) => host.to_owned(),
        None => match fs::read_to_string("/proc/sys/kernel/hostname") {
            Ok(host) if is_host(host.trim()) => host.trim().to_owned(),
            _ => "localhost".to_owned(),
        },
    };
    if !is_host(&host) {
        return fail(format!("is '{host}', which is no host's name; write it as in host.example.com"));
    }
    if settings.switch("strict_host_checking") == Some(true) && addresses(&host).is_empty() {
        return fail(format!("is '{host}', which has no address; correct it or set strict_host_checking to off"));
    }
    Ok(host)
}

/// The addresses of a host by its name, or the one that it is. They are asked for by a program of the system: within a program
/// that is linked statically, the system's name services work as long as they are the usual ones.
fn addresses(host: &str) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    let told = tool::run(Command::new("getent").args(["ahosts", "--", host])).unwrap_or_default();
    let mut addresses: Vec<IpAddr> = told.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    addresses.dedup();
    addresses
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['-', '.'])
        && text.len() < 254
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Whether its ports can be had.
pub(super) fn ports(plan: &Plan, settings: &Settings) -> Result<(), Error> {
    let ports = [("port", plan.port), ("secure_port", plan.secure_port)];
    are_free(settings, if plan.is_secure { &ports } else { &ports[..1] }, &[])
}

/// Takes all ports at once, as the server will, and lets them go again. Its `own` are not in its way.
pub(crate) fn are_free(settings: &Settings, ports: &[(&'static str, u16)], own: &[u16]) -> Result<(), Error> {
    let mut listeners = Vec::new();
    for (option, port) in ports.iter().copied().filter(|(_, port)| *port != 0) {
        let address = if option == "port" { "nsslapd_listenhost" } else { "nsslapd_securelistenhost" };
        let host = settings.text(address).filter(|host| !host.is_empty());
        let hosts = host.map(|host| (host, addresses(host)));
        if let Some((host, _)) = hosts.as_ref().filter(|(_, addresses)| addresses.is_empty()) {
            let problem = format!("is '{host}', which has no address; correct it or leave the option out");
            return Err(Error::Option { option: address, problem });
        }
        match listen(hosts.map(|(_, addresses)| addresses), port) {
            Err(source) if !own.contains(&port) => return Err(Error::Port { option, port, source }),
            listener => listeners.push(listener),
        }
    }
    Ok(())
}

/// Whether the address that an option names is this host's. The server starts only if it can listen at all that it leads to.
pub(crate) fn is_of_host(settings: &Settings, option: &'static str) -> Result<(), Error> {
    let Some(host) = settings.text(option).filter(|host| !host.is_empty()) else { return Ok(()) };
    let fail = |problem: String| Err(Error::Option { option, problem: format!("{problem}; correct it or leave the option out") });
    let addresses = addresses(host);
    if addresses.is_empty() {
        return fail(format!("is '{host}', which has no address"));
    }
    for address in addresses {
        if let Err(source) = TcpListener::bind((address, 0)) {
            return fail(format!("is '{host}', and this host cannot listen at {address}: {source}"));
        }
    }
    Ok(())
}

fn listen(addresses: Option<Vec<IpAddr>>, port: u16) -> io::Result<TcpListener> {
    match addresses {
        Some(addresses) => {
            let sockets: Vec<SocketAddr> = addresses.into_iter().map(|address| (address, port).into()).collect();
            TcpListener::bind(sockets.as_slice())
        }
        None => TcpListener::bind(("::", port)).or_else(|error| match error.kind() {
            // A host without IPv6.
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
            _ => TcpListener::bind(("0.0.0.0", port)),
        }),
    }
}

fn folders(installation: &Installation, plan: &Plan) -> Result<(), Error> {
    let paths = &plan.paths;
    let length = paths.ldapi.as_os_str().len();
    if length > LONGEST_SOCKET {
        let problem =
            format!("has {length} bytes; the system allows {LONGEST_SOCKET} in the path of a socket; choose a shorter one");
        return Err(Error::Option { option: "ldapi", problem });
    }
    let home = installation.home(&plan.name);
    let is_elsewhere = paths.config_dir != home && fs::canonicalize(&home).ok() != fs::canonicalize(&paths.config_dir).ok();
    if is_elsewhere && fs::symlink_metadata(&home).is_ok() {
        let problem = format!(
            "is {}, but {} is there and would be taken for the instance's configuration; remove it or leave the option out",
            paths.config_dir.display(),
            home.display()
        );
        return Err(Error::Option { option: "config_dir", problem });
    }
    match fs::read_dir(&paths.db_dir).map(|mut entries| entries.next().is_none()) {
        Ok(false) => return Err(Error::Occupied { path: paths.db_dir.clone() }),
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(Error::File { step: "read", path: paths.db_dir.clone(), source });
        }
        _ => {}
    }
    let shared = [paths.ldapi.parent(), paths.pid_file.parent()];
    let own: BTreeSet<&Path> = paths.own().into_iter().chain([paths.run_dir.as_path(), &paths.tmp_dir]).collect();
    own.iter().try_for_each(|folder| writable(folder, &plan.owner, true))?;
    own.iter().try_for_each(|folder| roomy(folder))?;
    shared.into_iter().flatten().try_for_each(|folder| writable(folder, &plan.owner, false))
}

/// Whether there is room where a folder is or will be. Programs that run out of it say all kinds of things.
fn roomy(folder: &Path) -> Result<(), Error> {
    let found = folder.ancestors().find_map(|folder| Some((folder, rustix::fs::statvfs(folder).ok()?)));
    match found.map(|(found, disk)| (found, disk.f_bavail.saturating_mul(disk.f_frsize))) {
        Some((found, free)) if free < ROOM => Err(Error::Full { path: found.to_owned(), free, needed: ROOM }),
        _ => Ok(()),
    }
}

/// Whether the server may write to a folder, or, if it is missing, this process may make it. Root makes any and hands it over,
/// and opens sockets before the server gives up root's rights.
fn writable(folder: &Path, owner: &Owner, is_servers: bool) -> Result<(), Error> {
    let found = folder.ancestors().find_map(|folder| Some((folder, fs::metadata(folder).ok()?)));
    let Some((found, metadata)) = found else { return Ok(()) };
    let is_roots = is_root() && !(is_servers && found == folder);
    if metadata.is_dir() && (is_roots || owner.may(Right::Write, found, &metadata)) {
        return Ok(());
    }
    Err(Error::NotWritable { path: found.to_owned(), user: owner.user.clone() })
}

#[cfg(test)]
mod tests {
    use directory::{options::Scope, secret::Secret, setting::Setting};

    use super::*;
    use crate::installation::tests::{installed, prefix};

    fn settings(port: i64) -> Settings {
        let mut settings = Settings::new();
        let mut set = |name, setting| settings.insert(Scope::Instance.option(name).unwrap(), setting);
        set("user", Setting::Text("root".into()));
        set("group", Setting::Text("root".into()));
        set("rootpw", Setting::Secret(Secret::new("password")));
        set("port", Setting::Number(port));
        set("secure_port", Setting::Number(0));
        settings
    }

    fn with(name: &str, setting: Setting) -> Settings {
        let mut settings = settings(0);
        settings.insert(Scope::Instance.option(name).unwrap(), setting);
        settings
    }

    #[test]
    fn what_would_fail_is_found_before() {
        if !is_root() {
            return;
        }
        let prefix = prefix("2.3.1");
        let found = installed(&prefix);
        let error = |settings: &Settings| super::super::foresee(&found, "a", settings, true).unwrap_err();
        let text = |text: &str| Setting::Text(text.to_owned());
        assert!(check(&found, "a", &settings(0)).is_ok());
        assert!(matches!(check(&found, "a/b", &settings(0)), Err(Error::Name { .. })));
        assert!(matches!(error(&Settings::new()), Error::Option { option: "rootpw", .. }));
        assert!(matches!(error(&with("user", text("no-such-user"))), Error::Account { kind: "user", .. }));
        assert!(matches!(error(&with("full_machine_name", text("a,b"))), Error::Option { option: "full_machine_name", .. }));
        let mut strict = with("full_machine_name", text("no-such-host.invalid"));
        strict.insert(Scope::Instance.option("strict_host_checking").unwrap(), Setting::Switch(true));
        assert!(matches!(error(&strict), Error::Option { option: "full_machine_name", .. }));
        let long = format!("/{}", "x".repeat(107));
        assert!(matches!(error(&with("ldapi", text(&long))), Error::Option { option: "ldapi", .. }));

        let mut named = settings(65535);
        let option = Scope::Instance.option("nsslapd_listenhost").unwrap();
        named.insert(option, text("no-such-host.invalid"));
        assert!(matches!(error(&named), Error::Option { option: "nsslapd_listenhost", .. }));
        named.insert(option, text("localhost"));
        assert!(super::super::foresee(&found, "a", &named, true).is_ok());

        let taken = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = i64::from(taken.local_addr().unwrap().port());
        assert!(matches!(error(&settings(port)), Error::Port { option: "port", .. }));
        assert!(check(&found, "a", &settings(port)).is_ok(), "others may let it go before");
        drop(taken);
        assert!(super::super::foresee(&found, "a", &settings(port), true).is_ok());

        let db = found.path("db_dir", "a");
        fs::create_dir_all(&db).unwrap();
        assert!(check(&found, "a", &settings(0)).is_ok());
        fs::write(db.join("DBVERSION"), "").unwrap();
        assert!(matches!(error(&settings(0)), Error::Occupied { .. }));
        fs::remove_file(db.join("DBVERSION")).unwrap();

        fs::create_dir_all(found.home("a")).unwrap();
        assert!(matches!(error(&with("config_dir", text("/elsewhere"))), Error::Option { option: "config_dir", .. }));
        fs::write(found.home("a").join("dse.ldif"), "").unwrap();
        assert!(matches!(error(&settings(0)), Error::Exists { .. }));
    }
}
