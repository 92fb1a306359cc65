"""More links in a batch than a core keeps at hand."""

from dataclasses import replace

from actions.link import link_from_record
from consumer.decision.cores import CORES
from consumer.decision.plan import LinkPlan
from schemas.identity import hits_digest, link_digest
from tests.builders import a_click, a_link, an_action
from tests.click_parts import click_bytes
from tests.decision.test_cores import brought_about
from tests.decision.twins import DecisionHarness, core_on_trial, kinds, planner_for

LINKS = 17_000


class EveryLink:
    """Plans of one pattern, for whatever link is asked about. Implements `Plans`."""

    def __init__(self) -> None:
        self.ready: dict[tuple[bytes, int], LinkPlan | None] = {}
        self._pattern = planner_for().plan(link_from_record(a_link(an_action()), kinds()))

    def find(self, link_key: bytes, version: int) -> LinkPlan:
        name = link_key.decode(errors="replace")
        plan = replace(
            self._pattern,
            link_key=link_key,
            digest=link_digest("acme", name, 0),
            hits_key=hits_digest("acme", name),
            hits_name=link_key,
        )
        self.ready[link_key, version] = plan
        return plan


def test_cores_agree_on_more_links_than_the_plan_cache_holds() -> None:
    harness = DecisionHarness()
    harness.plans = EveryLink()  # type: ignore[assignment]  # the twin that a harness has knows only links that were defined
    batch = [click_bytes(a_click(number, link_id=f"link-{number}", link_version=None)) for number in range(LINKS)]
    decisions = []
    for name in CORES:
        core_on_trial.set(name)
        decisions.append(harness.decide(*batch))

    assert len(decisions[0].updates) == LINKS
    assert all(brought_about(each) == brought_about(decisions[0]) for each in decisions[1:])
