//! Builds the tree of values from the parser's events: anchors, aliases, tags, merge keys, and the bounds of all that.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{COPIED, DEPTH, Error, NODES, Problem, resolve, syntax};
use crate::value::{Entry, Map, Node, Position, Value};

/// Reads the one document of a text. An empty text is `Null`.
pub fn parse(text: &str) -> Result<Node, Error> {
    check_characters(text)?;
    // Spaces behind the last line break end no line, but the parser takes them for a line of a block.
    let ended = text.trim_end_matches(' ');
    let text = if ended.ends_with('\n') { ended } else { text };
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
        copied: 0,
        at: Position { line: 1, column: 1 },
        open_end: (!text.ends_with('\n')).then(|| text.chars().count()),
    };
    let mut document = None;
    loop {
        match reader.next()? {
            Event::DocumentStart(_) if document.is_some() => return Err(reader.fail(Problem::SecondDocument)),
            Event::DocumentStart(_) => {
                let event = reader.next()?;
                document = Some(reader.node(event, 0)?);
            }
            Event::StreamEnd => break,
            _ => {}
        }
    }
    Ok(document.unwrap_or(Node { at: Some(Position { line: 1, column: 1 }), ..Node::new(Value::Null) }))
}

/// The parser stops at a NUL as if the text ended there, and lets other characters pass that PyYAML refuses.
fn check_characters(text: &str) -> Result<(), Error> {
    let Some((index, found)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) else {
        return Ok(());
    };
    let before = &text[..index];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    Err(Error { at: Position { line, column }, problem: Problem::Character(found) })
}

/// Whether YAML 1.1 lets a character stand for itself.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What aliases stand for, by the parser's number; only those whose value has ended.
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    copied: usize,
    /// Where the last event begins.
    at: Position,
    /// The number of characters, if no line break ends the last line.
    open_end: Option<usize>,
}

/// The tag of what Ansible does not render.
const UNSAFE: &str = "!unsafe";

/// A value with a name.
struct Anchor {
    node: Node,
    /// The text of a scalar as written, for where it is a key.
    text: Option<String>,
    size: Size,
}

#[derive(Default, Clone, Copy)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, Error> {
        match self.parser.next_event() {
            Some(Ok((mut event, span))) => {
                self.at = position(span);
                // A block has the line breaks that the file has: the parser adds one to a last line without.
                if let Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) = &mut event
                    && self.open_end == Some(span.end.index())
                    && text.ends_with('\n')
                {
                    text.to_mut().pop();
                }
                Ok(event)
            }
            Some(Err(error)) => {
                let mark = error.marker();
                let at = Position { line: mark.line(), column: mark.col() + 1 };
                Err(Error { at, problem: syntax::problem(&error) })
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn fail(&self, problem: Problem) -> Error {
        Error { at: self.at, problem }
    }

    /// The value that begins with an event, which is the last that was read.
    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Error> {
        if let Event::Alias(id) = event {
            return self.alias(id, depth);
        }
        let at = self.at;
        self.count(1)?;
        let is_unsafe = |tag: Option<&Tag>| tag.map(tag_name).as_deref() == Some(UNSAFE);
        let (value, anchor, text, is_literal) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref()).map_err(|problem| self.fail(problem))?;
                (value, anchor, Some(text.into_owned()), is_unsafe(tag.as_deref()))
            }
            Event::SequenceStart(anchor, tag) => {
                self.enter(tag.as_deref(), "seq", "a list", depth)?;
                (Value::List(self.list(depth)?), anchor, None, is_unsafe(tag.as_deref()))
            }
            Event::MappingStart(anchor, tag) => {
                self.enter(tag.as_deref(), "map", "a dictionary", depth)?;
                (Value::Map(self.map(depth)?), anchor, None, is_unsafe(tag.as_deref()))
            }
            _ => return Err(self.fail(Problem::Syntax("a value must stand here".to_owned()))),
        };
        let mut node = Node { at: Some(at), ..Node::new(value) };
        if is_literal {
            take_literally(&mut node);
        }
        self.name(anchor, &node, text)?;
        Ok(node)
    }

    fn alias(&mut self, id: usize, depth: usize) -> Result<Node, Error> {
        let Some(size) = self.anchors.get(&id).map(|anchor| anchor.size) else {
            return Err(self.fail(Problem::Recursion));
        };
        if depth + size.depth > DEPTH {
            return Err(self.fail(Problem::TooDeep));
        }
        // Counted before it is copied: the copies are what a hostile file is after.
        self.count(size.nodes)?;
        self.copy(size.bytes)?;
        self.anchors.get(&id).map(|anchor| anchor.node.clone()).ok_or_else(|| self.fail(Problem::Recursion))
    }

    fn name(&mut self, anchor: usize, node: &Node, text: Option<String>) -> Result<(), Error> {
        // The parser numbers anchors from 1.
        if anchor > 0 {
            let size = size(node);
            self.copy(size.bytes)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), text, size });
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize) -> Result<(), Error> {
        self.nodes += nodes;
        if self.nodes > NODES { Err(self.fail(Problem::TooMany)) } else { Ok(()) }
    }

    fn copy(&mut self, bytes: usize) -> Result<(), Error> {
        self.copied += bytes;
        if self.copied > COPIED { Err(self.fail(Problem::TooMuch)) } else { Ok(()) }
    }

    /// Checks what stands before a list or a dictionary.
    fn enter(&self, tag: Option<&Tag>, own: &str, kind: &'static str, depth: usize) -> Result<(), Error> {
        if depth == DEPTH {
            return Err(self.fail(Problem::TooDeep));
        }
        match tag.map(tag_name).as_deref() {
            None | Some("!" | UNSAFE) => Ok(()),
            Some(tag) if tag.strip_prefix("!!") == Some(own) => Ok(()),
            Some(tag) if is_known(tag) => Err(self.fail(Problem::TagKind { tag: tag.to_owned(), kind })),
            Some(tag) => Err(self.fail(Problem::UnknownTag(tag.to_owned()))),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(list),
                event => list.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Map, Error> {
        let mut own = Vec::new();
        let mut places = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let event = self.next()?;
            let at = self.at;
            if event == Event::MappingEnd {
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.key(event)?;
            if let Some(first) = places.get(&key) {
                return Err(Error { at, problem: Problem::Twice { key, first: *first } });
            }
            let event = self.next()?;
            let value_at = self.at;
            let node = self.node(event, depth + 1)?;
            if is_merge {
                merged.extend(merges(node).map_err(|problem| Error { at: value_at, problem })?);
            } else {
                places.insert(key.clone(), at);
                own.push(Entry { key, at: Some(at), node });
            }
        }
        if merged.is_empty() {
            return Ok(Map::from_distinct(own));
        }
        Ok(merge(merged.into_iter().flatten().chain(own)))
    }

    /// The text of a key.
    fn key(&mut self, event: Event<'a>) -> Result<String, Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = text.into_owned();
                let tag = tag.as_deref();
                match tag.map(tag_name).as_deref() {
                    Some(tag) if !is_known(tag) => return Err(self.fail(Problem::UnknownTag(tag.to_owned()))),
                    Some(tag @ ("!vault" | "!vault-encrypted" | "!!map" | "!!seq")) => {
                        return Err(self.fail(Problem::TagKind { tag: tag.to_owned(), kind: "a key" }));
                    }
                    _ => {}
                }
                if anchor > 0 {
                    let value = scalar(&text, style, tag).map_err(|problem| self.fail(problem))?;
                    self.name(anchor, &Node { at: Some(self.at), ..Node::new(value) }, Some(text.clone()))?;
                }
                Ok(text)
            }
            Event::Alias(id) => {
                let Some(anchor) = self.anchors.get(&id) else {
                    return Err(self.fail(Problem::Recursion));
                };
                let text = anchor.text.clone().ok_or_else(|| self.fail(Problem::KeyKind))?;
                self.copy(text.len())?;
                Ok(text)
            }
            _ => Err(self.fail(Problem::KeyKind)),
        }
    }
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// A tag as a user writes it.
fn tag_name(tag: &Tag) -> String {
    let name = format!("{}{}", tag.handle, tag.suffix);
    match name.strip_prefix("tag:yaml.org,2002:") {
        Some(core) => format!("!!{core}"),
        None => name,
    }
}

fn is_known(tag: &str) -> bool {
    matches!(
        tag,
        "!" | "!vault" | "!vault-encrypted" | UNSAFE | "!!str" | "!!int" | "!!float" | "!!bool" | "!!null" | "!!map" | "!!seq"
    )
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Problem> {
    match tag.map(tag_name).as_deref() {
        None if style != ScalarStyle::Plain => Ok(Value::Text(text.to_owned())),
        // To PyYAML a lone '!' takes even the quotes away.
        None | Some("!") => resolve::plain(text),
        Some("!vault" | "!vault-encrypted") => Ok(Value::Vault(text.to_owned())),
        Some(UNSAFE | "!!str") => Ok(Value::Text(text.to_owned())),
        Some("!!int") => resolve::integer(text),
        Some("!!float") => resolve::float(text),
        Some("!!bool") => resolve::boolean(text),
        Some("!!null") => Ok(Value::Null),
        Some(tag) if is_known(tag) => Err(Problem::TagKind { tag: tag.to_owned(), kind: "a single value" }),
        Some(tag) => Err(Problem::UnknownTag(tag.to_owned())),
    }
}

/// The dictionaries of a merge key, the one that wins last.
fn merges(node: Node) -> Result<Vec<Map>, Problem> {
    match node.value {
        Value::Map(map) => Ok(vec![map]),
        Value::List(list) => list
            .into_iter()
            .rev()
            .map(|node| match node.value {
                Value::Map(map) => Ok(map),
                other => Err(Problem::Merge(other.kind())),
            })
            .collect(),
        other => Err(Problem::Merge(other.kind())),
    }
}

/// One map of many entries: the last of a name wins, in the place of the first.
fn merge(entries: impl Iterator<Item = Entry>) -> Map {
    let mut merged: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        match places.get(&entry.key).and_then(|place| merged.get_mut(*place)) {
            Some(known) => *known = entry,
            None => {
                places.insert(entry.key.clone(), merged.len());
                merged.push(entry);
            }
        }
    }
    Map::from_distinct(merged)
}

/// Marks a value, and all in it, as no template.
fn take_literally(node: &mut Node) {
    node.is_literal = true;
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(take_literally),
        Value::Map(map) => map.entries_mut().iter_mut().for_each(|entry| take_literally(&mut entry.node)),
        _ => {}
    }
}

fn size(node: &Node) -> Size {
    let (inner, own): (Vec<Size>, usize) = match &node.value {
        Value::Text(text) | Value::Vault(text) => (Vec::new(), text.len()),
        Value::List(list) => (list.iter().map(size).collect(), 0),
        Value::Map(map) => {
            let keys = map.entries().iter().map(|entry| entry.key.len()).sum();
            (map.entries().iter().map(|entry| size(&entry.node)).collect(), keys)
        }
        _ => return Size { nodes: 1, bytes: 0, depth: 0 },
    };
    let is_leaf = matches!(node.value, Value::Text(_) | Value::Vault(_));
    Size {
        nodes: 1 + inner.iter().map(|size| size.nodes).sum::<usize>(),
        bytes: own + inner.iter().map(|size| size.bytes).sum::<usize>(),
        depth: if is_leaf { 0 } else { 1 + inner.iter().map(|size| size.depth).max().unwrap_or(0) },
    }
}
