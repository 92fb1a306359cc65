"""The ASGI application keeps a click before it sends the first byte of the answer."""

import asyncio
from typing import Any

from edge.exchange import Answer, RecordedClick
from edge.http.adapter import EdgeApp
from edge.recorder import Recording
from tests.edge.parts import HOST, a_responder, a_token


def test_click_is_kept_before_the_answer_begins() -> None:
    steps: list[str] = []

    async def record(answer: Answer, click: RecordedClick) -> tuple[Answer, Recording]:
        await asyncio.sleep(0)
        steps.append(f"kept {click.click_id}")
        return answer, Recording.RECORDED

    async def send(message: Any) -> None:
        named = dict(message.get("headers", ())).get(b"link-actions-click", b"").decode()
        steps.append(f"{message['type']} {named}".strip())

    async def receive() -> Any:
        raise AssertionError("a GET has no body")

    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": f"/l/{a_token()}".encode(),
        "headers": [(b"host", HOST)],
        "client": ("192.0.2.77", 1),
    }
    app = EdgeApp(a_responder(), record, lambda _answer, _recording, _seconds: steps.append("counted"))
    asyncio.run(app(scope, receive, send))
    click_id = steps[0].removeprefix("kept ")
    assert steps == [f"kept {click_id}", f"http.response.start {click_id}", "http.response.body", "counted"]
