"""A click is recorded before the first byte of its answer is sent."""

import asyncio
from collections.abc import Awaitable

import pytest

from edge.exchange import Answer, AnswerKind, Prefill, RecordedClick, Request
from edge.http.handler import Handler, Record
from edge.recorder import Recording
from tests.edge.parts import a_responder, a_token, get

STEPS = ["recorded", "sent", "counted"]
REQUEST = get(f"/l/{a_token()}")


def steps_of(request: Request, record: Record) -> list[str]:
    """Return the steps of a request; `record` appends its own."""
    steps: list[str] = []

    async def handle() -> None:
        def noted(click: RecordedClick) -> Recording | Awaitable[Recording]:
            recording = record(click)
            if isinstance(recording, Recording):
                steps.append("recorded")
                return recording
            return noted_later(recording)

        async def noted_later(recording: Awaitable[Recording]) -> Recording:
            known = await recording
            steps.append("recorded")
            return known

        def send(answer: Answer) -> None:
            steps.append("sent" if answer.click else "sent without a click")

        handler = Handler(a_responder(), noted, lambda _answer, _recording, _seconds: steps.append("counted"))
        waiting = handler(request, send)
        if waiting:
            await waiting

    asyncio.run(handle())
    return steps


async def later(recording: Recording) -> Recording:
    await asyncio.sleep(0.01)
    return recording


def test_click_is_recorded_before_the_answer_begins() -> None:
    assert steps_of(REQUEST, lambda _: Recording.RECORDED) == STEPS


def test_click_that_takes_time_is_recorded_before_the_answer_begins() -> None:
    assert steps_of(REQUEST, lambda _: later(Recording.RECORDED)) == STEPS


@pytest.mark.parametrize("recording", [Recording.UNRECORDED, Recording.UNSYNCED, Recording.RATE_LIMITED])
def test_answer_names_no_click_that_is_not_recorded(recording: Recording) -> None:
    assert steps_of(REQUEST, lambda _: recording) == ["recorded", "sent without a click", "counted"]
    assert steps_of(REQUEST, lambda _: later(recording)) == ["recorded", "sent without a click", "counted"]


def test_request_without_a_click_records_nothing() -> None:
    assert steps_of(get("/robots.txt"), lambda _: Recording.RECORDED) == ["sent without a click", "counted"]


@pytest.mark.parametrize(("recording", "body"), [(Recording.RECORDED, b"filled"), (Recording.UNRECORDED, b"refused")])
def test_form_is_prefilled_once_its_click_is_recorded(recording: Recording, body: bytes) -> None:
    def answer(body: bytes) -> Answer:
        return Answer(AnswerKind.FORM, 200, (), body)

    async def fill_in(prefill: Prefill) -> Answer:
        return prefill.fill({})

    sent: list[Answer] = []

    async def handle() -> None:
        click = RecordedClick("id", "t", (), lambda: answer(b"refused"), lambda: answer(b"refused"))
        prefill = Prefill("acme", "p-1", ("email",), lambda _facts: answer(b"filled"))
        form = answer(b"empty")._replace(click=click, prefill=prefill, key_id=7)
        handler = Handler(lambda _: form, lambda _: recording, lambda *_: None, fill_in)
        waiting = handler(REQUEST, sent.append)
        assert waiting
        await waiting

    asyncio.run(handle())
    assert [each.body for each in sent] == [body]
    assert (sent[0].click is not None, sent[0].key_id) == (body == b"filled", 7)
