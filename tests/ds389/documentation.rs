//! The collection's documentation agrees with the table of options: pages of modules, specifications of the role's arguments, the
//! roles' READMEs. Parts between two marks are made here; the rest is written by hand. The real `ansible-doc` shows them.
//!
//! With UPDATE=1 in the environment parts that differ are written anew instead of being complained about.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use directory::{
    codec::Codec,
    options::{Change, Definition, Home, Scope},
};
use serde_json::{Value, json};
use tests::playbook;

const COLLECTION: &str = "deploy/ansible/ansible_collections/aviary/ds389";

/// What stands in the first and in the last line of what is made here.
const BEGIN: &str = "Made of the table of options by tests/ds389/documentation.rs";
const END: &str = "Made of the table of options: end";

#[test]
fn the_page_of_the_module_has_the_options_of_the_table() {
    let mut options = String::new();
    children(&mut options, 2, &[(Scope::Instance, &["ds389_instances", "ds389_server_instances"])]);
    agree("plugins/modules/ds389_server.py", &options);
}

#[test]
fn the_arguments_of_the_role_are_described_by_the_table() {
    let mut options = String::new();
    let names = |scope: Scope| scope.options().iter().map(|option| option.spelling).collect::<Vec<_>>().join(", ");
    writeln!(
        options,
        "      ds389_instances:\n        type: list\n        elements: dict\n        required: false\n        no_log: true"
    )
    .unwrap();
    writeln!(options, "        description:").unwrap();
    let mut say = |text: String| writeln!(options, "          - {}", quoted(&text)).unwrap();
    say("The instances. What each option means is shown by ansible-doc aviary.ds389.ds389_server.".to_owned());
    say(format!("Of an instance: {}, backends.", names(Scope::Instance)));
    say(format!("Of a backend: {}, indexes, agmts.", names(Scope::Backend)));
    say(format!("Of an index: {}.", names(Scope::Index)));
    say(format!("Of an agreement: {}.", names(Scope::Agreement)));
    agree("roles/ds389_server/meta/argument_specs.yml", &options);
}

#[test]
fn the_page_of_the_role_has_the_options_of_the_table() {
    let mut page = String::new();
    for scope in Scope::ALL {
        let of = match scope {
            Scope::Instance => "elements of `ds389_instances`",
            Scope::Backend => "elements of `backends` of an instance",
            Scope::Index => "elements of `indexes` of a backend",
            Scope::Agreement => "elements of `agmts` of a backend, and of `ds389_agmts` besides `target`",
        };
        let mut title = scope.noun().to_owned();
        title[..1].make_ascii_uppercase();
        writeln!(page, "### {title}\n\nOptions of {of}.\n").unwrap();
        writeln!(page, "| Option | Value | Default | What it is |\n|---|---|---|---|").unwrap();
        for option in scope.options() {
            let aliases: String = option.aliases.iter().map(|alias| format!(" or `{alias}`")).collect();
            let default = option.default.map(|default| format!("`{default}`")).unwrap_or_default();
            let text = sentences(option).join(" ").replace('|', "\\|");
            let value = option.codec.describe().replace('|', "\\|");
            writeln!(page, "| `{}`{aliases} | {value} | {default} | {text} |", option.spelling).unwrap();
        }
        page.push('\n');
    }
    agree("roles/ds389_server/README.md", page.trim_end_matches('\n'));
}

#[test]
fn ansible_doc_shows_modules_and_roles() {
    let page = shown(&["aviary.ds389.ds389_server"]);
    let doc = &page["aviary.ds389.ds389_server"]["doc"];
    let instance = &doc["options"]["ds389_instances"]["suboptions"];
    assert_eq!(instance["port"]["type"], "int");
    assert_eq!(instance["port"]["default"], 389);
    assert_eq!(instance["backends"]["suboptions"]["suffix"]["required"], true);
    let backend = &instance["backends"]["suboptions"];
    assert_eq!(backend["indexes"]["suboptions"]["IndexType"]["elements"], "str");
    assert_eq!(backend["agmts"]["suboptions"]["ReplicaHost"]["required"], true);
    assert_eq!(instance.as_object().unwrap().len(), Scope::Instance.options().len() + 1, "and the backends");
    for key in ["changed", "msg", "cooked_message", "debug", "module_args", "stderr"] {
        assert!(page["aviary.ds389.ds389_server"]["return"][key]["returned"].is_string(), "{key}");
    }
    let page = shown(&["aviary.ds389.ds389_info"]);
    assert!(page["aviary.ds389.ds389_info"]["return"]["ansible_facts"].is_object(), "{page}");
    for role in ["ds389_server", "ds389_info"] {
        let page = shown(&["--type", "role", &format!("aviary.ds389.{role}")]);
        let entry = &page[format!("aviary.ds389.{role}")]["entry_points"]["main"];
        assert!(entry["options"]["ds389_prefix"].is_object(), "{page}");
    }
}

/// What the real program says of a plugin.
fn shown(arguments: &[&str]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(playbook::program("ansible-doc"))
        .arg("--json")
        .args(arguments)
        .env("HOME", home.path())
        .env("ANSIBLE_COLLECTIONS_PATH", root().join("deploy/ansible"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Keys that hold a list of objects, as a page of a module has them.
fn children(page: &mut String, indent: usize, keys: &[(Scope, &[&str])]) {
    for (scope, names) in keys {
        let pad = " ".repeat(indent);
        writeln!(page, "{pad}{}:", names[0]).unwrap();
        writeln!(page, "{pad}  description: {}", quoted(&format!("The {}.", plural(*scope)))).unwrap();
        writeln!(page, "{pad}  type: list\n{pad}  elements: dict").unwrap();
        if names.len() > 1 {
            writeln!(page, "{pad}  aliases: [{}]", names[1..].join(", ")).unwrap();
        }
        writeln!(page, "{pad}  suboptions:").unwrap();
        for option in scope.options() {
            describe(page, indent + 4, option);
        }
        let below: &[(Scope, &[&str])] = match scope {
            Scope::Instance => &[(Scope::Backend, &["backends"])],
            Scope::Backend => &[(Scope::Index, &["indexes"]), (Scope::Agreement, &["agmts", "agreements"])],
            Scope::Index | Scope::Agreement => &[],
        };
        children(page, indent + 4, below);
    }
}

fn plural(scope: Scope) -> &'static str {
    match scope {
        Scope::Instance => "instances of the host",
        Scope::Backend => "backends of the instance",
        Scope::Index => "indexes of the backend, beside those that every backend has",
        Scope::Agreement => "replication agreements of the backend",
    }
}

fn describe(page: &mut String, indent: usize, option: &Definition) {
    let pad = " ".repeat(indent);
    let (kind, choices) = match option.codec {
        Codec::Number(..) => ("int", None),
        Codec::Switch | Codec::Truth => ("bool", None),
        Codec::Choice(words) => ("str", Some(words.iter().map(|word| word[0]).collect::<Vec<_>>())),
        codec if codec.is_list() => ("list", None),
        _ => ("str", None),
    };
    writeln!(page, "{pad}{}:\n{pad}  description:", option.spelling).unwrap();
    for sentence in sentences(option) {
        writeln!(page, "{pad}    - {}", quoted(&sentence)).unwrap();
    }
    if kind == "str" && choices.is_none() && !matches!(option.codec, Codec::Text | Codec::Name | Codec::Password)
        || kind == "list"
    {
        let mut text = option.codec.describe();
        text[..1].make_ascii_uppercase();
        writeln!(page, "{pad}    - {}", quoted(&format!("{text}."))).unwrap();
    }
    writeln!(page, "{pad}  type: {kind}").unwrap();
    if kind == "list" {
        writeln!(page, "{pad}  elements: str").unwrap();
    }
    if let Some(choices) = choices {
        let choices: Vec<String> = choices.into_iter().map(quoted).collect();
        writeln!(page, "{pad}  choices: [{}]", choices.join(", ")).unwrap();
    }
    if option.required {
        writeln!(page, "{pad}  required: true").unwrap();
    } else if let Some(default) = option.default {
        let default = match kind {
            "int" => default.to_owned(),
            "bool" => matches!(default, "on" | "true").to_string(),
            "list" => json!(default.split_whitespace().collect::<Vec<_>>()).to_string(),
            _ => quoted(default),
        };
        writeln!(page, "{pad}  default: {default}").unwrap();
    }
    if !option.aliases.is_empty() {
        writeln!(page, "{pad}  aliases: [{}]", option.aliases.join(", ")).unwrap();
    }
}

/// What is to be known of an option.
fn sentences(option: &Definition) -> Vec<String> {
    let mut sentences = vec![option.doc.to_owned()];
    match option.change {
        _ if option.home == Home::Creation => sentences.push("It has an effect on creation only.".to_owned()),
        Change::Live => {}
        Change::Restart => sentences.push("The server is restarted when it changes.".to_owned()),
        Change::Never => sentences.push("It cannot be changed afterwards.".to_owned()),
    }
    if let Some(since) = option.since {
        sentences.push(format!("It needs 389 DS {since}."));
    }
    if option.is_secret() {
        sentences.push("It is masked wherever it would be shown.".to_owned());
    }
    sentences
}

/// A text of YAML in quotation marks.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Compares the part of a file that is made here with what it should be, or makes it so.
#[track_caller]
fn agree(file: &str, expected: &str) {
    let path = root().join(COLLECTION).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line_end = |from: usize| from + text[from..].find('\n').unwrap() + 1;
    let begin = line_end(text.find(BEGIN).unwrap_or_else(|| panic!("{file} has no line with '{BEGIN}'")));
    let end = text.find(END).unwrap_or_else(|| panic!("{file} has no line with '{END}'"));
    let end = text[..end].rfind('\n').unwrap() + 1;
    let space = if file.ends_with(".md") { "\n" } else { "" };
    let expected = format!("{space}{}\n{space}", expected.trim_end_matches('\n'));
    if text[begin..end] == expected {
        return;
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{}{expected}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    let line = text[begin..end].lines().zip(expected.lines()).position(|(is, should)| is != should);
    panic!("{file} differs at line {line:?} of its part: UPDATE=1 cargo test --release -p tests --test ds389 documentation::");
}

/// Those of its tests that need nothing from the network. The others were run by hand: `ansible-test sanity --requirements`.
#[test]
fn ansible_test_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let collection = folder.path().join("ansible_collections/aviary");
    fs::create_dir_all(&collection).unwrap();
    assert!(Command::new("cp").arg("-r").arg(root().join(COLLECTION)).arg(&collection).status().unwrap().success());
    let asked =
        Command::new(playbook::program("python")).args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).output();
    let version = String::from_utf8(asked.unwrap().stdout).unwrap().trim().to_owned();
    let mut command = Command::new(playbook::program("ansible-test"));
    command
        .args(["sanity", "--color", "no", "--python", &version])
        .current_dir(collection.join("ds389"))
        .env("HOME", folder.path());
    for test in [
        "action-plugin-docs",
        "compile",
        "empty-init",
        "ignores",
        "line-endings",
        "no-assert",
        "no-get-exception",
        "no-illegal-filenames",
        "no-smart-quotes",
        "replace-urlopen",
        "shebang",
        "symlinks",
        "use-argspec-type-path",
        "use-compat-six",
    ] {
        command.args(["--test", test]);
    }
    // It finds Python where it is itself.
    let programs = playbook::program("ansible-test").parent().unwrap().display().to_string();
    let output = command.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap())).output().unwrap();
    let text = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned()).concat();
    assert!(output.status.success() && !text.contains("ERROR"), "{text}");
}
