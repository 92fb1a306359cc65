"""Writes what became of updates as records: runs, return addresses and dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass

from runtime.ports import ConsumerRecord, ProducerRecord
from schemas.codec import Codec
from schemas.dead_letter_headers import PREFIX, Header, with_reason
from schemas.topics import TopicNames
from scripts.sandbox.run import ENGINE
from scripts.worker.outcome import Ran
from scripts.worker.reasons import Failure

RETURN_URL_MS = 30 * 24 * 60 * 60 * 1_000
"""Time from the click for which a return address counts, in milliseconds."""
_SHARED = (
    "tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id", "mailing_id",
    "flow_id", "flow_run_id", "update_id", "link_version", "epoch", "action_id", "script",
)  # fmt: skip
"""Fields of a RunScript that its run record repeats."""


@dataclass(frozen=True, slots=True)
class OutputWriter:
    """Makes the records of runs. `runs` and `return_urls` write `ScriptRun` and `ReturnUrlSet`.

    `version` is the program's, for dead letters; `topic` is that of the script updates.
    """

    names: TopicNames
    topic: str
    runs: Codec
    return_urls: Codec
    version: str

    def records(self, ran: Ran) -> Iterator[ProducerRecord]:
        """Yield the records beside the effects."""
        partition, key = ran.record.partition() or 0, ran.record.key()
        if ran.update is not None:
            yield ProducerRecord(self.names.script_runs, partition, key, self.runs.encode(_run_record(ran)))
        if ran.return_url is not None:
            yield self._return_url(ran, partition)
        if ran.failure is not None:
            yield self._dead_letter(ran.record, ran, ran.failure)

    def _return_url(self, ran: Ran, partition: int) -> ProducerRecord:
        facts = ran.facts
        names = ("tenant_id", "link_id", "recipient_id", "epoch", "update_id", "clicked_at")
        record = {name: facts[name] for name in names}
        record |= {"url": ran.return_url, "expires_at": facts["clicked_at"] + RETURN_URL_MS}
        key = "/".join(facts[name] for name in names[:3]).encode()
        return ProducerRecord(self.names.return_urls, partition, key, self.return_urls.encode(record))

    def _dead_letter(self, record: ConsumerRecord, ran: Ran, failure: Failure) -> ProducerRecord:
        timestamp_ms = max(record.timestamp()[1], 0)
        headers = with_reason(
            tuple(record.headers() or ()),
            reason=failure.reason,
            topic=self.topic,
            partition=record.partition(),
            offset=record.offset(),
            timestamp_ms=timestamp_ms,
            version=self.version,
            detail=_detail(ran, failure),
        )
        headers = (*headers, *_place(ran, failure))
        partition = record.partition() or 0
        return ProducerRecord(
            self.names.script_dead_letters, partition, record.key(), record.value(), headers, timestamp_ms
        )


def _run_record(ran: Ran) -> dict[str, object]:
    failure = ran.failure
    return {
        **{name: ran.facts[name] for name in _SHARED},
        "script_version": None if ran.script is None else ran.script.version,
        "engine": ENGINE if ran.script is None else ran.script.engine,
        "link_hits": ran.link_hits,
        "failure": None if failure is None else str(failure.reason),
        "message": failure.message if failure and failure.message else None,
        "line": failure.line if failure else None,
        "column": failure.column if failure else None,
        "effects": [dict(headers)["ce_id"].decode() for *_, headers in ran.updates],
        "not_applicable": sum(ran.not_applicable.values()),
        "return_url": ran.return_url,
        "log": failure.log if failure else ran.log,
        "fuel": failure.fuel if failure else ran.fuel,
    }


def _place(ran: Ran, failure: Failure) -> Iterator[Header]:
    """Yield headers that say where the script failed; none holds a text of the script's own."""
    found = {
        "script": ran.facts.get("script"),
        "script_version": None if ran.script is None else ran.script.version,
        "line": failure.line,
        "column": failure.column,
    }
    for name, value in found.items():
        if value is not None:
            yield PREFIX + name, str(value).encode()


def _detail(ran: Ran, failure: Failure) -> str:
    if ran.update is None:
        return failure.message
    version = "no version" if ran.script is None else f"version {ran.script.version}"
    place = "" if failure.line is None else f", line {failure.line}"
    return f"script {ran.facts['script']}, {version}{place}; link-actions scripts try --update shows what happened"
