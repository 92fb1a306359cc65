"""A form on a real Kafka: sent over HTTP, it ends as one record of answers and as the updates of its actions."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import murmur2
from fastavro import schemaless_reader

from consumer.verify.reader import decode_update, read_topic
from consumer.verify.update_record import TOPICS
from deploy.kafka import Broker
from schemas.record_schema import load_schemas
from schemas.topics import LINK_FORMS
from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.edge import EdgeProcess, link_path
from tests.support.outcome import assert_exact, read
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

FIELDS = [{"name": "email", "label": "E-mail", "type": "email", "required": True, "autocomplete": None, "options": []}]
LINK = a_link(
    an_action("SetField"),
    an_action("OpenRequest", slot=1, guard="confirm"),
    url=None,
    response=("link_actions.FormResponse", {"form_id": "webinar", "prefill": [], "fields": FIELDS}),
)
SCHEMA = load_schemas()["FormSubmitted"].parsed
FRAME_BYTES = 10


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(LINK)
    yield deployment
    deployment.close()


def an_edge(deployment: Deployment, name: str) -> EdgeProcess:
    return EdgeProcess(deployment.servers, deployment.prefix, deployment.folder, name).wait_edge()


def forms_in_topic(deployment: Deployment) -> list[dict[str, Any]]:
    """Every form in the topic, checked to have the key and partition of its recipient."""
    forms = []
    for seen in read_topic(deployment.servers, deployment.topic(LINK_FORMS)):
        assert seen.value
        assert seen.key
        form: Any = schemaless_reader(BytesIO(seen.value[FRAME_BYTES:]), SCHEMA, None)
        assert seen.key.decode() == f"{form['tenant_id']}/{form['recipient_id']}"
        assert seen.partition == murmur2(seen.key, deployment.partitions)
        forms.append(form)
    return forms


def test_form_that_is_sent_ends_as_a_record_and_as_updates(deployment: Deployment) -> None:
    """Two people open it; one sends it with a mistake, then twice, and the edge is killed after its answer."""
    edge = an_edge(deployment, "edge-a")
    path = link_path("spring", "r-1", "p-1")
    page, _ = edge.get(path), edge.get(link_path("spring", "r-2", "p-2"))
    assert page.status == 200
    page_click_id = page.headers["Link-Actions-Click"]
    assert edge.post(path, {"email": "ann", "page_click_id": page_click_id}).status == 422
    answers = {"email": "ann@example.com", "page_click_id": page_click_id}
    sent = [edge.post(path, answers) for _ in range(2)]
    edge.kill()
    assert [(each.status, each.headers["Location"]) for each in sent] == [(303, f"{path}/done")] * 2

    last = an_edge(deployment, "edge-b")
    assert last.get(f"{path}/done").status == 200
    wait_until(lambda: len([*(deployment.folder / "spool").iterdir()]) == 1, "takeover of the killed edge's folder")
    assert last.stop() == 0
    forms = forms_in_topic(deployment)
    assert {(each["click_id"], each["form_id"], each["fields"]["email"]) for each in forms} == {
        (sent[0].headers["Link-Actions-Click"], "webinar", "ann@example.com")
    }
    assert len(forms) in range(2, 5), "sent twice; the kill may double each"

    deployment.drain("a")
    assert_exact(deployment)
    updates = [decode_update(update) for topic in TOPICS.values() for update in read(deployment, topic)]
    applied = sorted((update["recipient_id"], update["action_id"]) for update in updates)
    assert applied == [("r-1", "action-0"), ("r-1", "action-1"), ("r-2", "action-0")]
