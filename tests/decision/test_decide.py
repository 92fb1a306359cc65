"""The design's section 4, sentence by sentence."""

from collections import Counter
from typing import Any

import pytest
from confluent_kafka import murmur2

from consumer.changelog.entries import HITS_KEY_BYTES, SCOPED_KEY_BYTES, decode_entry
from consumer.decision.cores import CORES
from consumer.decision.decide import decide
from consumer.decision.decision import Decision, Rules
from consumer.decision.plan import Planner
from schemas.bad_record import BadRecord, Reason
from schemas.codec import confluent_frame, decode_body, single_object_frame
from tests.builders import DAY, NOON, Record, a_click, a_link, an_action
from tests.click_parts import click_bytes, text
from tests.decision.strategies import HOUR
from tests.decision.twins import DecisionHarness, MemoryPlans, core_on_trial, decoded, layouts, planner_for, schemas


def outcome(decision: Decision) -> str:
    """What became of the one click of a batch."""
    [found] = +decision.clicks
    return str(found)


def outcomes(harness: DecisionHarness, *clicks: Record) -> list[str]:
    return [outcome(harness.take(click)) for click in clicks]


def applied(harness: DecisionHarness) -> list[tuple[str, str]]:
    """Recipient and action of each update so far."""
    return [(update["recipient_id"], update["action_id"]) for update in decoded(harness.updates)]


def brings_nothing_about(decision: Decision) -> bool:
    return not (decision.updates or decision.entries or decision.hits.counts())


class TestOnce:
    def test_once_applies_at_first_click_across_mailings_and_flows(self) -> None:
        harness = DecisionHarness(a_link(an_action()))

        clicks = [a_click(1), a_click(2, mailing_id="m-2"), a_click(3, mailing_id=None, flow_run_id="f-1")]

        assert outcomes(harness, *clicks) == ["applied", "duplicate", "duplicate"]

    def test_each_recipient_link_and_tenant_has_its_own_first_click(self) -> None:
        harness = DecisionHarness(
            a_link(an_action()), a_link(an_action(), link_id="x"), a_link(an_action(), tenant_id="t")
        )

        others = [a_click(2, recipient_id="r-2"), a_click(3, link_id="x"), a_click(4, tenant_id="t")]

        assert outcomes(harness, a_click(1), *others) == ["applied"] * 4

    def test_ids_that_run_together_are_told_apart(self) -> None:
        harness = DecisionHarness(
            a_link(an_action(), tenant_id="ab", link_id="c"), a_link(an_action(), tenant_id="a", link_id="bc")
        )

        clicks = [a_click(1, tenant_id="ab", link_id="c"), a_click(2, tenant_id="a", link_id="bc")]

        assert outcomes(harness, *clicks) == ["applied", "applied"]

    def test_reset_ignores_clicks_from_before_it(self) -> None:
        harness = DecisionHarness(a_link(an_action()))
        harness.take(a_click(1))
        harness.plans.define(a_link(an_action(), version=2, epoch=1))

        assert outcomes(harness, a_click(2), a_click(3)) == ["applied", "duplicate"]


class TestOncePerMailing:
    LINK = a_link(an_action(rule="once_per_mailing"))

    def test_it_applies_once_for_each_mailing(self) -> None:
        clicks = [a_click(number, mailing_id=mailing) for number, mailing in enumerate(["m-1", "m-1", "m-2", "m-1"])]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate", "applied", "duplicate"]

    def test_it_applies_once_for_each_run_of_a_flow(self) -> None:
        runs = ["f-1", "f-1", "f-2"]

        clicks = [a_click(number, mailing_id=None, flow_run_id=run) for number, run in enumerate(runs)]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate", "applied"]

    def test_where_the_click_names_neither_it_applies_once(self) -> None:
        clicks = [a_click(number, mailing_id=None) for number in range(2)]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate"]

    def test_the_mailing_goes_before_the_run_of_a_flow(self) -> None:
        clicks = [a_click(1, flow_run_id="f-1"), a_click(2, flow_run_id="f-2")]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate"]

    def test_a_mailing_and_a_run_of_the_same_name_are_two(self) -> None:
        harness = DecisionHarness(self.LINK)

        clicks = [a_click(1, mailing_id="42"), a_click(2, mailing_id=None, flow_id="7", flow_run_id="42")]

        assert outcomes(harness, *clicks, *clicks) == ["applied", "applied", "duplicate", "duplicate"]
        assert len({update["update_id"] for update in decoded(harness.updates)}) == 2

    def test_runs_of_the_same_name_in_two_flows_are_two(self) -> None:
        harness = DecisionHarness(self.LINK)

        clicks = [
            a_click(n, mailing_id=None, flow_id=flow, flow_run_id="42") for n, flow in enumerate(["7", "8", None])
        ]

        assert outcomes(harness, *clicks) == ["applied"] * 3
        assert len({update["update_id"] for update in decoded(harness.updates)}) == 3

    def test_a_flow_without_a_run_names_neither(self) -> None:
        clicks = [a_click(n, mailing_id=None, flow_id=flow) for n, flow in enumerate(["7", "8"])]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate"]

    @pytest.mark.parametrize("blank", ["", " \t"])
    def test_a_blank_mailing_or_run_is_none(self, blank: str) -> None:
        harness = DecisionHarness(self.LINK)

        clicks = [
            a_click(1, mailing_id=blank, flow_id=blank, flow_run_id=blank),
            a_click(2, mailing_id=None),
            a_click(3, mailing_id=blank, flow_id="7", flow_run_id="42"),
            a_click(4, mailing_id=None, flow_id="7", flow_run_id="42"),
        ]

        assert outcomes(harness, *clicks) == ["applied", "duplicate", "applied", "duplicate"]

    def test_a_click_named_like_a_mailing_is_not_held_for_it(self) -> None:
        """The rule of an action may change from one version to the next; its memory is the same."""
        harness = DecisionHarness(self.LINK, a_link(an_action(rule="always"), version=2))

        clicks = [a_click(1, mailing_id="42", link_version=1), a_click(2, click_id="42", link_version=2)]

        assert outcomes(harness, *clicks) == ["applied", "applied"]


class TestEarlierSubscribers:
    """An update that uses nothing of a later schema is written as before it."""

    @pytest.mark.parametrize(
        ("parameters", "schema"), [({}, -1), ({"script_version": 2}, None), ({"parameters": {"a": "b"}}, None)]
    )
    def test_script_update_is_written_with_the_oldest_schema_that_holds_it(
        self, parameters: Record, schema: int | None
    ) -> None:
        newest = schemas()["RunScript"]
        wanted = newest if schema is None else newest.earlier[schema]
        harness = DecisionHarness(a_link(an_action("RunScript", **parameters)))

        [(_, value, _, _)] = harness.take(a_click()).updates

        assert value.startswith(single_object_frame(wanted))
        (update,) = decoded([("", value, b"", [])])
        assert (update["script_version"], update["parameters"]) == (
            parameters.get("script_version"),
            parameters.get("parameters", {}),
        )

    def test_registrys_frame_means_the_current_schema(self) -> None:
        frames = {name: confluent_frame(number) for number, name in enumerate(sorted(schemas()))}
        harness = DecisionHarness()
        harness.plans = MemoryPlans([a_link(an_action("RunScript"))], planner=Planner(schemas(), frames, ""))

        [(_, value, _, _)] = harness.take(a_click()).updates

        record = decode_body(schemas()["RunScript"], schemas()["RunScript"], value[5:])
        assert (value[:5], record["parameters"]) == (frames["RunScript"], {})


class TestBlankIds:
    """An export writes an empty text where nothing is known."""

    @pytest.mark.parametrize("blank", ["", "  "])
    def test_a_blank_person_is_nobody(self, blank: str) -> None:
        harness = DecisionHarness(a_link(an_action(), an_action("RunScript", slot=1)))

        decision = harness.take(a_click(1, person_id=blank))

        assert decision.actions == Counter({("interest", "no_person"): 1, ("script", "applied"): 1})

    @pytest.mark.parametrize("blank", ["", "  "])
    @pytest.mark.parametrize("rule", ["once", "once_per_mailing", "always"])
    def test_no_update_carries_one(self, rule: str, blank: str) -> None:
        harness = DecisionHarness(a_link(an_action("RunScript", rule=rule)))
        names = ("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")

        harness.take(a_click(1, **dict.fromkeys(names, blank)))

        assert [decoded(harness.updates)[0][name] for name in names] == [None] * 5

    @pytest.mark.parametrize("blank", ["", "  "])
    @pytest.mark.parametrize("rule", ["once", "once_per_mailing", "cooldown", "always"])
    def test_click_without_id_is_dead_letter_and_leaves_no_entry(self, rule: str, blank: str) -> None:
        harness = DecisionHarness(a_link(an_action(rule=rule, period_ms=HOUR if rule == "cooldown" else None)))

        decision = harness.take(a_click(1, click_id=blank))

        assert [bad.reason for bad in decision.dead_letters.values()] == [Reason.CLICK_ID_MISSING]
        assert brings_nothing_about(decision)

    def test_one_among_many_leaves_the_others_to_the_fastest_core(self) -> None:
        harness = DecisionHarness(a_link(an_action("RunScript")))
        clicks = [a_click(n, recipient_id=f"r-{n}", mailing_id="" if n == 5 else "m-1") for n in range(10)]

        harness.take(*clicks)

        mailings = [update["mailing_id"] for update in decoded(harness.updates)]
        assert mailings == ["m-1"] * 5 + [None] + ["m-1"] * 4


class TestCooldown:
    LINK = a_link(an_action(rule="cooldown", period_ms=HOUR))

    def test_cooldown_applies_again_after_the_period(self) -> None:
        after = [0, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 2 * HOUR]

        clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == [
            "applied", "duplicate", "applied", "duplicate", "duplicate", "applied",
        ]  # fmt: skip

    def test_a_click_that_comes_late_is_measured_by_its_own_time(self) -> None:
        clicks = [a_click(1, clicked_at=NOON + HOUR), a_click(2, clicked_at=NOON)]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["applied", "duplicate"]

    def test_cooldown_runs_from_latest_application_in_any_order(self) -> None:
        clicks = [
            a_click(1, person_id=None),
            a_click(2, clicked_at=NOON - HOUR),
            a_click(3, clicked_at=NOON),
            a_click(4, clicked_at=NOON + 1),
        ]

        assert outcomes(DecisionHarness(self.LINK), *clicks) == ["not_applicable", "applied", "applied", "duplicate"]

    def test_cooldown_added_later_runs_from_last_application(
        self,
    ) -> None:
        harness = DecisionHarness(a_link(an_action()))
        clicks = [a_click(1, person_id=None), a_click(2, clicked_at=NOON + HOUR - 1)]
        assert outcomes(harness, *clicks) == ["not_applicable", "applied"]

        harness.plans.define(a_link(an_action(rule="cooldown", period_ms=HOUR), version=2))

        later = [a_click(3, clicked_at=NOON + HOUR), a_click(4, clicked_at=NOON + 2 * HOUR - 1)]
        assert outcomes(harness, *later) == ["duplicate", "applied"]


class TestAlways:
    LINK = a_link(an_action(rule="always"))

    def test_it_applies_at_every_click(self) -> None:
        assert outcomes(DecisionHarness(self.LINK), a_click(1), a_click(2), a_click(3)) == ["applied"] * 3

    def test_one_click_id_acts_once_however_often_it_is_published(self) -> None:
        harness = DecisionHarness(self.LINK)

        assert outcomes(harness, a_click(1), a_click(2), a_click(1)) == ["applied", "applied", "duplicate"]
        assert outcome(harness.take(a_click(2))) == "duplicate"

    def test_the_same_click_id_of_somebody_else_is_another_click(self) -> None:
        assert outcomes(DecisionHarness(self.LINK), a_click(1), a_click(1, recipient_id="r-2")) == [
            "applied",
            "applied",
        ]


class TestMemoryPerAction:
    def test_earlier_clicker_gets_only_the_added_action(self) -> None:
        harness = DecisionHarness(a_link(an_action(slot=0)))
        harness.take(a_click(1))
        harness.plans.define(a_link(an_action(slot=0), an_action("SetField", slot=1), version=2))

        assert outcomes(harness, a_click(2), a_click(3)) == ["applied", "duplicate"]
        assert applied(harness) == [("r-1", "action-0"), ("r-1", "action-1")]

    def test_restored_action_is_still_a_duplicate(self) -> None:
        harness = DecisionHarness(a_link(an_action(slot=3)))
        harness.take(a_click(1))
        harness.plans.define(a_link(version=2))
        harness.take(a_click(2))
        harness.plans.define(a_link(an_action(slot=3), version=3))

        assert outcome(harness.take(a_click(3))) == "duplicate"

    @pytest.mark.parametrize("rule", ["once", "once_per_mailing", "cooldown", "always"])
    def test_a_duplicate_changes_nothing_but_the_hits(self, rule: str) -> None:
        period_ms = HOUR if rule == "cooldown" else None
        harness = DecisionHarness(a_link(an_action(rule=rule, period_ms=period_ms), an_action("RunScript", slot=1)))
        harness.take(a_click(1))

        decision = harness.take(a_click(1))

        assert outcome(decision) == "duplicate"
        assert [len(key) for key in decision.entries] == [HITS_KEY_BYTES]

    def test_an_entry_takes_no_more_bytes_than_it_must(self) -> None:
        harness = DecisionHarness(a_link(an_action(), an_action("SetField", slot=1), an_action("RunScript", slot=2)))
        harness.take(a_click(1))

        assert sorted(len(value) for _, value in harness.entries()) == [10, 25]

    def test_slots_may_be_many(self) -> None:
        link = a_link(*(an_action("SetField", slot=slot, field=f"f-{slot}") for slot in range(200)))
        harness = DecisionHarness(link)
        harness.take(a_click(1))
        harness.plans.define(link | {"version": 2, "actions": [*link["actions"], an_action(slot=200)]})
        harness.take(a_click(2))

        assert [action for _, action in applied(harness)] == [f"action-{slot}" for slot in range(201)]

    def test_a_click_is_decided_by_the_version_it_names(self) -> None:
        harness = DecisionHarness(a_link(an_action(slot=0)), a_link(an_action(slot=1), version=2))

        assert outcomes(harness, a_click(1, link_version=1), a_click(2)) == ["applied", "applied"]
        assert applied(harness) == [("r-1", "action-0"), ("r-1", "action-1")]


class TestNeeds:
    @pytest.mark.parametrize("update", ["SetField", "ChangeMembership", "CreateFollowUp", "OpenRequest"])
    def test_unknown_person_applies_and_records_nothing(self, update: str) -> None:
        harness = DecisionHarness(a_link(an_action(update)))

        unknown = harness.take(a_click(1, person_id=None))

        assert outcome(unknown) == "not_applicable"
        assert list(unknown.actions.values()) == [1]
        assert next(iter(unknown.actions))[1] == "no_person"
        assert outcome(harness.take(a_click(2))) == "applied"

    def test_a_companys_interest_needs_the_company_and_no_person(self) -> None:
        harness = DecisionHarness(a_link(an_action(scope="company")))

        unknown = harness.take(a_click(1, company_id=None))

        assert unknown.actions == {("interest", "no_company"): 1}
        assert outcome(harness.take(a_click(2, person_id=None))) == "applied"

    def test_a_script_needs_nobody(self) -> None:
        assert outcomes(DecisionHarness(a_link(an_action("RunScript"))), a_click(person_id=None, company_id=None)) == [
            "applied"
        ]

    def test_applied_action_is_duplicate_for_unknown_person(self) -> None:
        assert outcomes(DecisionHarness(a_link(an_action())), a_click(1), a_click(2, person_id=None)) == [
            "applied",
            "duplicate",
        ]

    def test_click_is_applied_if_any_action_is(self) -> None:
        harness = DecisionHarness(a_link(an_action("SetField", slot=0), an_action(slot=1, scope="company")))

        decision = harness.take(a_click(1, company_id=None))

        assert outcome(decision) == "applied"
        assert decision.actions == {("set_field", "applied"): 1, ("interest", "no_company"): 1}

    def test_else_it_is_a_duplicate_if_one_of_its_actions_is(self) -> None:
        harness = DecisionHarness(a_link(an_action("SetField", slot=0), an_action(slot=1, scope="company")))
        harness.take(a_click(1, company_id=None))

        assert outcome(harness.take(a_click(2, company_id=None))) == "duplicate"


class TestGuards:
    """An action with `confirm` applies for confirmed clicks only; before that it leaves no trace but counts."""

    @pytest.mark.parametrize(
        ("rule", "period_ms"), [("once", None), ("once_per_mailing", None), ("cooldown", HOUR), ("always", None)]
    )
    def test_unconfirmed_click_takes_no_slot_and_begins_no_cooldown(self, rule: str, period_ms: int | None) -> None:
        harness = DecisionHarness(a_link(an_action(rule=rule, period_ms=period_ms, guard="confirm")))

        page = harness.take(a_click(1))

        assert (outcome(page), page.actions) == ("not_applicable", {("interest", "not_confirmed"): 1})
        assert [key for key in page.entries if len(key) != HITS_KEY_BYTES] == []
        assert outcome(harness.take(a_click(2, confirmed=True))) == "applied"

    def test_the_page_is_the_hit_and_the_confirmation_the_first_click(self) -> None:
        harness = DecisionHarness(a_link(an_action(guard="confirm")))

        unconfirmed = harness.take(a_click(1), a_click(2))
        confirmed = harness.take(a_click(3, confirmed=True, page_click_id=a_click(2)["click_id"]))

        assert TestHits.counts(unconfirmed) == [(b"acme/spring", 0, 2, 0)]
        assert TestHits.counts(confirmed) == [(b"acme/spring", 0, 2, 1)]

    def test_one_click_confirmation_without_a_page_is_hit_and_first_click(self) -> None:
        decision = DecisionHarness(a_link(an_action(guard="confirm"))).take(a_click(1, confirmed=True))

        assert TestHits.counts(decision) == [(b"acme/spring", 0, 1, 1)]
        assert outcome(decision) == "applied"

    def test_other_actions_of_the_link_are_unaffected(self) -> None:
        harness = DecisionHarness(a_link(an_action(), an_action("SetField", slot=1, guard="confirm")))

        page, again = harness.take(a_click(1)), harness.take(a_click(2))
        confirmed = harness.take(a_click(3, confirmed=True))

        assert page.actions == {("interest", "applied"): 1, ("set_field", "not_confirmed"): 1}
        assert again.actions == {("interest", "duplicate"): 1, ("set_field", "not_confirmed"): 1}
        assert confirmed.actions == {("interest", "duplicate"): 1, ("set_field", "applied"): 1}
        assert applied(harness) == [("r-1", "action-0"), ("r-1", "action-1")]

    def test_applied_action_is_duplicate_for_unconfirmed_click(self) -> None:
        harness = DecisionHarness(a_link(an_action(guard="confirm")))

        assert outcomes(harness, a_click(1, confirmed=True), a_click(2)) == ["applied", "duplicate"]

    def test_confirmed_click_still_needs_the_person(self) -> None:
        harness = DecisionHarness(a_link(an_action("SetField", guard="confirm")))

        decisions = [harness.take(a_click(n, person_id=None, confirmed=yes)) for n, yes in enumerate([False, True])]

        assert [list(each.actions) for each in decisions] == [
            [("set_field", "not_confirmed")],
            [("set_field", "no_person")],
        ]

    def test_entry_that_expired_is_kept_as_it_is_by_an_unconfirmed_click(self) -> None:
        harness = DecisionHarness(a_link(an_action(guard="confirm")), retention_ms=HOUR)
        harness.take(a_click(1, confirmed=True))

        late = harness.take(a_click(2, clicked_at=NOON + 2 * HOUR))

        assert late.actions == {("interest", "not_confirmed"): 1}
        assert [key for key in late.entries if len(key) != HITS_KEY_BYTES] == []
        assert TestHits.counts(late) == [(b"acme/spring", 0, 2, 1)]

    def test_each_version_has_its_own_guard(self) -> None:
        harness = DecisionHarness(a_link(an_action(guard="confirm")), a_link(an_action(), version=2))

        clicks = [a_click(1, link_version=1), a_click(2, link_version=2), a_click(3, link_version=1)]

        assert outcomes(harness, *clicks) == ["not_applicable", "applied", "duplicate"]


class TestOrder:
    def test_actions_of_one_click_happen_in_the_order_of_the_definition(self) -> None:
        harness = DecisionHarness(a_link(*(an_action("SetField", slot=slot) for slot in (5, 0, 9, 3))))
        harness.take(a_click(1))

        assert [action for _, action in applied(harness)] == ["action-5", "action-0", "action-9", "action-3"]

    def test_updates_keep_the_order_of_the_clicks(self) -> None:
        simple, closer = an_action("SetField", slot=0), an_action("SetField", slot=1, rule="always")
        harness = DecisionHarness(a_link(simple), a_link(closer, link_id="x"))
        clicks = [a_click(n, link_id=link, recipient_id=f"r-{n}") for n, link in enumerate(["spring", "x"] * 5)]
        harness.take(*clicks)

        assert [recipient for recipient, _ in applied(harness)] == [f"r-{number}" for number in range(10)]

    def test_click_sees_effects_of_earlier_clicks_in_batch(self) -> None:
        decision = DecisionHarness(a_link(an_action())).take(a_click(1), a_click(2), a_click(3))

        assert +decision.clicks == Counter(applied=1, duplicate=2)


class TestMemoryThatExpires:
    def test_it_makes_the_next_click_a_first_one(self) -> None:
        harness = DecisionHarness(a_link(an_action()), retention_ms=DAY)
        after = [0, DAY, DAY + 1, DAY + 2]

        clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

        assert outcomes(harness, *clicks) == ["applied", "duplicate", "applied", "duplicate"]

    def test_an_application_keeps_it_as_long_again(self) -> None:
        harness = DecisionHarness(a_link(an_action(rule="cooldown", period_ms=DAY // 2)), retention_ms=DAY)
        after = [0, DAY - 1, DAY + 1, 2 * DAY - 2]

        clicks = [a_click(number, clicked_at=NOON + time) for number, time in enumerate(after)]

        assert outcomes(harness, *clicks) == ["applied", "applied", "duplicate", "applied"]

    def test_it_is_kept_for_ever_by_default(self) -> None:
        harness = DecisionHarness(a_link(an_action()), now=NOON + 30_000 * DAY)

        assert outcomes(harness, a_click(1), a_click(2, clicked_at=NOON + 20_000 * DAY)) == ["applied", "duplicate"]


class TestPartitions:
    def test_misrouted_click_is_rerouted_without_effect_here(self) -> None:
        right = murmur2(b"acme/r-1", 8)
        harness = DecisionHarness(a_link(an_action()), partitions=8)

        decision = harness.take(a_click(1), partition=(right + 3) % 8)

        assert outcome(decision) == "rerouted"
        assert decision.rerouted == [(0, b"acme/r-1", right)]
        assert brings_nothing_about(decision)

    def test_only_a_whole_click_is_sent_on(self) -> None:
        harness = DecisionHarness(a_link(an_action()), partitions=8)
        value = click_bytes(a_click(1)) + b"\0"

        decisions = [harness.decide(value, partition=partition) for partition in range(8)]

        assert [outcome(decision) for decision in decisions] == ["dead_lettered"] * 8


class TestDefinitions:
    def test_undefined_link_has_no_actions_and_leaves_no_state(self) -> None:
        decision = DecisionHarness().take(a_click(1))

        assert outcome(decision) == "without_actions"
        assert brings_nothing_about(decision)

    def test_unknown_version_is_reported_to_be_awaited(self) -> None:
        decision = DecisionHarness(a_link()).take(a_click(1), a_click(2, link_version=7), a_click(3))

        assert decision.unknown_versions() == [1]
        assert decision.dead_letters[1].reason is Reason.UNKNOWN_VERSION

    def test_named_version_of_undefined_link_is_awaited(self) -> None:
        assert DecisionHarness().take(a_click(1, link_version=1)).unknown_versions() == [0]

    def test_a_version_without_actions_stops_them(self) -> None:
        harness = DecisionHarness(a_link(an_action()), a_link(version=2))

        assert outcome(harness.take(a_click(1))) == "without_actions"

    def test_a_deleted_link_goes_on_acting(self) -> None:
        assert outcomes(DecisionHarness(a_link(an_action(), status="deleted")), a_click(1)) == ["applied"]


class TestTestClicks:
    def test_one_never_acts_never_counts_and_leaves_no_state(self) -> None:
        decision = DecisionHarness(a_link(an_action())).take(a_click(1, test=True))

        assert outcome(decision) == "test"
        assert brings_nothing_about(decision)

    def test_its_version_need_not_be_known(self) -> None:
        assert outcome(DecisionHarness().take(a_click(1, test=True, link_version=7))) == "test"


class TestHits:
    @staticmethod
    def counts(decision: Decision) -> list[tuple[bytes, int, int, int]]:
        return [(plan.hits_name, hits.epoch, hits.clicks, hits.first_clicks) for plan, hits in decision.hits.counts()]

    def test_clicks_and_first_clicks_are_counted_by_link(self) -> None:
        harness = DecisionHarness(a_link(an_action()), a_link(link_id="x"))
        harness.take(a_click(1), a_click(2))

        decision = harness.take(a_click(3, recipient_id="r-2"), a_click(4, link_id="x"))

        assert self.counts(decision) == [(b"acme/spring", 0, 3, 2), (b"acme/x", 0, 1, 1)]

    def test_versions_of_a_link_are_counted_together(self) -> None:
        harness = DecisionHarness(a_link(), a_link(an_action(), version=2))

        decision = harness.take(a_click(1, link_version=1), a_click(2, link_version=2))

        assert self.counts(decision) == [(b"acme/spring", 0, 2, 1)]

    @pytest.mark.parametrize("in_one_batch", [True, False])
    def test_new_epoch_counts_from_zero_and_ignores_older_clicks(self, in_one_batch: bool) -> None:
        script = an_action("RunScript", rule="always")
        harness = DecisionHarness(a_link(script), a_link(script, version=2, epoch=1))
        clicks = [a_click(number, link_version=version) for number, version in enumerate([1, 1, 2, 1, 2])]
        decision = harness.take(*clicks) if in_one_batch else [harness.take(click) for click in clicks][-1]

        assert self.counts(decision) == [(b"acme/spring", 1, 2, 1)]
        assert [update["link_hits"] for update in decoded(harness.updates)] == [1, 2, 1, 0, 2]

    @pytest.mark.parametrize("rule", ["once", "always"])
    def test_pressed_button_is_no_second_hit(self, rule: str) -> None:
        """The page on which the person pressed it is the hit; the click acts like any other."""
        harness = DecisionHarness(a_link(an_action("RunScript", rule=rule)))
        page = a_click(1)

        pressed = harness.take(page, a_click(2, page_click_id=page["click_id"]))

        assert self.counts(pressed) == [(b"acme/spring", 0, 1, 1)]
        assert [update["link_hits"] for update in decoded(harness.updates)] == ([1] if rule == "once" else [1, 1])

    def test_pressed_button_is_a_first_click_if_the_page_was_none(self) -> None:
        decision = DecisionHarness(a_link(an_action())).take(a_click(1, page_click_id="c-0"))

        assert self.counts(decision) == [(b"acme/spring", 0, 0, 1)]
        assert outcome(decision) == "applied"

    def test_replayed_click_acts_but_is_no_hit(self) -> None:
        harness = DecisionHarness(a_link(an_action()))

        first, again = harness.take(a_click(1, replayed=True)), harness.take(a_click(2, replayed=True))

        assert (outcome(first), outcome(again)) == ("applied", "duplicate")
        assert self.counts(again) == [(b"acme/spring", 0, 0, 0)]

    def test_replayed_click_of_a_new_epoch_starts_its_counts_at_zero(self) -> None:
        link = a_link(an_action("RunScript", rule="always"))
        harness = DecisionHarness(link, link | {"version": 2, "epoch": 1})
        harness.take(a_click(1, link_version=1), a_click(2, link_version=1))

        assert self.counts(harness.take(a_click(3, replayed=True))) == [(b"acme/spring", 1, 0, 0)]
        assert [update["link_hits"] for update in decoded(harness.updates)] == [1, 2, 0]


class TestUpdates:
    def test_the_bytes_of_the_click_stand_at_the_start_and_the_key_is_its_own(self) -> None:
        harness = DecisionHarness(a_link(an_action()))
        harness.take(a_click(1))
        [(topic, value, key, headers)] = harness.updates

        shared = click_bytes(a_click(1))[10:]
        assert value[10:].startswith(shared[: shared.index(text(b"m-1")) + 4])
        assert (topic, key) == ("crm-updates.interest.v1", b"acme/r-1")
        assert dict(headers)["ce_id"].decode() == decoded(harness.updates)[0]["update_id"]

    def test_topics_have_the_prefix_and_event_types_do_not(self) -> None:
        harness = DecisionHarness()
        harness.plans = MemoryPlans([a_link(an_action())], planner=planner_for("test."))
        harness.take(a_click(1))
        [(topic, _, _, headers)] = harness.updates

        assert topic == "test.crm-updates.interest.v1"
        assert ("ce_type", b"crm-updates.interest.v1") in headers

    def test_they_stand_in_the_frame_of_a_registry_where_there_is_one(self) -> None:
        frames = {name: confluent_frame(number) for number, name in enumerate(schemas())}
        harness, framed = DecisionHarness(a_link(an_action())), DecisionHarness()
        framed.plans = MemoryPlans([a_link(an_action())], planner=Planner(schemas(), frames, ""))
        harness.take(a_click(1))
        framed.take(a_click(1))

        assert framed.updates[0][1] == frames["ChangeInterest"] + harness.updates[0][1][10:]

    def test_the_id_is_the_same_whichever_click_mailing_time_or_version_brought_it_about(self) -> None:
        desks = [
            DecisionHarness(a_link(an_action(), version=3)),
            DecisionHarness(a_link(an_action(), an_action("SetField", slot=1))),
        ]
        desks[0].take(a_click(1))
        desks[1].take(a_click(2, mailing_id=None, clicked_at=NOON + DAY))

        first, second = (decoded(harness.updates)[0]["update_id"] for harness in desks)

        assert first == second


class TestPurity:
    def decision(self, **changes: Any) -> Decision:
        arguments: dict[str, Any] = {
            "values": [click_bytes(a_click(1)), click_bytes(a_click(2))],
            "partition": 0,
            "layouts": layouts(),
            "plans": MemoryPlans([a_link(an_action())]),
            "look_up": lambda keys: [None] * len(keys),
            "open_core": CORES[core_on_trial.get()],
            "rules": Rules(1),
            "now": NOON,
        }
        return decide(**(arguments | changes))

    def test_the_same_again_is_the_same(self) -> None:
        first, second = self.decision(), self.decision()

        assert (first.updates, first.entries, first.clicks) == (second.updates, second.entries, second.clicks)

    def test_now_only_tells_absurd_times(self) -> None:
        assert self.decision(now=NOON + 1_000 * DAY).updates == self.decision().updates
        assert {bad.reason for bad in self.decision(now=NOON - DAY - 1).dead_letters.values()} == {
            Reason.TIMESTAMP_OUT_OF_RANGE
        }
        assert not self.decision(now=NOON - DAY).dead_letters

    def test_click_at_time_limit_is_kept_beside_one_out_of_range(self) -> None:
        edges = Rules(1).earliest_ms, NOON + Rules(1).max_ahead_ms
        clicks = [a_click(1, clicked_at=edges[0] - 1), *(a_click(2, clicked_at=edge) for edge in edges)]

        assert list(self.decision(values=list(map(click_bytes, clicks))).dead_letters) == [0]

    def test_a_rejected_row_is_a_dead_letter_whatever_it_holds(self) -> None:
        rejected = BadRecord(Reason.REJECTED_BY_BROKER, "too large")

        decision = self.decision(rejected={0: rejected})

        assert decision.dead_letters == {0: rejected}
        assert decoded(decision.updates)[0]["click_id"] == a_click(2)["click_id"]
        assert decision.counts().balanced


def test_a_decision_tells_each_reason_among_others() -> None:
    bad = {0: BadRecord(Reason.TRUNCATED, ""), 3: BadRecord(Reason.UNKNOWN_SCHEMA, "")}
    assert Decision(dead_letters=bad).has(Reason.UNKNOWN_SCHEMA)
    assert not Decision(dead_letters=bad).has(Reason.MALFORMED)
    assert not Decision().has(Reason.UNKNOWN_SCHEMA)


def test_a_later_application_in_one_mailing_keeps_its_time() -> None:
    """A later version of the link may give the action a cooldown, which runs from there."""
    anyone, known = an_action("RunScript", rule="once_per_mailing"), an_action(rule="once_per_mailing", slot=1)
    harness = DecisionHarness(a_link(anyone, known))
    harness.take(a_click(1, person_id=None, clicked_at=NOON))

    decision = harness.take(a_click(2, clicked_at=NOON + HOUR))

    [entry] = [value for key, value in decision.entries.items() if len(key) == SCOPED_KEY_BYTES]
    assert entry is not None
    assert decode_entry(entry).last_applied == {0: NOON, 1: NOON + HOUR}
