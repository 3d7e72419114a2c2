//! The configuration of a new instance: the installed version's template, its keys replaced, and the options that are given.

use std::fs;

use directory::{
    dn::Dn,
    layout, ldif,
    ldif::Record,
    options::Home,
    setting::{Setting, Settings},
};

use super::{Error, checks::Plan, password};
use crate::installation::Installation;

/// The entries of the configuration.
pub(super) fn records(installation: &Installation, plan: &Plan, settings: &Settings) -> Result<Vec<Record>, Error> {
    let path = installation.template();
    let template = |problem: String| Error::Template { path: path.clone(), problem };
    let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    let mut records = ldif::parse(&bytes).map_err(|error| template(error.to_string()))?;
    let keys = keys(installation, plan, settings);
    fill(&mut records, &keys).map_err(|key| Error::Placeholder { path: path.clone(), key })?;

    let mut set = |dn: Dn, attribute: &str, values: Vec<String>| {
        if replace(&mut records, &dn, attribute, values) {
            return Ok(());
        }
        Err(template(format!("it has no entry {dn}")))
    };
    set(layout::config(), "nsslapd-secureport", vec![plan.secure_port.to_string()])?;
    set(layout::config(), "nsslapd-security", vec![if plan.is_secure { "on" } else { "off" }.to_owned()])?;
    for (option, setting) in settings.iter() {
        let (Some(dn), Some(attribute)) = (option.home.instance_entry(), option.home.attribute()) else { continue };
        // At its first start the server makes the entries of the database of what stands here.
        let is_of_database = matches!(option.home, Home::Bdb(_) | Home::Mdb(_));
        let dn = if is_of_database { layout::ldbm_config() } else { dn };
        let values = match setting {
            Setting::Secret(secret) => vec![password::stored(secret, installation.version())?.reveal().to_owned()],
            _ => option.codec.store(setting),
        };
        set(dn, attribute, values)?;
    }
    set(layout::config(), "nsslapd-localuser", vec![plan.owner.user.clone()])?;
    Ok(records)
}

/// What the keys of the template stand for. The password comes later.
fn keys(installation: &Installation, plan: &Plan, settings: &Settings) -> Vec<(&'static str, String)> {
    let paths = &plan.paths;
    let mut keys = vec![
        ("fqdn", plan.host.clone()),
        ("ds_port", plan.port.to_string()),
        ("ds_user", plan.owner.user.clone()),
        ("rootdn", settings.text("root_dn").unwrap_or(installation.root_dn()).to_owned()),
        ("ds_passwd", String::new()),
        ("ds_suffix", String::new()),
        ("ldapi_enabled", "on".to_owned()),
        ("ldapi_autobind", "on".to_owned()),
        ("instance_name", plan.name.clone()),
        ("db_lib", settings.text("db_lib").unwrap_or(installation.version().database()).to_owned()),
    ];
    let folders = [
        ("config_dir", &paths.config_dir),
        ("schema_dir", &paths.schema_dir),
        ("cert_dir", &paths.cert_dir),
        ("db_dir", &paths.db_dir),
        ("db_home_dir", &paths.db_home_dir),
        ("bak_dir", &paths.backup_dir),
        ("ldif_dir", &paths.ldif_dir),
        ("lock_dir", &paths.lock_dir),
        ("log_dir", &paths.log_dir),
        ("run_dir", &paths.run_dir),
        ("inst_dir", &paths.inst_dir),
        ("tmp_dir", &paths.tmp_dir),
        ("ldapi", &paths.ldapi),
    ];
    keys.extend(folders.map(|(key, path)| (key, path.display().to_string())));
    keys
}

/// Replaces the keys in all names and values. Fails with the first that is unknown.
fn fill(records: &mut [Record], keys: &[(&str, String)]) -> Result<(), String> {
    for record in records {
        record.dn = filled(&record.dn, keys)?;
        for (_, value) in &mut record.attributes {
            if let Ok(text) = str::from_utf8(value) {
                *value = filled(text, keys)?.into_bytes();
            }
        }
    }
    Ok(())
}

/// A text with its keys, `%key%`, replaced. What is put in is not looked at again.
fn filled(mut text: &str, keys: &[(&str, String)]) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    while let Some((before, rest)) = text.split_once('%') {
        result.push_str(before);
        match rest.split_once('%') {
            Some((key, after)) if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                let (_, value) = keys.iter().find(|(known, _)| *known == key).ok_or(key)?;
                result.push_str(value);
                text = after;
            }
            _ => {
                result.push('%');
                text = rest;
            }
        }
    }
    result.push_str(text);
    Ok(result)
}

/// Gives an entry's attribute these values, where it stood or at the end. Says whether there is such an entry.
fn replace(records: &mut [Record], dn: &Dn, attribute: &str, values: Vec<String>) -> bool {
    let Some(record) = records.iter_mut().find(|record| Dn::parse(&record.dn).is_ok_and(|known| known == *dn)) else {
        return false;
    };
    let is_it = |(name, _): &(String, Vec<u8>)| name.eq_ignore_ascii_case(attribute);
    let place = record.attributes.iter().position(is_it);
    record.attributes.retain(|pair| !is_it(pair));
    let place = place.unwrap_or(record.attributes.len());
    let values = values.into_iter().map(|value| (attribute.to_owned(), value.into_bytes()));
    record.attributes.splice(place..place, values);
    true
}

#[cfg(test)]
mod tests {
    use directory::{options::Scope, secret::Secret};

    use super::*;
    use crate::{
        create::owner::Owner,
        installation::tests::{installed, prefix},
        paths::Paths,
    };

    const TEMPLATE: &str = "\
dn: cn=config
nsslapd-port: %ds_port%
nsslapd-accesslog: %log_dir%/access
nsslapd-rootpw: %ds_passwd%
nsslapd-localuser: %ds_user%
aci: (targetattr != \"aci\") 50% of 100%

dn: cn=encryption,cn=config
cn: encryption

dn: cn=config,cn=ldbm database,cn=plugins,cn=config
nsslapd-directory: %db_dir%
nsslapd-backend-implement: %db_lib%
";

    fn render(template: &str, options: &[(&str, Setting)]) -> Result<String, Error> {
        let prefix = prefix("2.3.1");
        let found = installed(&prefix);
        fs::create_dir_all(found.template().parent().unwrap()).unwrap();
        fs::write(found.template(), template).unwrap();
        let mut settings = Settings::new();
        for (name, setting) in options {
            settings.insert(Scope::Instance.option(name).unwrap(), setting.clone());
        }
        let plan = Plan {
            name: "a".into(),
            paths: Paths::planned(&found, "a", &settings),
            owner: Owner { user: "dirsrv".into(), uid: 1, gid: 1 },
            host: "host.example.com".into(),
            port: 3389,
            secure_port: 3636,
            is_secure: true,
        };
        Ok(ldif::write(&records(&found, &plan, &settings)?).replace(prefix.path().to_str().unwrap(), "").replace("\n ", ""))
    }

    #[test]
    fn keys_are_replaced_and_options_set() {
        let options = [
            ("rootpw", Setting::Secret(Secret::new("{SSHA512}abc"))),
            ("db_dir", Setting::Text("/data/%fqdn%".into())),
            ("mdb_max_size", Setting::Number(7)),
            ("sslversionmin", Setting::Text("TLS1.2".into())),
            ("nsslapd_require_secure_binds", Setting::Switch(true)),
            ("log_dir", Setting::Text("/data/logs".into())),
        ];
        let expected = "\
dn: cn=config
nsslapd-port: 3389
nsslapd-accesslog: /data/logs/access
nsslapd-rootpw: {SSHA512}abc
nsslapd-localuser: dirsrv
aci: (targetattr != \"aci\") 50% of 100%
nsslapd-secureport: 3636
nsslapd-security: on
nsslapd-require-secure-binds: on

dn: cn=encryption,cn=config
cn: encryption
sslVersionMin: TLS1.2

dn: cn=config,cn=ldbm database,cn=plugins,cn=config
nsslapd-directory: /data/%fqdn%
nsslapd-backend-implement: bdb
nsslapd-mdb-max-size: 7
";
        assert_eq!(render(TEMPLATE, &options).unwrap(), expected);
    }

    #[test]
    fn a_template_of_another_kind_is_refused() {
        let unknown = TEMPLATE.replace("%ds_port%", "%new_key%");
        assert!(matches!(render(&unknown, &[]), Err(Error::Placeholder { key, .. }) if key == "new_key"));
        assert!(matches!(render("nonsense", &[]), Err(Error::Template { .. })));
        assert!(matches!(render("dn: cn=other\ncn: other\n", &[]), Err(Error::Template { .. })));
    }
}
