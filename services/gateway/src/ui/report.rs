//! A report's own page: what it holds, with ways into its API.

use std::fmt::Write;

use aviary_proto::report::v1::{GetReportRequest, ReportRef, ReportView};
use http::{HeaderValue, StatusCode, header::LOCATION};

use super::{escape, page, size, time};
use crate::{
    Gateway,
    answer::Asked,
    api::traced,
    error::{Error, Reason},
    reply::{self, Reply},
};

/// The page of a report.
pub(crate) async fn front(gateway: &Gateway, asked: &Asked<'_>) -> Result<Reply, Error> {
    let report = ReportRef { location: asked.location.to_string(), generation: String::new() };
    let request = GetReportRequest { report: Some(report), view: ReportView::Full.into() };
    let answer = gateway.client.clone().get_report(traced(request)).await?.into_inner();
    let (Some(header), Some(report)) = (answer.header, answer.report) else {
        return Err(Error::new(Reason::Internal, "the query service sent no report"));
    };
    let counts = report.counts.unwrap_or_default();
    let url = asked.origin.endpoint_url(asked.script, "");
    let name = if asked.location.is_root() { gateway.config.title.as_str() } else { asked.location.as_str() };
    let mut content = format!("<h1>{}</h1>\n<p>", escape(name));
    if let Some((parent, _)) = url.rsplit_once('/').filter(|_| !asked.location.is_root()) {
        let _ = write!(content, "<a href=\"{}/\">Folder</a> · ", escape(parent));
    }
    let _ = writeln!(
        content,
        "{} · written by ARA {} · changed {}{}</p>",
        size(report.size),
        escape(&report.schema_release),
        time(header.modified.as_ref()),
        if report.live { " · may still be written" } else { "" }
    );
    if let Some(seconds) = header.stale_seconds {
        let _ = writeln!(content, "<p>Its store cannot be reached. This is how it was {seconds} seconds ago.</p>");
    }
    content.push_str("<table>\n<tbody>\n");
    for (noun, count) in [
        ("playbooks", counts.playbooks),
        ("plays", counts.plays),
        ("tasks", counts.tasks),
        ("hosts", counts.hosts),
        ("latesthosts", counts.latest_hosts),
        ("results", counts.results),
        ("files", counts.files),
        ("records", counts.records),
        ("labels", counts.labels),
    ] {
        let _ = writeln!(
            content,
            "<tr><td><a href=\"{}/api/v1/{noun}\">{noun}</a></td><td class=\"n\">{count}</td></tr>",
            escape(&url)
        );
    }
    content.push_str("</tbody>\n</table>");
    let mut reply = reply::page(StatusCode::OK, page(name, &content));
    reply.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(reply)
}

/// Leads from a page of ARA's to the endpoint that has the same.
pub(crate) async fn forward(gateway: &Gateway, asked: &Asked<'_>, endpoint: &str) -> Result<Reply, Error> {
    gateway.cache.current(&gateway.client, asked.location).await?;
    let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
    let target = asked.origin.endpoint_url(asked.script, &format!("/api/v1/{endpoint}{query}"));
    let mut reply = reply::page(StatusCode::FOUND, String::new());
    if let Ok(target) = HeaderValue::try_from(target) {
        reply.headers_mut().insert(LOCATION, target);
    }
    Ok(reply)
}
