//! The whole URL table: what each path inside a report is, and who answers it. Source: ARA 1.8.0's `urls.py` files and
//! Django REST framework's router, whose patterns have format suffixes.

use http::{Method, StatusCode};

use crate::{
    Gateway,
    answer::{self, Asked},
    api::{self, Key, Noun, Resource, options::Endpoint},
    error::{Error, Reason},
    json,
    param::{lineno, query_string::QueryString},
    reply::{self, Reply},
    ui,
};

/// A place inside a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The report itself.
    Front,
    /// One of ARA's pages for an object, such as `playbooks/1.html`.
    ObjectPage(Noun, &'a str),
    /// One of ARA's pages for many, such as `hosts`.
    ListPage(Noun),
    Robots,
    /// `/api/`
    Index,
    /// `/api/v1/`
    Root {
        format: Option<&'a str>,
    },
    List {
        noun: Noun,
        format: Option<&'a str>,
    },
    Detail {
        noun: Noun,
        key: &'a str,
        format: Option<&'a str>,
    },
}

/// Reads the path behind a report's folder.
pub(crate) fn place(inside: &str) -> Option<Place<'_>> {
    // The folder may be named without a slash.
    let path = if inside.is_empty() { "" } else { inside.strip_prefix('/')? };
    match path {
        "" => return Some(Place::Front),
        "hosts" => return Some(Place::ListPage(Noun::Hosts)),
        "tasks" => return Some(Place::ListPage(Noun::Tasks)),
        "robots.txt" => return Some(Place::Robots),
        "api/" => return Some(Place::Index),
        _ => {}
    }
    let Some(path) = path.strip_prefix("api/v1/") else { return object_page(path) };
    if path.is_empty() {
        return Some(Place::Root { format: None });
    }
    if let Some(format) = path.strip_prefix('.') {
        return Some(Place::Root { format: Some(suffix(format)?) });
    }
    let Some((noun, key)) = path.split_once('/') else {
        let (noun, format) = match path.split_once('.') {
            Some((noun, format)) => (noun, Some(suffix(format)?)),
            None => (path, None),
        };
        return Some(Place::List { noun: Noun::from_path(noun)?, format });
    };
    // `hosts.json/`: a suffix may have a slash behind it.
    if key.is_empty() {
        let (noun, format) = noun.split_once('.')?;
        return Some(Place::List { noun: Noun::from_path(noun)?, format: Some(suffix(format)?) });
    }
    let noun = Noun::from_path(noun)?;
    if noun == Noun::LatestHosts {
        return latest_host(key);
    }
    let (key, format) = match key.split_once('.') {
        Some((key, format)) => (key, Some(suffix(format)?)),
        None => (key, None),
    };
    (!key.is_empty() && !key.contains('/')).then_some(Place::Detail { noun, key, format })
}

/// Hosts are called by their names, which have dots: only the known formats are suffixes.
fn latest_host(key: &str) -> Option<Place<'_>> {
    let noun = Noun::LatestHosts;
    let bare = key.strip_suffix('/').unwrap_or(key);
    match bare.rsplit_once('.') {
        Some((name, format @ ("json" | "api"))) if !name.is_empty() && !name.contains('/') => {
            Some(Place::Detail { noun, key: name, format: Some(format) })
        }
        _ => (!key.contains('/')).then_some(Place::Detail { noun, key, format: None }),
    }
}

/// A format suffix, maybe with a slash behind it.
fn suffix(text: &str) -> Option<&str> {
    let text = text.strip_suffix('/').unwrap_or(text);
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())).then_some(text)
}

fn object_page(path: &str) -> Option<Place<'_>> {
    let (noun, file) = path.split_once('/')?;
    let noun = match noun {
        "playbooks" => Noun::Playbooks,
        "results" => Noun::Results,
        "files" => Noun::Files,
        "hosts" => Noun::Hosts,
        "records" => Noun::Records,
        _ => return None,
    };
    let id = file.strip_suffix(".html")?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(Place::ObjectPage(noun, id))
}

/// Answers a request for a place inside a report.
pub(crate) async fn report(gateway: &Gateway, mut asked: Asked<'_>) -> Result<Reply, Error> {
    let Some(place) = place(asked.inside) else {
        // Without the report there is no page to be missed in it.
        gateway.cache.current(&gateway.client, asked.location).await?;
        return Ok(reply::unknown_page());
    };
    let options = asked.method == Method::OPTIONS;
    match place {
        Place::Index | Place::Root { .. } => {
            // Nothing of the report is shown, but it must be there.
            gateway.cache.current(&gateway.client, asked.location).await.map(drop).or_else(broken_is_there)?;
            if let Place::Root { format } = place {
                asked.suffix = format;
            }
            root(&asked, place == Place::Index, options)
        }
        Place::List { noun, format } => {
            asked.suffix = format;
            if options {
                gateway.cache.current(&gateway.client, asked.location).await?;
                return metadata(&asked, Endpoint::List(noun));
            }
            list(gateway, &asked, noun).await
        }
        Place::Detail { noun, key, format } => {
            asked.suffix = format;
            detail(gateway, &asked, noun, key, options).await
        }
        Place::Robots => Ok(reply::robots()),
        Place::Front | Place::ListPage(_) | Place::ObjectPage(..) if options => {
            Err(Error::new(Reason::MethodNotAllowed, "pages have no options: ask an endpoint of the API"))
        }
        Place::Front => ui::report::front(gateway, &asked).await,
        Place::ListPage(noun) => ui::report::forward(gateway, &asked, noun.path()).await,
        Place::ObjectPage(noun, id) => ui::report::forward(gateway, &asked, &format!("{}/{id}", noun.path())).await,
    }
}

/// ARA answers its roots whatever is in the file, and clients look there first.
fn broken_is_there(error: Error) -> Result<(), Error> {
    match error.reason {
        Reason::ReportDamaged | Reason::ReportNotAra | Reason::ReportTooLarge | Reason::ReportBeingWritten => Ok(()),
        _ => Err(error),
    }
}

fn root(asked: &Asked<'_>, index: bool, options: bool) -> Result<Reply, Error> {
    let at = if index { Endpoint::Index } else { Endpoint::Root };
    if options {
        return metadata(asked, at);
    }
    let (query, format) = match answer::prepare(asked, at) {
        Ok(prepared) => prepared,
        Err(reply) => return Ok(*reply),
    };
    let mut body = Vec::new();
    if index {
        body.extend_from_slice(b"{\"kind\":\"ara\",\"version\":\"1.8.0\",\"api\":[");
        json::push_str(&mut body, &asked.origin.joined_url(&format!("{}/api", asked.script), "v1/"));
        body.extend_from_slice(b"]}");
    } else {
        for noun in Noun::ALL {
            body.push(if body.is_empty() { b'{' } else { b',' });
            json::push_str(&mut body, noun.path());
            body.push(b':');
            let suffix = asked.suffix.map_or(String::new(), |format| format!(".{format}"));
            let mut url = asked.origin.endpoint_url(asked.script, &format!("/api/v1/{}{suffix}", noun.path()));
            // A format that was asked for by a parameter is asked for in the links.
            if let Some(format) = query.last("format") {
                url.push('?');
                url.push_str(&QueryString::default().link_query(&[("format", Some(format.to_owned()))]));
            }
            json::push_str(&mut body, &url);
        }
        body.push(b'}');
    }
    Ok(reply::endpoint_json(StatusCode::OK, format, at, asked.inside, &body))
}

fn metadata(asked: &Asked<'_>, at: Endpoint) -> Result<Reply, Error> {
    match answer::prepare(asked, at) {
        Ok((_, format)) => Ok(reply::endpoint_json(StatusCode::OK, format, at, asked.inside, at.metadata().as_bytes())),
        Err(reply) => Ok(*reply),
    }
}

async fn list(gateway: &Gateway, asked: &Asked<'_>, noun: Noun) -> Result<Reply, Error> {
    match noun {
        Noun::Labels => answer::list::<api::Labels>(gateway, asked).await,
        Noun::Playbooks => answer::list::<api::Playbooks>(gateway, asked).await,
        Noun::Plays => answer::list::<api::Plays>(gateway, asked).await,
        Noun::Tasks => answer::list::<api::Tasks>(gateway, asked).await,
        Noun::Hosts => answer::list::<api::Hosts>(gateway, asked).await,
        Noun::LatestHosts => answer::list::<api::LatestHosts>(gateway, asked).await,
        Noun::Results => answer::list::<api::Results>(gateway, asked).await,
        Noun::Files => answer::list::<api::Files>(gateway, asked).await,
        Noun::Records => answer::list::<api::Records>(gateway, asked).await,
    }
}

async fn detail(gateway: &Gateway, asked: &Asked<'_>, noun: Noun, key: &str, options: bool) -> Result<Reply, Error> {
    match noun {
        Noun::Labels => one::<api::Labels>(gateway, asked, key, options).await,
        Noun::Playbooks => one::<api::Playbooks>(gateway, asked, key, options).await,
        Noun::Plays => one::<api::Plays>(gateway, asked, key, options).await,
        Noun::Tasks => one::<api::Tasks>(gateway, asked, key, options).await,
        Noun::Hosts => one::<api::Hosts>(gateway, asked, key, options).await,
        Noun::LatestHosts => one::<api::LatestHosts>(gateway, asked, key, options).await,
        Noun::Results => one::<api::Results>(gateway, asked, key, options).await,
        Noun::Files => one::<api::Files>(gateway, asked, key, options).await,
        Noun::Records => one::<api::Records>(gateway, asked, key, options).await,
    }
}

async fn one<R: Resource>(gateway: &Gateway, asked: &Asked<'_>, key: &str, options: bool) -> Result<Reply, Error> {
    let key = match R::NOUN {
        Noun::LatestHosts => Some(Key::Name(key.to_owned())),
        _ => lineno::parse(Some(key)).ok().flatten().map(Key::Id),
    };
    if !options {
        return answer::detail::<R>(gateway, asked, key).await;
    }
    gateway.cache.current(&gateway.client, asked.location).await?;
    let exists = answer::exists::<R>(gateway, asked, key).await?;
    metadata(asked, Endpoint::Detail { noun: R::NOUN, exists })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inside: &str, expected: Option<Place<'_>>) {
        assert_eq!(place(inside), expected, "{inside}");
    }

    #[test]
    fn endpoints_have_no_slash_at_their_end_and_roots_have_one() {
        check("/api/", Some(Place::Index));
        check("/api", None);
        check("/api/v1/", Some(Place::Root { format: None }));
        check("/api/v1", None);
        check("/api/v1/hosts", Some(Place::List { noun: Noun::Hosts, format: None }));
        check("/api/v1/hosts/", None);
        check("/api/v1/HOSTS", None);
        check("//api/v1/hosts", None);
        check("/api/v1/hosts/1", Some(Place::Detail { noun: Noun::Hosts, key: "1", format: None }));
        check("/api/v1/hosts/1/", None);
        check("/api/v1/hosts/1/2", None);
    }

    #[test]
    fn formats_can_be_suffixes() {
        check("/api/v1/hosts.json", Some(Place::List { noun: Noun::Hosts, format: Some("json") }));
        check("/api/v1/hosts.json/", Some(Place::List { noun: Noun::Hosts, format: Some("json") }));
        check("/api/v1/hosts.JSON", None);
        check("/api/v1/hosts/1.api", Some(Place::Detail { noun: Noun::Hosts, key: "1", format: Some("api") }));
        check("/api/v1/hosts/1.5", Some(Place::Detail { noun: Noun::Hosts, key: "1", format: Some("5") }));
        check("/api/v1/.json", Some(Place::Root { format: Some("json") }));
    }

    #[test]
    fn latest_hosts_may_have_dots_in_their_names() {
        let detail = |key, format| Some(Place::Detail { noun: Noun::LatestHosts, key, format });
        check("/api/v1/latesthosts/node1", detail("node1", None));
        check("/api/v1/latesthosts/node1.example.org", detail("node1.example.org", None));
        check("/api/v1/latesthosts/node1.example.org.json", detail("node1.example.org", Some("json")));
    }

    #[test]
    fn pages_are_those_of_ara() {
        check("", Some(Place::Front));
        check("/", Some(Place::Front));
        check("/hosts", Some(Place::ListPage(Noun::Hosts)));
        check("/playbooks/12.html", Some(Place::ObjectPage(Noun::Playbooks, "12")));
        check("/playbooks/abc.html", None);
        check("/plays/1.html", None);
        check("foo", None);
    }
}
