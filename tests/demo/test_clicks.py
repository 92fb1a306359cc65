from collections import Counter, defaultdict

import pytest

from consumer.demo.campaign import CARRIERS, DAY_MS, carriers_of
from consumer.demo.clicks import OPTIONAL_IDS, UNDEFINED_LINK, SampleClick, sample_clicks
from consumer.verify.reference_model import ReferenceModel
from tests.demo.perfect import CLICKS, NOON, links
from tests.schemas.pins import released_kinds

START = NOON - 13 * DAY_MS


@pytest.fixture(scope="module")
def clicks() -> list[SampleClick]:
    return sample_clicks(CLICKS, seed=1, starts_at_ms=START)


@pytest.fixture(scope="module")
def model(clicks: list[SampleClick]) -> ReferenceModel:
    model = ReferenceModel(links())
    for click in clicks:
        model.click(click.record)
    return model


def test_clicks_are_determined_by_the_seed(clicks: list[SampleClick]) -> None:
    assert sample_clicks(CLICKS, seed=1, starts_at_ms=START) == clicks
    assert sample_clicks(CLICKS, seed=2, starts_at_ms=START) != clicks


def test_clicks_are_in_the_order_of_publishing(clicks: list[SampleClick]) -> None:
    times = [click.published_at_ms for click in clicks]

    assert len(clicks) == CLICKS
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < NOON


@pytest.mark.parametrize("carrier", [carrier for carrier in CARRIERS if not carrier.is_flow], ids=lambda c: c.name)
def test_clicks_burst_after_each_mailing(clicks: list[SampleClick], carrier: object) -> None:
    mailing = next(each for each in CARRIERS if each is carrier)
    since = [
        click.record["clicked_at"] - START - mailing.sent_at_ms
        for click in clicks
        if click.record["mailing_id"] == mailing.name
    ]

    assert min(since) >= 0
    assert sum(time < DAY_MS / 2 for time in since) > len(since) / 2
    assert sum(DAY_MS / 2 <= time < DAY_MS for time in since) < len(since) / 5


def test_links_follow_zipfs_law(clicks: list[SampleClick]) -> None:
    mailing = CARRIERS[0]
    counts = Counter(click.record["link_id"] for click in clicks if click.record["mailing_id"] == mailing.name)
    ranked = [counts[link_id] for link_id in mailing.links]

    assert ranked[0] > 1.6 * ranked[1]
    assert ranked[1] > 1.6 * ranked[3]
    assert all(ranked)


def test_every_link_is_carried_and_one_by_five_carriers() -> None:
    shared = carriers_of("spring-offer")
    defined = {link["link_id"] for link in links()}

    assert [sum(carrier.is_flow is is_flow for carrier in shared) for is_flow in (False, True)] == [3, 2]
    assert {link_id for carrier in CARRIERS for link_id in carrier.links} == defined


def test_people_click_again_through_same_and_other_carriers(clicks: list[SampleClick]) -> None:
    carriers = defaultdict(list)
    for click in clicks:
        record = click.record
        carriers[record["recipient_id"], record["link_id"]].append(record["mailing_id"] or record["flow_id"])
    repeated = [names for names in carriers.values() if len(names) > 1]

    assert 0.25 < 1 - len(carriers) / len(clicks) < 0.6
    assert sum(len(set(names)) > 1 for names in repeated) > 200
    assert sum(len(set(names)) == 1 for names in repeated) > 200


def test_retry_is_the_identical_click(clicks: list[SampleClick]) -> None:
    first = {click.record["click_id"]: click for click in clicks if not click.is_retry}
    retries = [click for click in clicks if click.is_retry]

    assert 50 < len(retries) < 200
    assert all(retry.record == first[retry.record["click_id"]].record for retry in retries)
    assert all(retry.published_at_ms > retry.record["clicked_at"] for retry in retries)


def test_sample_has_tests_misrouted_clicks_and_unknown_ids(clicks: list[SampleClick]) -> None:
    records = [click.record for click in clicks]

    assert 1 <= sum(click.is_misrouted for click in clicks) <= 15
    assert 3 <= sum(record["test"] for record in records) <= 40
    assert 100 < sum(record["person_id"] is None for record in records) < 600
    assert 200 < sum(record["person_id"] is not None and record["company_id"] is None for record in records) < 1_200
    assert any(record["link_id"] == UNDEFINED_LINK for record in records)
    assert any(record["link_version"] is None for record in records)
    assert all(any(record[name] == "" for record in records) for name in OPTIONAL_IDS)


def test_every_kind_has_applied_and_duplicate_actions(model: ReferenceModel) -> None:
    kinds = {kind for kind, _ in model.actions}

    assert kinds >= released_kinds()
    assert all(model.actions[kind, outcome] for kind in kinds for outcome in ("applied", "duplicate"))
    assert model.actions["interest", "no_company"]


def test_every_repeat_rule_takes_effect(clicks: list[SampleClick], model: ReferenceModel) -> None:
    actions = {(link["link_id"], action["action_id"]): action for link in links() for action in link["actions"]}  # type: ignore[attr-defined]
    applied: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    for update in model.expected:
        record = update.record
        rule = actions[record["link_id"], record["action_id"]]["repeat"]["rule"]
        applied[rule][record["recipient_id"], record["link_id"], record["action_id"]] += 1

    assert applied.keys() == {"once", "once_per_mailing", "cooldown", "always"}
    assert max(applied["once"].values()) == 1
    assert all(max(applied[rule].values()) > 1 for rule in ("once_per_mailing", "cooldown", "always"))
    assert model.outcomes["duplicate"] > len(clicks) / 10


@pytest.mark.parametrize("seed", range(5))
def test_any_seed_has_all_outcomes(seed: int) -> None:
    model = ReferenceModel(links())
    for click in sample_clicks(1_000, seed=seed, starts_at_ms=START):
        model.click(click.record)

    assert {"applied", "duplicate", "without_actions", "not_applicable"} <= model.outcomes.keys()
