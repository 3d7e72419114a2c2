//! How a question about a noun becomes an answer: parameters, the content that the report has now, what is kept, and what
//! has to be asked for. What the rows look like, the nouns know; what is kept, the cache.

mod conditional;
mod flow;
mod links;
mod source;

use std::sync::Arc;

use aviary_proto::report::v1::{Order, OrderField, Page, ReportRef};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, LAST_MODIFIED},
};
use prost::Message;
use store::Location;

use crate::{
    Gateway,
    api::{
        Key, Noun, Resource,
        options::Endpoint,
        writer::{Problems, Writer},
    },
    backend::Rows,
    cache::{Current, Question, Rendered, Unrendered},
    compress::{self, Coding},
    error::{Error, Reason},
    json,
    negotiate::{Format, Refusal, negotiate, prefers_html},
    origin::Origin,
    param::{self, Errors, ParamError, query_string::QueryString},
    reply::{self, Reply},
    ui,
};
use conditional::Validator;
use links::Links;
use source::Source;

/// Answers of more bytes are streamed instead of kept.
pub(crate) const MAX_KEPT_BYTES: usize = 4 << 20;
/// Seconds since the store was heard of, where it cannot be asked and a copy answers.
const STALE: HeaderName = HeaderName::from_static("aviary-stale");
/// In words, what an answer lacks.
const WARNING: HeaderName = HeaderName::from_static("aviary-warning");

/// A request as far as it is the same for all nouns.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The query string as it stands in the request.
    pub(crate) query: &'a str,
    /// The path up to the report, decoded.
    pub(crate) script: &'a str,
    /// The path behind it, decoded.
    pub(crate) inside: &'a str,
    pub(crate) location: &'a Location,
    pub(crate) origin: Origin,
    /// What the URL has as its suffix.
    pub(crate) suffix: Option<&'a str>,
}

impl Asked<'_> {
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What stands behind the rows of a list.
const LIST_END: &[u8] = b"}";

/// Reads the query string and the form of the answer, or says why it cannot be had.
pub(crate) fn prepare(asked: &Asked<'_>, at: Endpoint) -> Result<(QueryString, Format), Box<Reply>> {
    let query = QueryString::parse(asked.query).map_err(|_| {
        reply::error(
            &Error::new(Reason::ArgumentInvalid, "the query string has more than 1000 parameters"),
            prefers_html(asked.header(http::header::ACCEPT)),
        )
    })?;
    let format = asked.suffix.or_else(|| query.last("format"));
    match negotiate(asked.header(http::header::ACCEPT), format) {
        Ok(format) => Ok((query, format)),
        Err(Refusal::UnknownFormat) => {
            Err(Box::new(reply::detail(StatusCode::NOT_FOUND, crate::negotiate::PLAIN, at, "Not found.")))
        }
        Err(Refusal::NotAcceptable) => {
            let text = "Could not satisfy the request Accept header.";
            Err(Box::new(reply::detail(StatusCode::NOT_ACCEPTABLE, crate::negotiate::PLAIN, at, text)))
        }
    }
}

/// A list.
pub(crate) async fn list<R: Resource>(gateway: &Gateway, asked: &Asked<'_>) -> Result<Reply, Error> {
    let at = Endpoint::List(R::NOUN);
    let (query, format) = match prepare(asked, at) {
        Ok(prepared) => prepared,
        Err(reply) => return Ok(*reply),
    };
    let mut errors = Errors::default();
    let filter = R::filter(&query, &mut errors);
    let order = order::<R>(&query, &mut errors);
    if let Err(errors) = errors.into_result() {
        return refuse(&errors, format, at);
    }
    let limit = param::pagination::limit(query.last("limit"));
    let limit = gateway.config.max_limit.map_or(limit, |most| limit.min(most));
    let offset = param::pagination::offset(query.last("offset"));
    let number = |value: i64| u64::try_from(value).unwrap_or_default();
    let page = Page { offset: number(offset.rows()), limit: Some(number(limit)), order };
    let current = gateway.cache.current(&gateway.client, asked.location).await?;
    let question = Question::from([question(asked.location, &current, R::NOUN, b'l', &filter), page.encode_to_vec()].concat());
    let validator = Validator::new(&question, asked, format);
    if let Some(reply) = conditional::not_modified(asked, &validator, &current, at) {
        return Ok(marked(reply, &current));
    }
    let source = Source::<R>::new(gateway, asked.location, filter, page);
    let render = source::again(gateway, || async { render_list::<R>(source.open(None, 0).await?).await });
    let rendered = gateway.cache.rendered(asked.location, &question, render).await;
    let links = Links { asked, query: &query, limit, offset: &offset };
    match rendered {
        Ok(rendered) => {
            let head = links.head(rendered.count.unwrap_or_default());
            Ok(marked(send(asked, format, at, &validator, &rendered, head.into(), LIST_END), &current))
        }
        Err(Unrendered::Failed(error) | Unrendered::BrokeOff(error)) => Err(error),
        Err(Unrendered::Large) if format == Format::Html => {
            Ok(reply::page(StatusCode::OK, ui::too_large_page(&links.json_url())))
        }
        Err(Unrendered::Large) => {
            let rows = match source::again(gateway, || source.open(None, 0)).await {
                Err(Unrendered::Failed(error) | Unrendered::BrokeOff(error)) => return Err(error),
                Err(Unrendered::Large) => return Err(Error::new(Reason::Internal, "a large list was not streamed")),
                Ok(rows) => rows,
            };
            let head = links.head(rows.header().count);
            Ok(marked(flow::send::<R>(asked, at, &validator, source, rows, head), &current))
        }
    }
}

/// A single object.
pub(crate) async fn detail<R: Resource>(gateway: &Gateway, asked: &Asked<'_>, key: Option<Key>) -> Result<Reply, Error> {
    let at = Endpoint::Detail { noun: R::NOUN, exists: true };
    let (query, format) = match prepare(asked, at) {
        Ok(prepared) => prepared,
        Err(reply) => return Ok(*reply),
    };
    let mut errors = Errors::default();
    let filter = R::filter(&query, &mut errors);
    let _ = order::<R>(&query, &mut errors);
    if let Err(errors) = errors.into_result() {
        return refuse(&errors, format, at);
    }
    let current = gateway.cache.current(&gateway.client, asked.location).await?;
    // Not a number: ARA says less than where the number is nobody's.
    let Some(key) = key else { return Ok(reply::detail(StatusCode::NOT_FOUND, format, at, "Not found.")) };
    let question =
        Question::from([question(asked.location, &current, R::NOUN, b'd', &filter), format!("{key:?}").into_bytes()].concat());
    let validator = Validator::new(&question, asked, format);
    if let Some(reply) = conditional::not_modified(asked, &validator, &current, at) {
        return Ok(marked(reply, &current));
    }
    let render = source::again(gateway, || async {
        let report = ReportRef { location: asked.location.to_string(), generation: String::new() };
        let parts = R::get(gateway.client.clone(), report, key.clone(), filter.clone()).await;
        let rows = Rows::open(parts.map_err(|status| Unrendered::Failed(status.into()))?).await;
        render_detail::<R>(rows.map_err(source::broken)?).await
    });
    match gateway.cache.rendered(asked.location, &question, render).await {
        Ok(rendered) => Ok(marked(send(asked, format, at, &validator, &rendered, Bytes::new(), b""), &current)),
        Err(Unrendered::Failed(error)) if error.reason == Reason::RowNotFound => {
            Ok(reply::detail(StatusCode::NOT_FOUND, format, at, &missing::<R>(asked.inside)))
        }
        Err(Unrendered::Failed(error) | Unrendered::BrokeOff(error)) => Err(error),
        Err(Unrendered::Large) => Err(Error::new(Reason::Internal, "a single object was not rendered")),
    }
}

/// What ARA says where there is no such object. A name with one dot it takes for a name and an unknown format.
fn missing<R: Resource>(inside: &str) -> String {
    let name = inside.rsplit('/').next().unwrap_or_default();
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    match name.split_once('.') {
        Some((_, suffix)) if lower(suffix) && !matches!(suffix, "json" | "api") => "Not found.".to_owned(),
        _ => format!("No {} matches the given query.", R::NOUN.model()),
    }
}

/// Whether OPTIONS finds an object: it lists what could be done with it only then.
pub(crate) async fn exists<R: Resource>(gateway: &Gateway, asked: &Asked<'_>, key: Option<Key>) -> Result<bool, Error> {
    let Ok(query) = QueryString::parse(asked.query) else { return Ok(false) };
    let mut errors = Errors::default();
    let filter = R::filter(&query, &mut errors);
    let _ = order::<R>(&query, &mut errors);
    let (Ok(()), Some(key)) = (errors.into_result(), key) else { return Ok(false) };
    let report = ReportRef { location: asked.location.to_string(), generation: String::new() };
    match R::get(gateway.client.clone(), report, key, filter).await.map_err(Error::from) {
        Ok(_) => Ok(true),
        Err(error) if error.reason == Reason::RowNotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn order<R: Resource>(query: &QueryString, errors: &mut Errors) -> Vec<Order> {
    let names: Vec<&str> = R::ORDER.iter().map(|(name, _)| *name).collect();
    let keys = match errors.keep("order", param::order::parse(query.last("order"), &names)) {
        None => return Vec::new(),
        Some(keys) => keys,
    };
    if keys.is_empty() {
        return vec![Order { field: OrderField::Stored.into(), descending: false }];
    }
    let field =
        |name: &str| R::ORDER.iter().find(|(known, _)| *known == name).map_or(OrderField::Unspecified, |(_, field)| *field);
    keys.into_iter().map(|(name, descending)| Order { field: field(name).into(), descending }).collect()
}

fn refuse(errors: &Errors, format: Format, at: Endpoint) -> Result<Reply, Error> {
    match errors.fault() {
        Some((field, fault)) => {
            let message = match fault {
                ParamError::NotAnInteger => "Enter a whole number.",
                ParamError::DateOutOfRange => "Enter a valid date/time.",
                ParamError::Invalid(_) | ParamError::TooManyFields => {
                    return Err(Error::new(Reason::ArgumentInvalid, fault.to_string()));
                }
            };
            Ok(reply::invalid_parameters(format, at, &[(field, message)]))
        }
        None => Ok(reply::invalid_parameters(format, at, &errors.iter().collect::<Vec<_>>())),
    }
}

/// Names a question: all that its answer depends on.
fn question(location: &Location, current: &Current, noun: Noun, kind: u8, filter: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    for part in [location.as_str(), &current.generation, noun.path()] {
        bytes.extend_from_slice(part.as_bytes());
        bytes.push(0);
    }
    bytes.push(kind);
    let filter = filter.encode_to_vec();
    bytes.extend_from_slice(&(filter.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&filter);
    bytes
}

async fn render_list<R: Resource>(mut rows: Rows<R::Row>) -> Result<Rendered, Unrendered> {
    let mut writer = Writer::default();
    writer.out.push(b'[');
    while let Some(mut row) = rows.next().await.map_err(source::broken)? {
        if writer.out.len() > 1 {
            writer.out.push(b',');
        }
        write::<R>(&mut writer, &mut row, false);
        if writer.out.len() > MAX_KEPT_BYTES {
            return Err(Unrendered::Large);
        }
    }
    writer.out.push(b']');
    writer.out.shrink_to_fit();
    Ok(Rendered::new(rows.header(), true, writer.out, writer.problems))
}

async fn render_detail<R: Resource>(mut rows: Rows<R::Row>) -> Result<Rendered, Unrendered> {
    let no_row = || Unrendered::Failed(Error::new(Reason::Internal, "the query service sent no row"));
    let mut row = rows.next().await.map_err(source::broken)?.ok_or_else(no_row)?;
    let mut writer = Writer::default();
    write::<R>(&mut writer, &mut row, true);
    writer.out.shrink_to_fit();
    Ok(Rendered::new(rows.header(), false, writer.out, writer.problems))
}

fn write<R: Resource>(writer: &mut Writer, row: &mut R::Row, single: bool) {
    for problem in R::problems(row) {
        writer.problems.add(&problem.field, &problem.reason);
    }
    R::write(writer, row, single);
}

/// Puts a rendered answer into its form and sends it.
fn send(
    asked: &Asked<'_>,
    format: Format,
    at: Endpoint,
    validator: &Validator,
    rendered: &Rendered,
    head: Bytes,
    tail: &'static [u8],
) -> Reply {
    let plain = matches!(format, Format::Json { indent: None });
    let length = head.len() + rendered.body.len() + tail.len();
    let coding = compress::choose(asked.header(ACCEPT_ENCODING)).filter(|_| length >= compress::MIN_BYTES);
    let pieces = match coding {
        Some(coding) if plain => [rendered.compressed(coding, &head, tail), Bytes::new(), Bytes::new()],
        None if plain => [head, rendered.body.clone(), Bytes::from_static(tail)],
        _ => {
            let json = [&head, &rendered.body, tail].concat();
            let body = reply::formatted(format, asked.inside, asked.query, &json);
            [coding.map_or(body.clone(), |coding| compress::whole(coding, &[&body])), Bytes::new(), Bytes::new()]
        }
    };
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let mut reply = reply::endpoint(StatusCode::OK, format, at, reply::pieces(pieces));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    describe(headers, validator, &rendered.current, coding, &rendered.problems);
    reply
}

/// The answer with a mark if it is not known to be current now, whatever was known when it was rendered.
fn marked(mut reply: Reply, current: &Current) -> Reply {
    if let Some(seconds) = current.stale {
        reply.headers_mut().insert(STALE, HeaderValue::from(seconds));
    }
    reply
}

/// The headers that ARA does not have: what lets clients keep an answer, and what it lacks.
fn describe(headers: &mut HeaderMap, validator: &Validator, current: &Current, coding: Option<Coding>, problems: &Problems) {
    headers.insert(ETAG, validator.etag(current, coding));
    if let Some(modified) = current.modified.and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()) {
        headers.insert(LAST_MODIFIED, modified);
    }
    // Kept by whoever likes to, but asked again each time: a report may be replaced.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    if let Some(first) = &problems.first {
        let text = format!("{} stored values could not be read and are null; first: {first}", problems.count);
        let mut escaped = Vec::new();
        json::push_str(&mut escaped, &text);
        let text = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        if let Ok(value) = HeaderValue::from_bytes(text) {
            headers.insert(WARNING, value);
        }
    }
}

/// Many handles to one state.
pub(crate) type Shared = Arc<Gateway>;
