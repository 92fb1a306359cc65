"""The click as a record: `LinkClicked`, keyed by tenant and recipient."""

from edge.answered_click import AnsweredClick
from edge.click_encodings import ENCODINGS, best_encoding
from edge.spool.record import SpooledRecord, SpooledTopic
from schemas.identity import record_key
from schemas.record_schema import RecordSchema

FIELDS: tuple[str, ...] = (
    "tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id", "mailing_id",
    "flow_id", "flow_run_id", "link_version", "test", "confirmed", "url", "http_method", "user_agent", "purpose",
    "network", "delivered_at", "link_count", "page_click_id", "fetch_mode", "fetch_user", "network_class", "replayed",
)  # fmt: skip
"""The fields of LinkClicked, in the order in which they are encoded."""

_CLICKS = SpooledTopic.CLICKS


class ClickEncoder:
    """Makes records of clicks. Raises ValueError if the schema has other fields than those encoded here."""

    def __init__(self, schema: RecordSchema, frame: bytes, encoding: str | None = None) -> None:
        """`frame` is the header before the body: that of the single-object encoding, or the registry's.

        `encoding` names one of `ENCODINGS`; None chooses the best.
        """
        names = tuple(field["name"] for field in schema.definition["fields"])
        if names != FIELDS:
            raise ValueError(f"LinkClicked has the fields {names}, and the edge encodes {FIELDS}")
        self._frame = frame
        self._encode = ENCODINGS[encoding or best_encoding()].encode_click

    def encode(self, click: AnsweredClick) -> SpooledRecord:
        """Return the record to spool."""
        key = record_key(click.tenant_id.encode(), click.sent.recipient_id.encode())
        return SpooledRecord(_CLICKS, click.clicked_at_ms, key, self._encode(self._frame, click))
