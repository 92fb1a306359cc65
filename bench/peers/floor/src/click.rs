//! Cuts a click out of its bytes: no field is decoded that the job does not need.

/// Bytes of a click; see `schemas/link_clicked.avsc` for the order of its fields.
pub struct Click<'a> {
    /// Tenant, link and recipient as they are encoded.
    pub identity: &'a [u8],
    /// The ten fields that every update starts with, `identity` among them.
    pub shared: &'a [u8],
    pub link_id: &'a [u8],
    pub recipient_id: &'a [u8],
    pub clicked_at: i64,
    pub link_version: Option<i64>,
}

impl<'a> Click<'a> {
    /// Cut behind a frame of single-object encoding or of a schema registry; panics where the bytes are no click.
    pub fn cut(value: &'a [u8]) -> Self {
        let body = &value[if value[0] == 0 { 5 } else { 10 }..];
        let mut cursor = Cursor { body, at: 0 };
        cursor.text();
        let link_id = cursor.text();
        let recipient_id = cursor.text();
        let identity = &body[..cursor.at];
        cursor.text();
        let clicked_at = cursor.number();
        for _ in ["person_id", "company_id", "mailing_id", "flow_id", "flow_run_id"] {
            if cursor.number() == 1 {
                cursor.text();
            }
        }
        let shared = &body[..cursor.at];
        let link_version = (cursor.number() == 1).then(|| cursor.number());
        Click { identity, shared, link_id, recipient_id, clicked_at, link_version }
    }
}

struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn number(&mut self) -> i64 {
        let (mut number, mut shift) = (0u64, 0);
        loop {
            let byte = self.body[self.at];
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (number >> 1) as i64 ^ -((number & 1) as i64);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> &'a [u8] {
        let length = self.number() as usize;
        let start = self.at;
        self.at += length;
        &self.body[start..self.at]
    }
}
