//! How replication is, in lines: what a replica has of each supplier, and how far those are to whom it sends.

use std::fmt;

use super::{
    Paint, Text,
    text::{GREEN, RED, YELLOW, printable},
};
use crate::replication::{Agreement, Colour, Element, Replica};

impl fmt::Display for Text<'_, Replica> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(replica, paint) = self;
        let id = replica.id.map(|id| format!(" {id}")).unwrap_or_default();
        let Replica { instance, backend, suffix, .. } = replica;
        let state = if replica.is_running { word(*paint, replica.colour()) } else { paint.dye(RED, "stopped") };
        writeln!(f, "{state}  {instance}.{backend}: {} {}{id}", printable(suffix.as_str()), replica.role.name())?;
        match &replica.ruv {
            Some(ruv) => {
                writeln!(f, "    data of generation {}", printable(&ruv.generation))?;
                for element in &ruv.elements {
                    writeln!(f, "    has of supplier {}", supplier(element))?;
                }
            }
            None if replica.is_running => writeln!(f, "    has no data: it waits for its initialisation")?,
            None => {}
        }
        if !replica.cleaning.is_empty() {
            let ids: Vec<String> = replica.cleaning.iter().map(u16::to_string).collect();
            writeln!(f, "    forgets supplier {}", ids.join(", "))?;
        }
        for agreement in &replica.agreements {
            line(f, agreement, *paint)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, agreement: &Agreement, paint: Paint) -> fmt::Result {
    let port = agreement.port.map(|port| format!(":{port}")).unwrap_or_default();
    let to = format!("{}{port} ({})", printable(&agreement.host), printable(&agreement.name));
    let behind = match agreement.lag {
        Some(0) => "up to date".to_owned(),
        Some(seconds) => format!("{} behind", time(seconds)),
        None => "how far it is behind is not known".to_owned(),
    };
    writeln!(f, "    {}  to {to}: {behind}", word(paint, agreement.colour))?;
    if !agreement.is_enabled {
        writeln!(f, "        disabled: nothing is sent")?;
    }
    if agreement.is_initialising {
        writeln!(f, "        the consumer is being initialised")?;
    }
    for (what, outcome) in [("update", &agreement.update), ("initialisation", &agreement.initialisation)] {
        let Some(outcome) = outcome else { continue };
        let at = outcome.at.map(|at| format!(" at {at}")).unwrap_or_default();
        writeln!(f, "        last {what}{at}: {}", printable(&outcome.text))?;
    }
    Ok(())
}

fn supplier(element: &Element) -> String {
    let newest = element.newest.map_or("nothing yet".to_owned(), |newest| format!("all up to {}", newest.at));
    match &element.url {
        Some(url) => format!("{} ({}): {newest}", element.id, printable(url)),
        None => format!("{}: {newest}", element.id),
    }
}

fn word(paint: Paint, colour: Colour) -> String {
    match colour {
        Colour::Green => paint.dye(GREEN, "green"),
        Colour::Amber => paint.dye(YELLOW, "amber"),
        Colour::Red => paint.dye(RED, "red  "),
    }
}

/// Seconds as people say them.
fn time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}
