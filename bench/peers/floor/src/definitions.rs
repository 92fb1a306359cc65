//! The links, read from a file at the start, with everything encoded that no click changes.

use std::collections::HashMap;

use serde::Deserialize;
use xxhash_rust::xxh3::Xxh3Builder;

use crate::update::{encode_number, encode_text, id_prefix};

/// What the file holds.
#[derive(Deserialize)]
struct File {
    tenant_id: String,
    update_frame: String,
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    link_id: String,
    version: i64,
    epoch: i64,
    actions: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    action_id: String,
    operation: String,
    interest: String,
    scope: String,
}

/// An action, ready to be spliced behind a click's own bytes.
pub struct Action {
    pub id_prefix: Vec<u8>,
    pub suffix: Vec<u8>,
}

type Version = (i64, Vec<Action>);

/// All versions of all links.
pub struct Definitions {
    pub update_frame: Vec<u8>,
    /// Headers of every update, apart from its id.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    versions: HashMap<Vec<u8>, Vec<Version>, Xxh3Builder>,
}

impl Definitions {
    /// Read the text of the file; panics where it is none.
    pub fn parse(text: &str) -> Self {
        let file: File = serde_json::from_str(text).expect("the file of definitions is JSON as expected");
        let mut versions: HashMap<_, Vec<Version>, _> = HashMap::with_hasher(Xxh3Builder::new());
        for link in &file.links {
            let actions = link.actions.iter().map(|asked| prepare(&file.tenant_id, link, asked)).collect();
            versions.entry(link.link_id.clone().into_bytes()).or_default().push((link.version, actions));
        }
        Definitions { update_frame: from_hex(&file.update_frame), headers: headers(&file.tenant_id), versions }
    }

    /// Return the actions of a version, or of the newest one.
    pub fn find(&self, link_id: &[u8], version: Option<i64>) -> Option<&[Action]> {
        let versions = self.versions.get(link_id)?;
        let found = match version {
            Some(wanted) => versions.iter().find(|(number, _)| *number == wanted),
            None => versions.iter().max_by_key(|(number, _)| *number),
        };
        found.map(|(_, actions)| actions.as_slice())
    }
}

fn prepare(tenant_id: &str, link: &Link, asked: &Asked) -> Action {
    let mut suffix = Vec::new();
    encode_number(link.version, &mut suffix);
    encode_number(link.epoch, &mut suffix);
    encode_text(&asked.action_id, &mut suffix);
    encode_number(place(&asked.operation, &["add", "remove"]), &mut suffix);
    encode_text(&asked.interest, &mut suffix);
    encode_number(place(&asked.scope, &["person", "company"]), &mut suffix);
    Action { id_prefix: id_prefix(tenant_id, &link.link_id, link.epoch, &asked.action_id), suffix }
}

fn place(symbol: &str, symbols: &[&str]) -> i64 {
    symbols.iter().position(|each| *each == symbol).expect("a symbol of the enum") as i64
}

fn headers(tenant_id: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("ce_specversion", b"1.0".to_vec()),
        ("ce_type", b"crm-updates.interest.v1".to_vec()),
        ("ce_source", format!("/link-actions/{tenant_id}").into_bytes()),
        ("content-type", b"application/avro".to_vec()),
    ]
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}
