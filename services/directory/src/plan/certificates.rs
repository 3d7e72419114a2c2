//! The certificate that an instance shows and the authorities that it trusts. Servers read them when they start.

use crate::{
    action::Step,
    plan::{Planner, Server},
};

impl Planner<'_> {
    /// Takes in what the instance lacks of its certificates. Done before a start, that start is enough.
    pub(super) fn certificates(&mut self, server: &mut Server<'_>) {
        let settings = &server.wanted.settings;
        let found = self.secrets.certificates(&server.place);
        for (option, problem) in found.iter().flat_map(|found| &found.problems) {
            self.problems.add(&server.place, server.wanted.at, format!("option '{option}' {problem}"));
        }
        if let (Some(certificate), Some(key)) = (settings.text("tls_cert"), settings.text("tls_key"))
            && !found.is_some_and(|found| found.are_imported())
        {
            let step = Step::ImportCertificate { certificate: certificate.to_owned(), key: key.to_owned() };
            self.push(&server.place, step);
            server.wants_restart |= server.found.is_running;
        }
        if let Some(files) = settings.list("tls_ca").filter(|files| !files.is_empty())
            && !found.is_some_and(|found| found.are_trusted())
        {
            self.push(&server.place, Step::TrustAuthorities { files: files.to_vec() });
            server.wants_restart |= server.found.is_running;
        }
    }
}
