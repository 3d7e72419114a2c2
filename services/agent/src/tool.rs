//! Programs that are run for what they do, such as certutil: without input, and not in the way of Ctrl-C, which is for whoever
//! runs them and stops when they are done.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

/// Runs a program to its end, and gives what it wrote; if it fails, what it said, on one line.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).process_group(0).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "it is not installed".to_owned(),
        _ => error.to_string(),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    Err(if said.is_empty() { output.status.to_string() } else { said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_what_it_did_or_why_not() {
        let run = |script: &str| run(Command::new("sh").args(["-c", script]));
        assert_eq!(run("echo one; echo two >&2"), Ok("one\n".to_owned()));
        assert_eq!(run("echo one; echo ' two' >&2; echo >&2; echo three >&2; exit 1"), Err("two three".to_owned()));
        assert_eq!(run("exit 3"), Err("exit status: 3".to_owned()));
        assert_eq!(run("read line"), Err("exit status: 1".to_owned()), "there is nothing to read");
        assert_eq!(super::run(&mut Command::new("no-such-program")), Err("it is not installed".to_owned()));
    }
}
