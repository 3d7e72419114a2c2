//! The page docs/directories.md says what the command does: each option and exit code has its line, and its examples are run.

use std::collections::BTreeSet;

use super::{Machine, ports, run};

fn page() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join("docs/directories.md")).unwrap()
}

const SUBCOMMANDS: [&str; 10] =
    ["validate", "plan", "apply", "facts", "status", "backup", "restore", "export", "import", "resources"];

#[test]
fn every_option_of_every_subcommand_is_documented() {
    let page = page();
    let mut flags = BTreeSet::new();
    for subcommand in SUBCOMMANDS {
        let help = run(&[subcommand, "--help"], "");
        assert_eq!(help.code, 0);
        let words = help.out.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        flags.extend(words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned));
        assert!(page.contains(&format!("`{subcommand}")) || page.contains(&format!("ds389 {subcommand}")), "{subcommand}");
    }
    assert!(flags.contains("--vault-password-file") && flags.contains("--replica-state"), "{flags:?}");
    // Said of another program.
    flags.remove("--list");
    let missing: Vec<&String> = flags.iter().filter(|flag| !page.contains(&format!("`{flag}`"))).collect();
    assert!(missing.is_empty(), "docs/directories.md lacks {missing:?}");
}

/// The blocks of a section that are of a kind.
fn blocks<'a>(section: &'a str, kind: &str) -> Vec<&'a str> {
    section.split(&format!("```{kind}\n")).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Without seconds, which differ.
fn timeless(text: &str) -> String {
    let line = |line: &str| match line.strip_suffix(" s)").and_then(|line| line.rsplit_once(" (")) {
        Some((line, _)) => line.to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_directory_is_made_as_the_page_says() {
    let machine = Machine::new();
    let (port, secure_port) = ports();
    let own = |text: &str| text.replace("3389", &port.to_string()).replace("6636", &secure_port.to_string());
    let page = page();
    let section = page.split("## A directory in five minutes").nth(1).unwrap().split("\n## ").next().unwrap();
    let [yaml] = blocks(section, "yaml")[..] else { panic!("one file") };
    // Servers share semaphores by their names.
    let named = |text: &str| own(text).replace("slapd-example", "slapd-docs").replace("instance example", "instance docs");
    let yaml = own(yaml).replace("name: example", "name: docs");
    machine.file("directory.yml", &yaml);
    let mut count = 0;
    for block in blocks(section, "console") {
        for example in block.split("$ aviary ds389 ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            if expected.contains("500") {
                machine.file("directory.yml", &yaml.replace("  port:", "  nsslapd_sizelimit: 500\n  port:"));
            }
            let file = machine.folder().join("directory.yml");
            let arguments: Vec<String> = command
                .split(' ')
                .map(|word| if word == "directory.yml" { file.display().to_string() } else { word.to_owned() })
                .collect();
            let found = machine.works(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let expected = timeless(named(expected).trim_end());
            match expected.strip_prefix("...\n") {
                Some(end) => assert!(timeless(&found).ends_with(end), "{command}\n{found}\nshould end with\n{end}"),
                None => assert_eq!(timeless(found.trim_end()), expected, "{command}"),
            }
            count += 1;
        }
    }
    assert_eq!(count, 5);
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[test]
fn resources_are_printed_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.json");
    let page = page();
    let section = page.split("## From a playbook to the cluster").nth(1).unwrap().split("\n## ").next().unwrap();
    let [inventory] = blocks(section, "json")[..] else { panic!("one file") };
    std::fs::write(&file, inventory).unwrap();
    let (command, expected) = blocks(section, "console")[0].split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ aviary ds389 ").unwrap().replace("inventory.json", file.to_str().unwrap());
    let found = run(&arguments.split(' ').collect::<Vec<_>>(), "");
    assert_eq!((found.code, found.out.as_str()), (0, expected), "{}", found.err);
}
