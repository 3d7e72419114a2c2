//! The module that Ansible runs on a host: arguments in, one object out, as the collection documents it. What the servers
//! should be is for `directory` to understand, and for `host` to see to.

mod answer;
mod difference;
mod log;
mod request;

use std::collections::BTreeMap;

use directory::{
    action::{Action, Step},
    facts,
    intent::Intent,
    json,
    mask::Mask,
    observed::{self, Unfinished},
    setting::Secrets,
    specification::Specification,
    value::{Map, Node, Value},
};

pub use self::answer::Answer;
use self::{
    answer::{Failure, Outcome},
    log::{Level, Log},
    request::{Request, Subject},
};
use crate::{
    host::{self, Event, Host},
    unmanaged,
};

/// Does what the arguments ask for, and answers what has to be told of it.
pub async fn run(input: &str) -> Answer {
    let (mut outcome, mut mask) = (Outcome::default(), Mask::new());
    let done = match json::parse(input) {
        Err(error) => Err(Failure { step: "read the arguments", message: format!("the arguments are not JSON: {error}") }),
        Ok(received) => {
            mask.learn(&received);
            let request = Request::read(&received);
            outcome.received = Some(received);
            match request {
                Err(error) => Err(Failure { step: "read the arguments", message: error.to_string() }),
                Ok(request) => carry_out(request, &mut outcome).await,
            }
        }
    };
    if let Err(failure) = done {
        outcome.log.add(Level::Error, &failure.message);
        outcome.failure = Some(failure);
    }
    outcome.answer(&mask)
}

async fn carry_out(request: Request, outcome: &mut Outcome) -> Result<(), Failure> {
    outcome.verbosity = request.verbosity;
    outcome.original = Some(request.original.clone());
    match &request.subject {
        Subject::Servers { host, variables, numbers } => {
            let mut wanted = wanted(host, variables)?;
            wanted.numbers.extend_from_slice(numbers);
            outcome.cooked = Some(wanted.write(Secrets::Masked));
            servers(&wanted, &request, outcome).await
        }
        Subject::Facts { prefix } => {
            let cooked = prefix.iter().map(|prefix| ("ds389_prefix".to_owned(), Node::text(prefix)));
            outcome.cooked = Some(Node::new(Value::Map(cooked.collect::<Map>())));
            let found = observe(&find(prefix.clone()).await?).await?;
            tell(&found, &mut outcome.log);
            outcome.facts = Some(told(&found, prefix.as_deref()));
            Ok(())
        }
    }
}

/// What the variables of one host say, whose agreements may target the host itself.
fn wanted(host: &str, variables: &Node) -> Result<Specification, Failure> {
    let failed = |problems: directory::place::Problems| Failure { step: "read the arguments", message: problems.to_string() };
    let hosts = BTreeMap::from([(host.to_owned(), variables.clone())]);
    Intent::read_rendered(&hosts).and_then(|intent| intent.specification(host)).map_err(failed)
}

async fn servers(wanted: &Specification, request: &Request, outcome: &mut Outcome) -> Result<(), Failure> {
    let host = find(wanted.prefix.clone()).await?;
    let failed = |step| move |error: String| Failure { step, message: error };
    if request.verbosity > 0 {
        let found = observe(&host).await?;
        tell(&found, &mut outcome.log);
        for name in unmanaged::names(wanted, &found) {
            outcome.log.add(Level::Warning, unmanaged::note(wanted, &name));
        }
    }
    let mut tries = host::TRIES;
    loop {
        tries -= 1;
        match attempt(&host, wanted, request, outcome).await? {
            Err(host::Error::Moved) if tries > 0 => outcome.log.add(Level::Debug, "the servers have changed; planning again"),
            carried_out => return carried_out.map_err(|error| failed("carry the plan out")(error.to_string())),
        }
    }
}

/// Plans, and carries the plan out. The inner error is of that.
async fn attempt(
    host: &Host,
    wanted: &Specification,
    request: &Request,
    outcome: &mut Outcome,
) -> Result<Result<(), host::Error>, Failure> {
    let failed = |step| move |error: String| Failure { step, message: error };
    let planned = host.plan(wanted).await.map_err(|error| failed("observe the servers")(error.to_string()))?;
    let actions = planned.map_err(|problems| failed("plan")(problems.to_string()))?;
    host.foresee(&actions).await.map_err(|error| failed("plan")(error.to_string()))?;
    host.foresee_files(&actions).await.map_err(|error| failed("plan")(error.to_string()))?;
    outcome.log.add(Level::Debug, format!("{} actions are planned", actions.len()));
    for action in actions.iter().filter(|action| action.deletes_data()) {
        // An initialisation says itself what is lost.
        let loss = if matches!(action.step, Step::Initialise { .. }) { "" } else { ": its data goes with it" };
        outcome.log.add(Level::Warning, format!("{}{loss}", action.messages().join(", ")));
    }
    if request.shows_differences {
        outcome.differences = Some(difference::differences(&actions));
    }
    if request.checks {
        outcome.changes = actions.iter().flat_map(Action::messages).collect();
        return Ok(Ok(()));
    }
    let Outcome { changes, log, .. } = outcome;
    let mut progress = |event: Event<'_>| match event {
        Event::Begins(action) => log.add(Level::Debug, format!("begins: {}", action.messages().join(", "))),
        Event::Says(action, text) => log.add(Level::Debug, format!("{}: {text}", action.messages().join(", "))),
        // Why the run failed is told at its end. It goes on after some that fail.
        Event::Failed(action, error) => log.add(Level::Warning, format!("{}: {error}", action.messages().join(", "))),
        Event::Done(action) => {
            let messages = action.messages();
            messages.iter().for_each(|message| log.add(Level::Info, message));
            changes.extend(messages);
        }
    };
    Ok(host.carry_out_plan(wanted, &actions, &|| false, &mut progress).await)
}

async fn find(prefix: Option<String>) -> Result<Host, Failure> {
    Host::locate(prefix).await.map_err(|error| Failure { step: "find 389 Directory Server", message: error.to_string() })
}

async fn observe(host: &Host) -> Result<observed::Host, Failure> {
    host.observe().await.map_err(|error| Failure { step: "observe the servers", message: error.to_string() })
}

/// What is found, in the words of specifications. The name is not that of a variable that says what should be: facts stand
/// before the inventory's variables.
fn told(found: &observed::Host, prefix: Option<&str>) -> Node {
    let mut specification = facts::facts(found);
    specification.prefix = prefix.map(str::to_owned);
    let mut told = match specification.write(Secrets::Masked).value {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    if let Some(version) = found.version {
        told.insert(directory::value::Entry { key: "version".to_owned(), at: None, node: Node::text(version.to_string()) });
    }
    let facts = Node::new(Value::Map(told));
    Node::new(Value::Map([("ds389".to_owned(), facts)].into_iter().collect::<Map>()))
}

/// Says what was found.
fn tell(found: &observed::Host, log: &mut Log) {
    if let Some(version) = found.version {
        log.add(Level::Debug, format!("389 Directory Server {version} is installed"));
    }
    for instance in &found.instances {
        let runs = if instance.is_running { "runs" } else { "does not run" };
        let backends: Vec<&str> = instance.backends.iter().map(|backend| backend.name.as_str()).collect();
        log.add(Level::Debug, format!("instance {} {runs}, with backends [{}]", instance.name, backends.join(", ")));
        for unfinished in &instance.unfinished {
            let text = format!("instance {}: an earlier run was interrupted before {}", instance.name, rest(unfinished));
            log.add(Level::Warning, text);
        }
    }
}

/// What an interrupted run had still to do.
fn rest(unfinished: &Unfinished) -> String {
    match unfinished {
        Unfinished::Restart => "the server was started again".to_owned(),
        Unfinished::Reindex { backend, attribute } => format!("{attribute} of backend {backend} was indexed"),
        Unfinished::Fill { backend } => format!("backend {backend} had its first entries"),
        Unfinished::Initialise { backend, agreement } => format!("the consumer of {agreement} had the data of backend {backend}"),
        Unfinished::Renumber { backend, id } => {
            format!("backend {backend}, which was restored, had another replica id than {id}")
        }
        Unfinished::CleanRuv { backend, id } => format!("all servers had forgotten replica id {id} of backend {backend}"),
    }
}
