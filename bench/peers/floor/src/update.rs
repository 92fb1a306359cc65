//! The parts of an update that are made here: its id, and numbers and texts as Avro encodes them.

use sha1::{Digest, Sha1};

const NAMESPACE: [u8; 16] = 0x6b1f9c52_6d0e_5d0b_9a3e_2f0c7c1e8a44_u128.to_be_bytes();
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Return what the id's digest starts with: everything but the recipient and the scope.
pub fn id_prefix(tenant_id: &str, link_id: &str, epoch: i64, action_id: &str) -> Vec<u8> {
    let mut prefix = NAMESPACE.to_vec();
    prefix.extend_from_slice(format!("{tenant_id}\x1f{link_id}\x1f{epoch}\x1f{action_id}\x1f").as_bytes());
    prefix
}

/// Return the UUIDv5 of an action that applies once, as text.
pub fn update_id(prefix: &[u8], recipient_id: &[u8]) -> [u8; 36] {
    let mut digest = Sha1::new().chain_update(prefix).chain_update(recipient_id).chain_update(b"\x1f").finalize();
    digest[6] = digest[6] & 0x0f | 0x50;
    digest[8] = digest[8] & 0x3f | 0x80;
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (number, byte) in digest[..16].iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

/// Append a long: zigzag, then seven bits a byte.
pub fn encode_number(number: i64, into: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        into.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// Append a string: its length, then its bytes.
pub fn encode_text(text: &str, into: &mut Vec<u8>) {
    encode_number(text.len() as i64, into);
    into.extend_from_slice(text.as_bytes());
}
