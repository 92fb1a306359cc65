"""Repeat rules and duplicates in the real process."""

from random import Random

from consumer.verify.reader import decode_update
from consumer.verify.update_record import RECORDS, TOPICS
from tests.builders import NOON, Record, a_link, an_action
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact, read
from tests.support.records import MINUTE, click_by

RULES = ("once", "once_per_mailing", "cooldown", "always")


def test_every_kind_follows_its_repeat_rule(deployment: Deployment) -> None:
    deployment.define(*(every_kind(rule) for rule in RULES))
    chance = Random(4)
    deployment.click(*(a_chance_click(chance) for _ in range(3_000)))
    deployment.start("a")
    deployment.wait_done()

    outcome = assert_exact(deployment)

    assert {(kind, "applied") for kind in RECORDS} < set(outcome.model.actions)
    assert {"no_person", "no_company", "duplicate"} <= {result for _, result in outcome.model.actions}


def test_once_rule_holds_over_mailings_flows_and_restarts(deployment: Deployment) -> None:
    deployment.define(
        a_link(an_action("SetField"), an_action("ChangeInterest", slot=1, rule="cooldown", period_ms=MINUTE))
    )
    deployment.click(
        click_by("r-1", mailing_id="m-1"),
        click_by("r-1", mailing_id="m-2"),
        click_by("r-1", mailing_id=None, flow_id="f-1", flow_run_id="run-1"),
    )
    deployment.drain("a")
    deployment.click(click_by("r-1", mailing_id="m-3", clicked_at=NOON + MINUTE - 1), click_by("r-2"))
    deployment.drain("a")
    deployment.click(click_by("r-1", mailing_id="m-4", clicked_at=NOON + MINUTE))
    deployment.drain("b")

    assert_exact(deployment)
    assert recipients(deployment, "set_field") == ["r-1", "r-2"]
    assert recipients(deployment, "interest") == ["r-1", "r-1", "r-2"]


def test_mailing_and_flow_run_of_same_name_differ(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField", rule="once_per_mailing")))
    mailing = click_by("r-1", mailing_id="42")
    runs = [click_by("r-1", mailing_id=None, flow_id=flow, flow_run_id="42") for flow in ("7", "8", None)]
    deployment.click(mailing, runs[0])
    deployment.drain("a")
    deployment.click(*runs, mailing, click_by("r-1", mailing_id="", flow_id="7", flow_run_id="42"))
    deployment.drain("b")

    assert_exact(deployment)
    ids = [decode_update(update)["update_id"] for update in read(deployment, TOPICS["set_field"])]
    assert len(set(ids)) == len(ids) == 4


def every_kind(rule: str) -> Record:
    period_ms = 10 * MINUTE if rule == "cooldown" else None
    actions = [an_action(update, slot=n, rule=rule, period_ms=period_ms) for n, update in enumerate(RECORDS.values())]
    company = an_action("ChangeInterest", slot=len(actions), rule=rule, period_ms=period_ms, scope="company")
    return a_link(*actions, company, link_id=rule)


def a_chance_click(chance: Random) -> Record:
    recipient = f"r-{chance.randrange(40)}"
    return click_by(
        recipient,
        chance.choice([*RULES, *RULES, "nobody defined this"]),
        clicked_at=NOON + chance.randrange(60) * MINUTE,
        mailing_id=chance.choice(["m-1", "m-2", None, "", " "]),
        flow_id=chance.choice(["f-1", "f-2", None, ""]),
        flow_run_id=chance.choice(["run-1", "m-1", None, ""]),
        person_id=chance.choice([f"person of {recipient}", f"person of {recipient}", None, ""]),
        company_id=chance.choice(["c-1", "c-1", None, ""]),
        link_version=None,
        test=chance.random() < 0.05,
    )


def recipients(deployment: Deployment, kind: str) -> list[str]:
    return sorted(decode_update(update)["recipient_id"] for update in read(deployment, TOPICS[kind]))
