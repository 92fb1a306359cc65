"""The reference model against the design, by hand: all other tests rely on the model."""

from typing import Any
from uuid import UUID, uuid5

import pytest
from confluent_kafka import murmur2

from consumer.verify.reference_model import ReferenceModel
from tests.builders import DAY, NOON, a_click, a_link, an_action

HOUR = 3_600_000


def outcomes(model: ReferenceModel, *clicks: dict[str, Any]) -> list[str]:
    return [model.click(click) for click in clicks]


def test_once_applies_once_across_mailings_and_flows() -> None:
    model = ReferenceModel([a_link(an_action())])

    clicks = [a_click(1), a_click(2, mailing_id="m-2"), a_click(3, mailing_id=None, flow_id="f", flow_run_id="f-1")]

    assert outcomes(model, *clicks) == ["applied", "duplicate", "duplicate"]


def test_recipients_links_and_tenants_are_independent() -> None:
    model = ReferenceModel([a_link(an_action()), a_link(an_action(), link_id="x"), a_link(an_action(), tenant_id="t")])

    others = [a_click(2, recipient_id="r-2"), a_click(3, link_id="x"), a_click(4, tenant_id="t")]

    assert outcomes(model, a_click(1), *others) == ["applied"] * 4


def test_new_epoch_applies_again() -> None:
    model = ReferenceModel([a_link(an_action())])
    model.click(a_click(1))
    model.define(a_link(an_action(), version=2, epoch=1))

    assert outcomes(model, a_click(2), a_click(3), a_click(4, link_version=1)) == ["applied", "duplicate", "duplicate"]


def test_once_per_mailing_applies_per_mailing_or_flow_run() -> None:
    model = ReferenceModel([a_link(an_action(rule="once_per_mailing"))])
    carriers = [("m-1", None), ("m-1", "x"), ("m-2", None), (None, "f-1"), (None, "f-2"), (None, "f-1"), (None, None)]

    clicks = [a_click(n, mailing_id=m, flow_run_id=run) for n, (m, run) in enumerate([*carriers, (None, None)])]

    assert outcomes(model, *clicks) == [
        "applied", "duplicate", "applied", "applied", "applied", "duplicate", "applied", "duplicate",
    ]  # fmt: skip


def test_mailings_and_flow_runs_of_one_name_are_distinct() -> None:
    model = ReferenceModel([a_link(an_action(rule="once_per_mailing"))])
    carriers = [("42", None, None), (None, "7", "42"), (None, "8", "42"), ("", "7", "42"), (" ", "7", None)]

    clicks = [a_click(n, mailing_id=m, flow_id=f, flow_run_id=run) for n, (m, f, run) in enumerate(carriers)]

    assert outcomes(model, *clicks) == ["applied", "applied", "applied", "duplicate", "applied"]
    assert len({each.update_id for each in model.expected}) == 4


@pytest.mark.parametrize("blank", ["", " \t"])
def test_blank_id_is_none_and_blank_click_id_a_bad_record(blank: str) -> None:
    model = ReferenceModel([a_link(an_action("SetField"), an_action("RunScript", slot=1))])

    assert outcomes(model, a_click(1, click_id=blank), a_click(2, person_id=blank)) == ["dead_lettered", "applied"]
    assert [each.record["person_id"] for each in model.expected] == [None]


def test_cooldown_runs_from_last_application_by_click_time() -> None:
    model = ReferenceModel([a_link(an_action(rule="cooldown", period_ms=HOUR))])
    after = [0, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR, 0]

    clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

    assert outcomes(model, *clicks) == ["applied", "duplicate", "applied", "duplicate", "applied", "duplicate"]


def test_always_applies_once_per_click_id() -> None:
    model = ReferenceModel([a_link(an_action(rule="always"))])

    assert outcomes(model, a_click(1), a_click(2), a_click(1)) == ["applied", "applied", "duplicate"]


def test_only_an_added_action_applies_at_the_next_click() -> None:
    model = ReferenceModel([a_link(an_action(slot=0))])
    model.click(a_click(1))
    model.define(a_link(an_action(slot=0), an_action("SetField", slot=1), version=2))

    assert outcomes(model, a_click(2)) == ["applied"]
    assert model.expected[-1].topic == "crm-updates.set-field.v1"
    assert model.actions == {
        ("interest", "applied"): 1, ("interest", "duplicate"): 1, ("set_field", "applied"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("update", ["SetField", "ChangeMembership", "CreateFollowUp", "OpenRequest", "ChangeInterest"])
def test_every_kind_but_script_needs_a_person(update: str) -> None:
    model = ReferenceModel([a_link(an_action(update))])

    clicks = [a_click(1, person_id=None), a_click(2), a_click(3, person_id=None)]

    assert outcomes(model, *clicks) == ["not_applicable", "applied", "duplicate"]


def test_script_needs_no_person() -> None:
    model = ReferenceModel([a_link(an_action("RunScript"))])

    assert outcomes(model, a_click(1, person_id=None, company_id=None)) == ["applied"]


def test_company_interest_needs_only_the_company() -> None:
    model = ReferenceModel([a_link(an_action(scope="company"))])

    clicks = [a_click(1, company_id=None), a_click(2, person_id=None)]

    assert outcomes(model, *clicks) == ["not_applicable", "applied"]
    assert model.actions["interest", "no_company"] == 1


def test_outcome_of_several_actions() -> None:
    """Applied if one applied, otherwise duplicate if one was a duplicate."""
    model = ReferenceModel([a_link(an_action(slot=0), an_action(slot=1, scope="company"))])

    clicks = [a_click(1, company_id=None), a_click(2, company_id=None), a_click(3)]

    assert outcomes(model, *clicks) == ["applied", "duplicate", "applied"]


def test_version_is_that_of_the_click_or_the_newest() -> None:
    model = ReferenceModel([a_link(an_action(), version=2), a_link(version=1)])

    clicks = [a_click(1, link_version=1), a_click(2, link_version=3), a_click(3), a_click(4, link_id="none")]

    assert outcomes(model, *clicks) == ["without_actions", "dead_lettered", "applied", "without_actions"]


def test_test_click_neither_applies_nor_counts() -> None:
    model = ReferenceModel([a_link(an_action())])

    assert outcomes(model, a_click(1, test=True), a_click(2)) == ["test", "applied"]
    assert model.hits == {("acme", "spring"): (0, 1, 1)}


def test_guarded_action_needs_a_confirmed_click() -> None:
    model = ReferenceModel([a_link(an_action(guard="confirm"))])

    clicks = [a_click(1), a_click(2, confirmed=True, page_click_id="c-1"), a_click(3), a_click(4, confirmed=True)]

    assert outcomes(model, *clicks) == ["not_applicable", "applied", "duplicate", "duplicate"]
    assert model.actions == {("interest", "not_confirmed"): 1, ("interest", "applied"): 1, ("interest", "duplicate"): 2}
    assert model.hits == {("acme", "spring"): (0, 3, 1)}


def test_guard_concerns_its_action_only() -> None:
    model = ReferenceModel([a_link(an_action(slot=0), an_action("SetField", slot=1, guard="confirm"))])

    clicks = [a_click(1), a_click(2), a_click(3, confirmed=True, page_click_id="c-2")]

    assert outcomes(model, *clicks) == ["applied", "duplicate", "applied"]
    assert model.hits == {("acme", "spring"): (0, 2, 1)}


def test_pressed_button_and_replayed_click_are_no_hits() -> None:
    model = ReferenceModel([a_link(an_action(rule="always"))])

    clicks = [a_click(1), a_click(2, page_click_id="c-1"), a_click(3, page_click_id=" "), a_click(4, replayed=True)]
    others = [a_click(5, replayed=True, recipient_id="r-2"), a_click(6, page_click_id="c-5", recipient_id="r-3")]

    assert outcomes(model, *clicks, *others) == ["applied"] * 6
    assert model.hits == {("acme", "spring"): (0, 2, 2)}


def test_first_click_counts_without_actions() -> None:
    model = ReferenceModel([a_link()])
    outcomes(model, a_click(1), a_click(2), a_click(3, recipient_id="r-2"))

    assert model.hits == {("acme", "spring"): (0, 3, 2)}


def test_new_epoch_counts_hits_from_zero() -> None:
    model = ReferenceModel([a_link(an_action("RunScript", rule="always")), a_link(version=2, epoch=1)])
    outcomes(model, a_click(1, link_version=1), a_click(2), a_click(3), a_click(4, link_version=1))

    assert model.hits == {("acme", "spring"): (1, 2, 1)}
    assert [each.record["link_hits"] for each in model.expected] == [1, 0]


def test_hits_are_summed_but_scripts_get_those_of_a_partition() -> None:
    partition_of = {recipient: murmur2(f"acme/{recipient}".encode(), 2) for recipient in "abcdefgh"}
    first, second = ([r for r, number in partition_of.items() if number == partition][:2] for partition in (0, 1))
    model = ReferenceModel([a_link(an_action("RunScript"))], partitions=2)
    outcomes(model, *(a_click(n, recipient_id=r) for n, r in enumerate([*first, *second])))

    assert [each.record["link_hits"] for each in model.expected] == [1, 2, 1, 2]
    assert model.hits == {("acme", "spring"): (0, 4, 4)}


def test_click_after_expiry_is_a_first_click() -> None:
    model = ReferenceModel([a_link(an_action())], retention_ms=DAY)
    after = [0, DAY, DAY + 1, DAY + 2]

    clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

    assert outcomes(model, *clicks) == ["applied", "duplicate", "applied", "duplicate"]
    assert model.hits == {("acme", "spring"): (0, 4, 2)}


def test_application_extends_the_dedupe_entry() -> None:
    model = ReferenceModel([a_link(an_action(rule="cooldown", period_ms=DAY // 2))], retention_ms=DAY)
    after = [0, DAY - 1, DAY + 1, 2 * DAY - 2]

    clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

    assert outcomes(model, *clicks) == ["applied", "applied", "duplicate", "applied"]


def test_update_has_fields_of_click_link_and_kind() -> None:
    model = ReferenceModel([a_link(an_action("SetField", slot=3), version=7, epoch=2)])
    model.click(a_click(1, flow_id="f-1"))

    [update] = model.expected
    name = "acme\x1fspring\x1f2\x1faction-3\x1fr-1\x1f"
    assert update.topic == "crm-updates.set-field.v1"
    assert update.key == b"acme/r-1"
    assert update.record == {
        "tenant_id": "acme",
        "link_id": "spring",
        "recipient_id": "r-1",
        "click_id": a_click(1)["click_id"],
        "clicked_at": NOON,
        "person_id": a_click()["person_id"],
        "company_id": a_click()["company_id"],
        "mailing_id": "m-1",
        "flow_id": "f-1",
        "flow_run_id": None,
        "update_id": str(uuid5(UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44"), name)),
        "link_version": 7,
        "epoch": 2,
        "action_id": "action-3",
        "field": "size",
        "value": "large",
    }


@pytest.mark.parametrize(
    ("rule", "period_ms", "scope"),
    [
        ("once", None, ""),
        ("once_per_mailing", None, "m-1"),
        ("once_per_mailing", None, "flow\x1f7\x1f42"),
        ("cooldown", HOUR, a_click(1)["click_id"]),
        ("always", None, a_click(1)["click_id"]),
    ],
)
def test_update_id_has_the_scope_of_the_repeat_rule(rule: str, period_ms: int | None, scope: str) -> None:
    model = ReferenceModel([a_link(an_action(rule=rule, period_ms=period_ms))])
    model.click(a_click(1) | ({"mailing_id": None, "flow_id": "7", "flow_run_id": "42"} if "flow" in scope else {}))

    name = f"acme\x1fspring\x1f0\x1faction-0\x1fr-1\x1f{scope}"
    assert model.expected[0].update_id == str(uuid5(UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44"), name))


@pytest.mark.parametrize(
    ("owner", "assignment", "written"),
    [("anna", "user", "anna"), ("auto", "auto", None), ("unassigned", "unassigned", None)],
)
def test_request_has_an_assignment_and_an_owner(owner: str, assignment: str, written: str | None) -> None:
    model = ReferenceModel([a_link(an_action("OpenRequest", owner=owner))])
    model.click(a_click(1))

    record = model.expected[0].record
    assert (record["assignment"], record["owner"]) == (assignment, written)


def test_placeholders_are_replaced_in_one_pass() -> None:
    text = "{link_name}|{link_id}|{link_url}|{mailing_id}|{flow_id}|{clicked_at}"
    link = a_link(an_action("OpenRequest", title=text), name="{link_id}", url=None)
    model = ReferenceModel([link])
    model.click(a_click(1, clicked_at=NOON + 999))

    assert model.expected[0].record["title"] == "{link_id}|spring||m-1||2025-11-25T12:00:00Z"


def test_script_has_the_url_and_the_hits() -> None:
    model = ReferenceModel([a_link(an_action("RunScript", rule="always"))])
    outcomes(model, a_click(1), a_click(2))

    record = model.expected[1].record
    assert record["link_url"] == "https://example.com/spring"
    assert (record["link_hits"], record["return_url_applies"]) == (2, False)
