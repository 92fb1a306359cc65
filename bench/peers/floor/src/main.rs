//! The floor: what this job costs when C does it. Clicks in, updates out, exactly once; a hash set in memory for the
//! state, of which every entry is written to the changelog too, and never read back.
//!
//! `floor SERVERS CLICKS UPDATES CHANGELOG GROUP DEFINITIONS COMMIT_INTERVAL_MS`. Runs until it is ended.

mod click;
mod definitions;
mod kafka;
mod update;

use std::collections::HashMap;
use std::env::args;
use std::fs::read_to_string;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::{xxh3_128, Xxh3Builder};

use crate::click::Click;
use crate::definitions::Definitions;
use crate::kafka::{Consumer, Message, Producer};
use crate::update::update_id;

const MAX_RECORDS: usize = 30_000;

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    let [servers, clicks, updates, changelog, group, definitions, commit_interval_ms] = arguments.as_slice() else {
        panic!("floor SERVERS CLICKS UPDATES CHANGELOG GROUP DEFINITIONS COMMIT_INTERVAL_MS");
    };
    let interval = Duration::from_millis(commit_interval_ms.parse().expect("the interval is a number"));
    let text = read_to_string(definitions).expect("the definitions can be read");
    let consumer = Consumer::open(servers, clicks, group);
    let producer = Producer::open(servers, group);
    let mut job = Job {
        definitions: Definitions::parse(&text),
        updates: producer.topic(updates),
        changelog: producer.topic(changelog),
        producer,
        seen: HashMap::with_hasher(Xxh3Builder::new()),
        value: Vec::new(),
    };
    let mut batch = Vec::with_capacity(MAX_RECORDS);
    loop {
        consumer.gather(&mut batch, interval, Instant::now());
        if batch.is_empty() {
            continue;
        }
        job.producer.begin();
        for message in &batch {
            job.handle(message);
        }
        job.producer.commit(&consumer, &batch, clicks);
        batch.clear();
    }
}

/// What a click is held against, and where its updates go.
struct Job {
    definitions: Definitions,
    updates: kafka::Topic,
    changelog: kafka::Topic,
    producer: Producer,
    /// The slots that were applied, a bit each, by the digest of tenant, link and recipient.
    seen: HashMap<u128, u64, Xxh3Builder>,
    value: Vec<u8>,
}

impl Job {
    /// Send an update for each action that the recipient has not had yet, and note them.
    fn handle(&mut self, message: &Message) {
        let click = Click::cut(message.payload());
        let Some(actions) = self.definitions.find(click.link_id, click.link_version) else {
            return;
        };
        let digest = xxh3_128(click.identity);
        let had = self.seen.get(&digest).copied().unwrap_or(0);
        let mut has = had;
        for (slot, action) in actions.iter().enumerate() {
            if has & (1 << slot) != 0 {
                continue;
            }
            has |= 1 << slot;
            let identifier = update_id(&action.id_prefix, click.recipient_id);
            self.value.clear();
            self.value.extend_from_slice(&self.definitions.update_frame);
            self.value.extend_from_slice(click.shared);
            self.value.push(2 * 36);
            self.value.extend_from_slice(&identifier);
            self.value.extend_from_slice(&action.suffix);
            self.producer.produce_event(&self.updates, message, &self.value, &self.definitions.headers, &identifier);
        }
        if has != had {
            self.seen.insert(digest, has);
            let mut entry = [0; 16];
            entry[..8].copy_from_slice(&click.clicked_at.to_be_bytes());
            entry[8..].copy_from_slice(&has.to_be_bytes());
            self.producer.produce(&self.changelog, message.partition(), &digest.to_be_bytes(), &entry);
        }
    }
}
