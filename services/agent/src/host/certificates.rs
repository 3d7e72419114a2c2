//! Which certificates instances are to have and have, asked before planning, and taking them in.

use directory::{
    comparison::Comparisons,
    observed,
    options::Scope,
    setting::{Setting, Settings},
    specification::{Instance, Presence, Specification},
};

use crate::{
    certificates::{self, Place},
    create,
    host::{Error, Host, apply::Apply, observe},
    installation::Installation,
};

impl Host {
    /// Finds out about the certificates of all instances for which options name files.
    pub(super) async fn inquire(
        &self,
        wanted: &Specification,
        found: &observed::Host,
        comparisons: &mut Comparisons,
    ) -> Result<(), Error> {
        let names_files = |instance: &&Instance| ["tls_cert", "tls_ca"].iter().any(|name| instance.settings.get(name).is_some());
        let present = wanted.instances.iter().filter(|instance| instance.presence == Presence::Present).filter(names_files);
        for instance in present {
            let found = found.instance(&instance.name);
            let (settings, host) = (instance.settings.clone(), host_name(&instance.settings, found));
            let (name, found) = (instance.name.clone(), found.map(|found| found.name.clone()));
            let answer = self.blocking(move |installation| {
                let place = found.map(|found| place(installation, &found)).transpose()?;
                let answer = certificates::inquire(&settings, &host, place.as_ref());
                answer.map_err(|source| Error::Certificates { instance: name, source })
            });
            comparisons.insert_certificates(&instance.place(), answer.await?);
        }
        Ok(())
    }
}

impl Apply<'_> {
    /// Takes a certificate and its key in, in the place of what the instance shows.
    pub(super) async fn import_certificate(&self, name: &str, certificate: &str, key: &str) -> Result<(), Error> {
        let options = [("tls_cert", Setting::Text(certificate.to_owned())), ("tls_key", Setting::Text(key.to_owned()))];
        self.take_in(name, settings(options), certificates::import).await
    }

    /// Trusts the authorities in files.
    pub(super) async fn trust_authorities(&self, name: &str, files: &[String]) -> Result<(), Error> {
        let options = [("tls_ca", Setting::List(files.to_vec()))];
        self.take_in(name, settings(options), certificates::trust).await
    }

    async fn take_in(
        &self,
        name: &str,
        settings: Settings,
        work: fn(&Settings, &Place) -> Result<(), certificates::Error>,
    ) -> Result<(), Error> {
        let instance = name.to_owned();
        self.blocking(move |installation| {
            let place = place(installation, &instance)?;
            work(&settings, &place).map_err(|source| Error::Certificates { instance, source })
        })
        .await
    }
}

fn settings<const N: usize>(options: [(&str, Setting); N]) -> Settings {
    let mut settings = Settings::new();
    for (name, setting) in options {
        if let Some(option) = Scope::Instance.option(name) {
            settings.insert(option, setting);
        }
    }
    settings
}

/// Where an instance has its certificates.
fn place(installation: &Installation, name: &str) -> Result<Place, Error> {
    let (paths, tree) = observe::stored(installation, name)?;
    Ok(Place::of(installation, &paths.cert_dir, &tree))
}

/// The name of the host, as an instance's certificate has to have it.
fn host_name(settings: &Settings, found: Option<&observed::Instance>) -> String {
    let known = |settings: &Settings| settings.text("full_machine_name").map(str::to_owned);
    let name = known(settings).or_else(|| known(&found?.settings)).or_else(|| create::checks::host(settings).ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}
