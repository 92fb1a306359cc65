from collections.abc import Mapping
from typing import Any

import pytest

from consumer.demo.example_person import MISSING, ExamplePerson, choose_example_person, describe_update
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
    found = []
    for click in clicks:
        actions, updates = model.actions.copy(), len(model.expected)
        outcome = model.click(click)
        ids = [update.update_id for update in model.expected[updates:]]
        found.append(DecidedClick(click, outcome, model.actions - actions, ids))
    return found


def example_of(*clicks: Mapping[str, Any]) -> ExamplePerson:
    model = ReferenceModel([LINK, a_link(link_id="imprint")])
    person = choose_example_person(decided(model, *clicks), all_seen(model.expected))
    assert person is not None
    return person


def test_click_has_its_updates_and_its_mailing() -> None:
    (click,) = example_of(a_click(1)).clicks

    assert click.updates == (
        "add interest news of the person",
        "set size = large",
        "add interest news of the company",
    )
    assert (click.through, click.remark) == ("m-1", "")


def test_second_click_says_through_what_the_first_came() -> None:
    _, second = example_of(a_click(1), a_click(2)).clicks

    assert (second.updates, second.remark) == ((), "already applied through m-1")


def test_click_through_another_mailing_has_the_repeated_update() -> None:
    _, second = example_of(a_click(1), a_click(2, mailing_id=None, flow_id="f-1", flow_run_id="f-1/1")).clicks

    assert (second.updates, second.through) == (("set size = large",), "f-1")
    assert second.remark == "the other actions had applied before"


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"test": True}, "a test click: neither applies nor counts"),
        ({"link_id": "imprint"}, "the link has no actions"),
        ({"person_id": None, "company_id": None}, "no person and no company is known"),
    ],
)
def test_click_without_updates_has_a_remark(changes: dict[str, Any], remark: str) -> None:
    (click,) = example_of(a_click(1, **changes)).clicks

    assert (click.updates, click.remark) == ((), remark)


def test_retry_differs_from_a_second_click() -> None:
    *_, retry = example_of(a_click(1), a_click(1)).clicks

    assert (retry.updates, retry.remark) == ((), "the same click, published twice")


def test_missing_update_is_marked() -> None:
    model = ReferenceModel([LINK])
    clicks = decided(model, a_click(1))
    person = choose_example_person(clicks, all_seen(model.expected)[1:])

    assert person is not None
    assert person.clicks[0].updates[0] == MISSING


def test_no_clicks_give_no_example() -> None:
    assert choose_example_person([], []) is None


def test_updates_of_every_kind_are_described() -> None:
    kinds = {"follow_up": "CreateFollowUp", "request": "OpenRequest", "script": "RunScript", "set_field": "SetField"}
    described = {kind: describe_update(kind, PARAMETERS[record]) for kind, record in kinds.items()}

    assert described == {
        "follow_up": "task: Call back",
        "request": "request: Asks for a call",
        "script": "run on-click",
        "set_field": "set size = large",
    }
    assert describe_update("score", {**dict.fromkeys((*SHARED, *DECIDED), "x"), "score": "lead", "points": 5}) == (
        "score: score lead, points 5"
    )
    assert describe_update("membership", {"operation": "remove", "target": "project", "target_id": "7"}) == (
        "remove membership in project 7"
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_example_of_the_sample_shows_the_main_cases(seed: int) -> None:
    sample = a_sample(seed=seed)
    evidence = perfect_evidence(sample)
    findings = examine(evidence, sample.broken, sent=len(sample.publications), partitions=PARTITIONS)
    person = choose_example_person(findings.clicks, findings.updates)

    assert person is not None
    remarks = {click.remark for click in person.clicks if not click.updates}
    assert 5 <= len(person.clicks) <= 12
    assert len({click.through for click in person.clicks}) >= 3
    assert any(remark.startswith("already applied through ") for remark in remarks)
    assert len(remarks) >= 2
    assert not any(MISSING in click.updates for click in person.clicks)
