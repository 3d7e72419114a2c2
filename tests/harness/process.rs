//! A child process whose output is read line by line and which never outlives its guard.
//!
//! What the lines mean is for `ara` and `aviary` to know.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KEPT_LINES: usize = 200;

/// Runs a command to its end, with something on its standard input.
pub fn feed(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("failed to start {}: {error}", command.get_program().display()));
    // One that does not read it has ended already, and says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Ends the process when dropped: first by closing its standard input, then by force.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Mutex<Receiver<String>>,
    /// The last lines of both outputs, for messages of failures.
    tail: Arc<Mutex<VecDeque<String>>>,
    grace: Duration,
}

impl Process {
    /// `grace` is how long the process may take to end by itself once its standard input is closed.
    pub fn start(mut command: Command, grace: Duration) -> Process {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {}: {error}", command.get_program().display()));
        let (sender, lines) = mpsc::channel();
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let outputs: [Box<dyn Read + Send>; 2] = [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let (sender, tail) = (sender.clone(), Arc::clone(&tail));
            std::thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    let mut tail = tail.lock().unwrap();
                    tail.push_back(line.clone());
                    if tail.len() > KEPT_LINES {
                        tail.pop_front();
                    }
                    drop(tail);
                    // Nobody listens any more once the server has told its address.
                    let _ = sender.send(line);
                }
            });
        }
        let stdin = child.stdin.take();
        Process { child, stdin, lines: Mutex::new(lines), tail, grace }
    }

    /// The first line of output in which `find` finds what it looks for.
    pub fn wait_for<T>(&self, what: &str, deadline: Duration, find: impl Fn(&str) -> Option<T>) -> T {
        self.try_wait_for(what, deadline, find).unwrap_or_else(|problem| panic!("{problem}; output:\n{}", self.output()))
    }

    /// The same of one that may end before.
    pub fn try_wait_for<T>(&self, what: &str, deadline: Duration, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let end = Instant::now() + deadline;
        let lines = self.lines.lock().unwrap();
        loop {
            match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = find(&line) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(format!("no {what} within {deadline:?}")),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("ended without {what}")),
            }
        }
    }

    /// Writes a line to its standard input.
    pub fn tell(&mut self, line: &str) {
        let told = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{line}"));
        assert!(matches!(told, Some(Ok(()))), "it reads no more; output:\n{}", self.output());
    }

    /// The last lines that the process wrote.
    pub fn output(&self) -> String {
        self.tail.lock().unwrap().iter().cloned().collect::<Vec<_>>().join("\n")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let end = Instant::now() + self.grace;
        while Instant::now() < end {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        self.kill();
    }
}
