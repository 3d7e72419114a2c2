//! A host with servers of its own: an installation in a temporary folder, what is asked of it, and what it then is.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use agent::{
    host::{Event, Host},
    ldap::{self, Connection},
};
use directory::{
    action::Action,
    fleet::{Fleet, Member},
    layout,
    place::Problems,
    replication::{Agreement, Replica},
    specification::Specification,
    targets, topology,
    variables::Variables,
    yaml,
};
use rustix::process::{Pid, Signal, kill_process};
pub(crate) use tests::certificates::Authority;
use tests::installation::{Prefix, ports};

/// How long anything that comes by itself may take. Suppliers wait longer and longer for consumers that were away.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) struct Machine {
    pub(crate) prefix: Prefix,
    pub(crate) host: Host,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let prefix = Prefix::new();
        let host = Host::find(Some(prefix.path())).unwrap();
        Self { prefix, host }
    }

    pub(crate) async fn plan(&self, text: &str) -> Result<Vec<Action>, Problems> {
        self.host.plan(&wanted(text)).await.unwrap()
    }

    /// Applies, and gives the messages of what was done.
    pub(crate) async fn apply(&self, text: &str) -> Vec<String> {
        self.meet(&wanted(text)).await
    }

    /// Makes the host what it should be. What was planned is what is done, planning changes nothing, and a second run has nothing
    /// to do.
    pub(crate) async fn meet(&self, wanted: &Specification) -> Vec<String> {
        let (mut before, mut tries) = (self.configurations(), 3);
        let actions = loop {
            let actions = self.host.plan(wanted).await.unwrap().unwrap_or_else(|problems| panic!("{problems}"));
            let after = self.configurations();
            // A server writes its file by itself too, now and then.
            if after == before || tries == 0 {
                assert_eq!(after, before, "planning changes nothing");
                break actions;
            }
            (before, tries) = (after, tries - 1);
        };
        let planned: Vec<String> = actions.iter().flat_map(Action::messages).collect();
        let mut done = Vec::new();
        let mut progress = |event: Event<'_>| match event {
            Event::Done(action) => done.extend(action.messages()),
            Event::Says(action, text) => println!("{}: {text}", action.messages().join(", ")),
            Event::Begins(_) | Event::Failed(..) => {}
        };
        self.host.carry_out(&actions, &mut progress).await.unwrap_or_else(|error| panic!("{error}\n{}", self.logs()));
        assert_eq!(done, planned);
        let again = self.host.plan(wanted).await.unwrap().unwrap();
        let again: Vec<String> = again.iter().flat_map(Action::messages).collect();
        assert_eq!(again, [""; 0], "a second run has nothing to do");
        done
    }

    /// Whether its servers have LMDB.
    pub(crate) async fn has_lmdb(&self) -> bool {
        let found = self.host.observe().await.unwrap();
        found.instances.iter().all(|instance| instance.settings.text("db_lib") == Some("mdb"))
    }

    /// What an apply says that fails.
    pub(crate) async fn fails(&self, text: &str) -> String {
        let actions = self.plan(text).await.unwrap();
        self.host.carry_out(&actions, &mut |_| {}).await.unwrap_err().to_string()
    }

    /// The last lines that the servers have logged.
    pub(crate) fn logs(&self) -> String {
        let folders = fs::read_dir(Path::new(self.prefix.path()).join("var/log/dirsrv")).unwrap();
        let logs = folders.map(|folder| folder.unwrap().path().join("errors")).filter_map(|path| fs::read_to_string(path).ok());
        let last = |log: String| log.lines().rev().take(40).map(str::to_owned).collect::<Vec<_>>().into_iter().rev();
        logs.flat_map(last).collect::<Vec<_>>().join("\n")
    }

    pub(crate) async fn connect(&self, instance: &str) -> Connection {
        Connection::open(self.socket(instance).as_ref()).await.unwrap()
    }

    pub(crate) async fn try_connect(&self, instance: &str) -> bool {
        Connection::open(self.socket(instance).as_ref()).await.is_ok()
    }

    /// Starts a server as somebody else would, by any name of the folder with its configuration.
    pub(crate) fn start_by_hand(&self, instance: &str, folder: &Path) {
        let pid_file = format!("{}/run/dirsrv/slapd-{instance}.pid", self.prefix.path());
        let own = Path::new(self.prefix.path()).join("sbin/ns-slapd");
        let mut command = Command::new(if own.exists() { own.as_path() } else { Path::new("/usr/sbin/ns-slapd") });
        let status = command.arg("-D").arg(folder).args(["-i", &pid_file]).status().unwrap();
        assert!(status.success(), "{}", self.logs());
    }

    pub(crate) fn socket(&self, instance: &str) -> String {
        format!("{}/run/slapd-{instance}.socket", self.prefix.path())
    }

    /// A file or folder of an instance's configuration.
    pub(crate) fn home(&self, instance: &str) -> std::path::PathBuf {
        Path::new(self.prefix.path()).join(format!("etc/dirsrv/slapd-{instance}"))
    }

    /// The configuration files of all instances, by name, without what servers write there by themselves.
    pub(crate) fn configurations(&self) -> BTreeMap<String, String> {
        let folder = Path::new(self.prefix.path()).join("etc/dirsrv");
        let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let read = |name: String| {
            // While a server writes the file anew there is none for a moment.
            let file = || fs::read_to_string(folder.join(&name).join("dse.ldif")).ok();
            let text = (0..1000).find_map(|_| file())?;
            let is_theirs = |line: &&str| line.starts_with("nsState:") || line.starts_with("modifyTimestamp:");
            Some((name, text.lines().filter(|line| !is_theirs(line)).collect::<Vec<_>>().join("\n")))
        };
        names.filter(|name| name.starts_with("slapd-")).filter_map(read).collect()
    }

    /// What ldapsearch finds as the administrator: the names of entries.
    pub(crate) fn search(&self, instance: &str, base: &str, filter: &str) -> Result<Vec<String>, String> {
        let url = format!("ldapi://{}", self.socket(instance).replace('/', "%2F"));
        self.run("ldapsearch", &["-LLL", "-o", "ldif_wrap=no", "-Q", "-Y", "EXTERNAL", "-H", &url, "-b", base, filter, "1.1"])
            .map(|text| text.lines().filter_map(|line| line.strip_prefix("dn: ")).map(str::to_owned).collect())
    }

    /// Has the server write down at once what it is asked.
    pub(crate) async fn log_searches(&self, instance: &str) {
        let values = [("nsslapd-accesslog-logbuffering", vec!["off".to_owned()])];
        self.connect(instance).await.replace(&layout::config(), &values, &[]).await.unwrap();
    }

    /// Whether the server takes indexes for a search, as its log says, which it writes after the answer.
    pub(crate) async fn is_indexed(&self, instance: &str, base: &str, filter: &str) -> bool {
        let path = format!("{}/var/log/dirsrv/slapd-{instance}/access", self.prefix.path());
        let before = fs::read_to_string(&path).unwrap().len();
        self.search(instance, base, filter).unwrap();
        let result = || async {
            let log = fs::read_to_string(&path).unwrap();
            let new = log.get(before..)?;
            let asked = new.lines().find(|line| line.contains(&format!("filter=\"{filter}\"")))?;
            let operation = asked.split(" SRCH ").next()?.split("] ").nth(1)?;
            new.lines().find(|line| line.contains(&format!("] {operation} RESULT"))).map(str::to_owned)
        };
        let result = until(result, Option::is_some).await.unwrap();
        !result.contains(" notes=U") && !result.contains(" notes=A")
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(program).args(arguments).output().unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Adds an entry as the administrator.
    pub(crate) async fn add(&self, instance: &str, dn: &str, attributes: &[(&str, &[&str])]) {
        self.try_add(instance, dn, attributes).await.unwrap();
    }

    pub(crate) async fn try_add(&self, instance: &str, dn: &str, attributes: &[(&str, &[&str])]) -> Result<(), ldap::Error> {
        let mut entry = directory::entry::Entry::new(dn.parse().unwrap());
        for (attribute, values) in attributes {
            entry = entry.with(attribute, values);
        }
        self.connect(instance).await.add(&entry, &[]).await
    }

    pub(crate) async fn has(&self, instance: &str, dn: &str) -> bool {
        self.connect(instance).await.entry(&dn.parse().unwrap(), &["1.1"]).await.unwrap().is_some()
    }

    /// Gives an instance that does not run a certificate for a name, and an authority to believe.
    pub(crate) fn certify(&self, instance: &str, authority: &Authority, name: &str) {
        let home = self.home(instance);
        let identity = authority.vouch(name, instance);
        let (bundle, folder) = (home.join("import.p12"), home.display().to_string());
        let path = |path: &Path| path.display().to_string();
        let password = home.join("pwdfile.txt");
        for (program, arguments) in [
            ("certutil", vec!["-A", "-d", &folder, "-n", "authority", "-t", "CT,,", "-a", "-i", &path(&authority.certificate())]),
            (
                "openssl",
                vec![
                    "pkcs12",
                    "-export",
                    "-name",
                    "Server-Cert",
                    "-passout",
                    "pass:x",
                    "-inkey",
                    &path(&identity.key),
                    "-in",
                    &path(&identity.certificate),
                    "-out",
                    &path(&bundle),
                ],
            ),
            ("pk12util", vec!["-i", &path(&bundle), "-d", &folder, "-W", "x", "-k", &path(&password)]),
        ] {
            let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            if program == "certutil" {
                arguments.extend(["-f".to_owned(), path(&password)]);
            }
            self.run(program, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        }
        fs::remove_file(bundle).unwrap();
    }

    /// The process of an instance.
    pub(crate) fn process(&self, instance: &str) -> i32 {
        let file = format!("{}/run/dirsrv/slapd-{instance}.pid", self.prefix.path());
        fs::read_to_string(file).unwrap().trim().parse().unwrap()
    }

    /// Kills a server as nothing should, and waits until it is gone. One that is about to start has not written its number yet,
    /// and may be two processes.
    pub(crate) fn kill(&self, instance: &str) {
        loop {
            let running = servers(&self.prefix, instance);
            if running.is_empty() {
                return;
            }
            for id in running {
                // It may be gone by itself.
                let _ = kill_process(Pid::from_raw(id).unwrap(), Signal::KILL);
            }
            std::thread::yield_now();
        }
    }

    /// The one replica of an instance.
    pub(crate) async fn replica(&self, instance: &str) -> Replica {
        let mut found = self.host.replication().await.unwrap().replicas;
        found.retain(|replica| replica.instance == instance);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The agreement of an instance's one replica whose name ends so.
    pub(crate) async fn agreement(&self, instance: &str, name: &str) -> Agreement {
        let agreements = self.replica(instance).await.agreements;
        let names: Vec<String> = agreements.iter().map(|agreement| agreement.name.clone()).collect();
        agreements.into_iter().find(|agreement| agreement.name.ends_with(name)).unwrap_or_else(|| panic!("{names:?}"))
    }
}

/// The processes of an instance, also those that have not come far yet.
pub(crate) fn servers(prefix: &Prefix, instance: &str) -> Vec<i32> {
    let folder = format!("{}/etc/dirsrv/slapd-{instance}", prefix.path());
    let is_server = |command: &[u8]| command.split(|byte| *byte == 0).any(|argument| argument == folder.as_bytes());
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    numbers.filter(|id| is_server(&fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default())).collect()
}

/// Halts processes, of which there may be more meanwhile, and waits until they are: a signal that is sent after SIGSTOP may be
/// taken before it.
pub(crate) fn halt(processes: impl Fn() -> Vec<i32>) {
    let state = |id: &i32| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let are_halted = |all: &[i32]| all.iter().all(|id| state(id).contains(") T "));
    let since = Instant::now();
    loop {
        let all = processes();
        // None of those that stand still begins another.
        if !all.is_empty() && are_halted(&all) && processes() == all {
            return;
        }
        for id in &all {
            // It may have ended meanwhile.
            let _ = kill_process(Pid::from_raw(*id).unwrap(), Signal::STOP);
        }
        assert!(since.elapsed() < LIMIT, "still {:?}", all.iter().map(state).collect::<Vec<_>>());
        std::thread::yield_now();
    }
}

/// Waits until something is so.
pub(crate) async fn until<T: Debug, F: Future<Output = T>>(look: impl FnMut() -> F, is_so: impl Fn(&T) -> bool) -> T {
    until_within(LIMIT, look, is_so).await
}

/// The same of what may take longer.
pub(crate) async fn until_within<T: Debug, F: Future<Output = T>>(
    limit: Duration,
    mut look: impl FnMut() -> F,
    is_so: impl Fn(&T) -> bool,
) -> T {
    let since = Instant::now();
    loop {
        let seen = look().await;
        if is_so(&seen) {
            return seen;
        }
        assert!(since.elapsed() < limit, "still {seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn wanted(text: &str) -> Specification {
    Specification::read(&Variables::read(&yaml::parse(text).unwrap()).unwrap()).unwrap()
}

/// What each of these hosts should have, with their agreements by target resolved. All are reached as this machine.
pub(crate) fn fleet(hosts: &[(&str, String)]) -> Vec<Specification> {
    let address = Some("localhost".to_owned());
    let member = |text: &String| Member { address: address.clone(), specification: wanted(text) };
    let fleet: Fleet = hosts.iter().map(|(name, text)| ((*name).to_owned(), member(text))).collect();
    let problems = topology::check(&fleet);
    assert!(problems.is_empty(), "{problems}");
    hosts.iter().map(|(name, _)| targets::resolve(&fleet, name).unwrap()).collect()
}

/// An instance with ports of its own. Its name is that of no other test, for servers share semaphores by it.
pub(crate) fn instance(name: &str, more: &str) -> String {
    format!("ds389_instances: [{}]", element(name, more))
}

/// One with a certificate that it signs itself, and TLS.
pub(crate) fn secure_instance(name: &str) -> String {
    instance(name, "").replace("self_sign_cert: no", "self_sign_cert: yes")
}

/// The same as an element of a list.
pub(crate) fn element(name: &str, more: &str) -> String {
    let (port, secure_port) = ports();
    // Every test can be had for either kind of database.
    let kind = std::env::var("DS389_DB_LIB").map(|kind| format!(", db_lib: {kind}")).unwrap_or_default();
    format!("{{name: {name}, rootpw: secret12, self_sign_cert: no, port: {port}, secure_port: {secure_port}{kind}{more}}}")
}
