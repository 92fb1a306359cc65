"""The answers of a form as a record: `FormSubmitted`, keyed as the click that sent them."""

from collections.abc import Mapping

from edge.answered_click import AnsweredClick
from edge.spool.record import SpooledRecord, SpooledTopic
from schemas.codec import Codec
from schemas.identity import record_key


class FormEncoder:
    """Makes records of answers. `codec` writes `FormSubmitted`."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def encode(self, click: AnsweredClick, form_id: str, answers: Mapping[str, str]) -> SpooledRecord:
        """Return the record to spool; `answers` are by field name."""
        sent = click.sent
        value = self._codec.encode(
            {
                "tenant_id": click.tenant_id,
                "link_id": sent.link_id,
                "recipient_id": sent.recipient_id,
                "click_id": click.click_id,
                "clicked_at": click.clicked_at_ms,
                "person_id": sent.person_id,
                "company_id": sent.company_id,
                "mailing_id": sent.mailing_id,
                "flow_id": sent.flow_id,
                "flow_run_id": sent.flow_run_id,
                "form_id": form_id,
                "fields": dict(answers),
            }
        )
        key = record_key(click.tenant_id.encode(), sent.recipient_id.encode())
        return SpooledRecord(SpooledTopic.FORMS, click.clicked_at_ms, key, value)
