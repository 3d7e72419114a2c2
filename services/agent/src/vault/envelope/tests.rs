//! Vaults that ansible-vault of ansible-core 2.19.14 has written.
#![allow(clippy::unwrap_used)]

use super::*;

const PLAIN: &str = "$ANSIBLE_VAULT;1.1;AES256
61383664303037623531303530373839336338383034613737623861636563393932366139376437
3239656336346566616663616464623862623864666464610a643061343866376465353636613230
37616636626537316564376463303763643535616364303237303164393330393538363833643064
3463656432393731350a313363336630356534623937656265343231356464363339396535623033
6137
";

const WITH_ID: &str = "$ANSIBLE_VAULT;1.2;AES256;prod
          31636531313536663430626331393765346466663336663664396339613733373862343765616535
          3663613139643663373033346439623935363365353661340a643936356263363938613430663935
          61346166626437643831323364373834636636336266353831316333336634383834336661353561
          3033316436383530630a313262623165636631363831383934376439353434643266343732666563
          6131";

fn opened(text: &str, password: &str) -> Result<String, String> {
    let envelope = Envelope::parse(text).map_err(|problem| problem.to_string())?;
    envelope.open(&Secret::new(password)).map_err(|problem| problem.to_string())
}

#[test]
fn what_ansible_vault_has_encrypted_is_opened() {
    let wrong = "is vaulted, and none of the vault passwords opens it";
    for (text, password, expected) in [
        (PLAIN, "geheim", Ok("secret12")),
        (WITH_ID, "zwei", Ok("grüße")),
        (PLAIN, "geheim ", Err(wrong.to_owned())),
        (WITH_ID, "geheim", Err(format!("{wrong} (its vault id is 'prod')"))),
    ] {
        assert_eq!(opened(text, password), expected.map(str::to_owned), "{password}");
    }
}

#[test]
fn what_is_damaged_is_told_and_never_opened() {
    let damaged = |what: &str| Err(format!("is vaulted, but damaged: {what}; encrypt it anew by ansible-vault"));
    let unsupported =
        |head: &str| Err(format!("is vaulted as '{head}', which is not supported: encrypt it anew by ansible-vault"));
    let changed = PLAIN.replace("\n6137", "\n6138");
    let wrong = Err("is vaulted, and none of the vault passwords opens it".to_owned());
    for (text, expected) in [
        ("", damaged("it does not begin with $ANSIBLE_VAULT")),
        ("secret", damaged("it does not begin with $ANSIBLE_VAULT")),
        ("$ANSIBLE_VAULT;1.0;AES\n00", unsupported("$ANSIBLE_VAULT;1.0;AES")),
        ("$ANSIBLE_VAULT;1.1;AES\n00", unsupported("$ANSIBLE_VAULT;1.1;AES")),
        ("$ANSIBLE_VAULT;1.1;AES256", damaged("a part of it is missing")),
        ("$ANSIBLE_VAULT;1.1;AES256\nxy", damaged("there is something else than hexadecimal digits in it")),
        ("$ANSIBLE_VAULT;1.1;AES256\n123", damaged("there is something else than hexadecimal digits in it")),
        ("$ANSIBLE_VAULT;1.1;AES256\nff", damaged("its digits are not those of digits")),
        ("$ANSIBLE_VAULT;1.1;AES256\n30300a30300a3030", damaged("its length is that of no encrypted text")),
        (&changed, wrong),
    ] {
        assert_eq!(opened(text, "geheim"), expected, "{text}");
    }
}
