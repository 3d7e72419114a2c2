//! What of a host's variables is opened, and with which passwords.
#![allow(clippy::unwrap_used)]

use std::{fs, process::Command};

use directory::{secret::Secret, yaml};

use super::*;

const PLAIN: &str = "!vault |
  $ANSIBLE_VAULT;1.1;AES256
  61383664303037623531303530373839336338383034613737623861636563393932366139376437
  3239656336346566616663616464623862623864666464610a643061343866376465353636613230
  37616636626537316564376463303763643535616364303237303164393330393538363833643064
  3463656432393731350a313363336630356534623937656265343231356464363339396535623033
  6137
";

fn passwords(texts: &[&str]) -> Passwords {
    let mut passwords = Passwords::new();
    for text in texts {
        passwords.add(None, Secret::new(*text));
    }
    passwords
}

#[test]
fn only_what_is_ours_is_opened() {
    let text = format!("ds389_prefix: {PLAIN}\nother: {PLAIN}\n");
    let mut node = yaml::parse(&text).unwrap();
    decrypt(&mut node, &passwords(&["nothing", "geheim"])).unwrap();
    let map = node.as_map().unwrap();
    assert_eq!(map.get("ds389_prefix"), Some(&Node::text("secret12")));
    assert!(matches!(map.get("other").unwrap().value, Value::Vault(_)));
}

#[test]
fn what_cannot_be_opened_is_told_by_its_name_and_place() {
    let indented = PLAIN.replace('\n', "\n    ");
    let text = format!("ds389_instances:\n- name: i\n  rootpw: {indented}\n- name: k\n  rootpw: {indented}\n");
    let check = |texts: &[&str], expected: [&str; 2]| {
        let mut node = yaml::parse(&text).unwrap();
        let problems = decrypt(&mut node, &passwords(texts)).unwrap_err();
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    };
    check(
        &[],
        [
            "line 3, column 11: ds389_instances[0].rootpw is vaulted: say in which file its password is by --vault-password-file",
            "line 12, column 11: ds389_instances[1].rootpw is vaulted: say in which file its password is by --vault-password-file",
        ],
    );
    check(
        &["wrong"],
        [
            "line 3, column 11: ds389_instances[0].rootpw is vaulted, and none of the vault passwords opens it",
            "line 12, column 11: ds389_instances[1].rootpw is vaulted, and none of the vault passwords opens it",
        ],
    );
}

#[test]
fn passwords_come_from_files_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: &str| {
        let (path, draft) = (folder.path().join(name), folder.path().join("draft"));
        fs::write(&draft, text).unwrap();
        // A file that this process wrote itself could not be run while another test starts a program.
        let copied = Command::new("install").args(["-m", mode]).args([&draft, &path]).status().unwrap();
        assert!(copied.success());
        path.to_str().unwrap().to_owned()
    };
    let envelope = Envelope::parse(&PLAIN.replace("!vault |\n", "")).unwrap();
    let plain = file("plain", "  geheim \n\n", "600");
    let program = file("program", "#!/bin/sh\necho geheim\n", "700");
    let client = file("ask-client", "#!/bin/sh\n[ \"$*\" = '--vault-id prod' ] && echo geheim\n", "700");
    for place in [plain.clone(), format!("any@{plain}"), program, format!("prod@{client}")] {
        assert_eq!(Passwords::read([place.as_str()]).unwrap().open(&envelope), Ok("secret12".to_owned()), "{place}");
    }
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let fails = file("fails", "#!/bin/sh\nexit 3\n", "700");
    for (place, expected) in [
        (missing.clone(), format!("failed to read the vault password file {missing}: No such file or directory (os error 2)")),
        (file("empty", "\n", "600"), format!("the vault password file {}/empty has no password", folder.path().display())),
        (fails.clone(), format!("the vault password program {fails} failed: exit status: 3")),
        (folder.path().to_str().unwrap().to_owned(), format!("the vault password file {} is a folder", folder.path().display())),
    ] {
        assert_eq!(Passwords::read([place.as_str()]).unwrap_err().to_string(), expected);
    }
}
