//! The links of a list to its neighbours, as Django REST framework makes them.

use super::Asked;
use crate::{
    json,
    param::{pagination, query_string::QueryString},
};

/// What the links of a page depend on.
pub(super) struct Links<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) query: &'a QueryString,
    pub(super) limit: i64,
    pub(super) offset: &'a pagination::Offset,
}

impl Links<'_> {
    /// What stands before the rows: the count and the links.
    pub(super) fn head(&self, count: u64) -> Vec<u8> {
        let links = pagination::links(i64::try_from(count).unwrap_or(i64::MAX), self.limit, self.offset);
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"count\":");
        out.extend_from_slice(count.to_string().as_bytes());
        out.extend_from_slice(b",\"next\":");
        self.push(&mut out, links.next.map(|offset| Some(offset.to_string())));
        out.extend_from_slice(b",\"previous\":");
        self.push(&mut out, links.previous.map(|previous| previous.offset));
        out.extend_from_slice(b",\"results\":");
        out
    }

    /// The same list as JSON.
    pub(super) fn json_url(&self) -> String {
        self.url(&[("format", Some("json".to_owned()))])
    }

    fn push(&self, out: &mut Vec<u8>, link: Option<Option<String>>) {
        match link {
            Some(offset) => json::push_str(out, &self.url(&[("limit", Some(self.limit.to_string())), ("offset", offset)])),
            None => json::push_null(out),
        }
    }

    fn url(&self, overrides: &[(&str, Option<String>)]) -> String {
        let mut url = self.asked.origin.request_url(&format!("{}{}", self.asked.script, self.asked.inside));
        let query = self.query.link_query(overrides);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        url
    }
}
