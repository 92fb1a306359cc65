from collections.abc import Mapping
from typing import Any

import pytest

from consumer.demo.example_person import MISSING, Story, describe_example_person, in_words
from consumer.demo.findings import DecidedClick, examine
from consumer.verify.reference_model import ReferenceModel
from consumer.verify.update_record import DECIDED, SHARED
from tests.builders import PARAMETERS, a_click, a_link, an_action
from tests.demo.perfect import PARTITIONS, a_sample, perfect_evidence
from tests.verify.sightings import all_seen

LINK = a_link(
    an_action("ChangeInterest", interest="news"),
    an_action("SetField", slot=1, rule="once_per_mailing"),
    an_action("ChangeInterest", slot=2, interest="news", scope="company"),
)


def decided(model: ReferenceModel, *clicks: Mapping[str, Any]) -> list[DecidedClick]:
    told = []
    for click in clicks:
        actions, updates = model.actions.copy(), len(model.expected)
        outcome = model.click(click)
        ids = [update.update_id for update in model.expected[updates:]]
        told.append(DecidedClick(click, outcome, model.actions - actions, ids))
    return told


def story_of(*clicks: Mapping[str, Any]) -> Story:
    model = ReferenceModel([LINK, a_link(link_id="imprint")])
    story = describe_example_person(decided(model, *clicks), all_seen(model.expected))
    assert story is not None
    return story


def test_each_click_tells_what_it_brought_and_through_what_it_came() -> None:
    (click,) = story_of(a_click(1)).clicks

    assert click.updates == ("add interest news", "set size = large", "add interest news of the company")
    assert (click.through, click.remark) == ("m-1", "")


def test_a_second_click_tells_through_what_all_was_done_already() -> None:
    _, second = story_of(a_click(1), a_click(2)).clicks

    assert (second.updates, second.remark) == ((), "done already through m-1")


def test_a_click_through_another_mailing_tells_what_is_done_again() -> None:
    _, second = story_of(a_click(1), a_click(2, mailing_id=None, flow_id="f-1", flow_run_id="f-1/1")).clicks

    assert (second.updates, second.through) == (("set size = large",), "f-1")
    assert second.remark == "the rest was done already"


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"test": True}, "a test click: it never acts and never counts"),
        ({"link_id": "imprint"}, "this link asks for nothing"),
        ({"person_id": None, "company_id": None}, "no person and no company is known"),
    ],
)
def test_a_click_that_brings_nothing_tells_why(changes: dict[str, Any], remark: str) -> None:
    (click,) = story_of(a_click(1, **changes)).clicks

    assert (click.updates, click.remark) == ((), remark)


def test_a_retry_is_told_from_a_second_click() -> None:
    *_, retry = story_of(a_click(1), a_click(1)).clicks

    assert (retry.updates, retry.remark) == ((), "the same click, published a second time")


def test_an_update_that_was_not_seen_is_not_told_as_if_it_were() -> None:
    model = ReferenceModel([LINK])
    clicks = decided(model, a_click(1))
    story = describe_example_person(clicks, all_seen(model.expected)[1:])

    assert story is not None
    assert story.clicks[0].updates[0] == MISSING


def test_without_clicks_there_is_no_story() -> None:
    assert describe_example_person([], []) is None


def test_updates_of_every_kind_can_be_told() -> None:
    kinds = {"follow_up": "CreateFollowUp", "request": "OpenRequest", "script": "RunScript", "set_field": "SetField"}
    told = {kind: in_words(kind, PARAMETERS[record]) for kind, record in kinds.items()}

    assert told == {
        "follow_up": "task: Call back",
        "request": "request: Asks for a call",
        "script": "run on-click",
        "set_field": "set size = large",
    }
    assert in_words("score", {**dict.fromkeys((*SHARED, *DECIDED), "x"), "score": "lead", "points": 5}) == (
        "score: score lead, points 5"
    )
    assert in_words("membership", {"operation": "remove", "target": "project", "target_id": "7"}) == (
        "remove from project 7"
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_person_of_the_sample_shows_what_the_program_is_about(seed: int) -> None:
    sample = a_sample(seed=seed)
    evidence = perfect_evidence(sample)
    findings = examine(evidence, sample.broken, sent=len(sample.publications), partitions=PARTITIONS)
    story = describe_example_person(findings.clicks, findings.updates)

    assert story is not None
    remarks = {click.remark for click in story.clicks if not click.updates}
    assert 5 <= len(story.clicks) <= 12
    assert len({click.through for click in story.clicks}) >= 3
    assert any(remark.startswith("done already through ") for remark in remarks)
    assert len(remarks) >= 2
    assert not any(MISSING in click.updates for click in story.clicks)
