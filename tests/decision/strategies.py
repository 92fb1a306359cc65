"""Histories in which everything collides: few recipients, links, mailings and times; simplest values first."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.builders import DAY, NOON, Record, a_click, a_link, an_action

HOUR = 3_600_000
TENANTS = ("acme", "t.2")
LINKS = ("spring", "a/b")
SLOTS = (0, 1, 2, 7, 8, 15)
"""Across the borders of the bytes of the memory's bitmap."""

KIND_OF_SLOT = dict(
    zip(
        SLOTS,
        ("ChangeInterest", "RunScript", "SetField", "CreateFollowUp", "OpenRequest", "ChangeMembership"),
        strict=True,
    )
)
"""A slot belongs to one action and kind for as long as the link exists."""

_PARAMETERS: dict[str, list[Record]] = {
    "ChangeInterest": [{}, {"scope": "company"}, {"operation": "remove"}],
    "RunScript": [{}, {"script": "Ünïcode", "script_version": 3}, {"parameters": {"points": "5", "naïve": ""}}],
    "SetField": [{}, {"value": ""}],
    "CreateFollowUp": [{}, {"description": "{link_name} in {mailing_id}, {flow_id} at {clicked_at}"}],
    "OpenRequest": [
        {},
        {"owner": "anna"},
        {"title": "{link_url} {link_id}", "owner": "unassigned", "priority": "high"},
    ],
    "ChangeMembership": [{}, {"operation": "remove"}],
}
_RULES = [("once", None), ("once_per_mailing", None), ("cooldown", HOUR), ("always", None), ("cooldown", 1)]

ACTIONS = [
    an_action(update, slot=slot, rule=rule, period_ms=period_ms, guard=guard, **parameters)
    for slot, update in KIND_OF_SLOT.items()
    for rule, period_ms in _RULES
    for parameters in _PARAMETERS[update]
    for guard in ("none", "none", "confirm")
]

_LINK = {name: value for name, value in a_link().items() if name != "actions"}

LINK_CHANGES: list[Record] = [
    *([{}] * 10),
    {"epoch": 1},
    {"actions": []},
    {"link_id": LINKS[1]},
    {"tenant_id": TENANTS[1]},
    {"url": None},
    {"name": "{link_id} für Zoë"},
]

CLICK_CHANGES: list[Record] = [
    *({"click_id": a_click(number)["click_id"]} for number in range(2, 10)),
    {"click_id": ""},
    {"click_id": "m-1"},
    *({"clicked_at": NOON + later} for later in (1, HOUR - 1, HOUR, DAY, DAY + 1, 2 * DAY)),
    {"recipient_id": "r-2"},
    {"recipient_id": "Zoë"},
    {"tenant_id": TENANTS[1]},
    {"link_id": LINKS[1]},
    {"link_id": "nobody's"},
    {"person_id": None},
    {"person_id": None, "company_id": None},
    {"company_id": None},
    {"mailing_id": "m-2"},
    {"mailing_id": ""},
    {"mailing_id": None},
    {"mailing_id": "", "flow_id": "", "flow_run_id": ""},
    {"mailing_id": None, "flow_id": "f-1", "flow_run_id": "f-1/1"},
    {"mailing_id": " ", "flow_id": "f-1", "flow_run_id": "m-1"},
    {"mailing_id": None, "flow_id": "f-2", "flow_run_id": "m-1"},
    {"flow_id": "f-1", "flow_run_id": "m-1"},
    {"person_id": ""},
    {"person_id": " ", "company_id": ""},
    {"link_version": 1},
    {"link_version": 2},
    {"link_version": 3},
    {"test": True},
    *([{"confirmed": True}] * 3),
    {"confirmed": True, "page_click_id": a_click(1)["click_id"]},
    {"page_click_id": a_click(1)["click_id"]},
    {"page_click_id": " "},
    {"replayed": True},
]


def with_some_of(base: Record, changes: list[Record]) -> st.SearchStrategy[Record]:
    """Draw the base with some of the changes; few draws, so that what fails shrinks soon and far."""
    return st.lists(st.sampled_from(changes), max_size=4).map(
        lambda drawn: {name: value for part in (base, *drawn) for name, value in part.items()}
    )


actions = st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique_by=lambda action: action["slot"])

links = st.builds(lambda actions, link: {"actions": actions} | link, actions, with_some_of(_LINK, LINK_CHANGES))
"""Links whose version is still to be given, and whose epoch tells by how much it grows."""

clicks = with_some_of(a_click(), CLICK_CHANGES)


@dataclass(frozen=True)
class Turn:
    """One round of the loop: what is published before it, how many records it takes, and whether it commits."""

    links: list[Record]
    size: int
    committed: bool


@dataclass(frozen=True)
class Arrival:
    """A click, and whether it lies in another partition than its own."""

    click: Record
    misplaced: bool = False


@dataclass(frozen=True)
class History:
    """What is published at first, what arrives, and the turns in which it is decided."""

    links: list[Record]
    arrivals: list[Arrival]
    turns: list[Turn]


arrivals = st.builds(Arrival, clicks, st.sampled_from([False, False, False, True]))
turns = st.builds(Turn, st.lists(links, max_size=2), st.integers(1, 6), st.sampled_from([True, True, False]))
histories = st.builds(
    History,
    st.lists(links, min_size=1, max_size=4),
    st.integers(1, 30).flatmap(lambda size: st.lists(arrivals, min_size=size, max_size=size)),
    st.lists(turns, max_size=6),
)


def numbered(drawn: list[Record], known: dict[tuple[str, str], Record]) -> list[Record]:
    """Give the links the version and epoch that follow on those known, as publishing does."""
    published = []
    for link in drawn:
        place = link["tenant_id"], link["link_id"]
        before = known.get(place, {"version": 0, "epoch": 0})
        known[place] = link | {"version": before["version"] + 1, "epoch": before["epoch"] + link["epoch"]}
        published.append(known[place])
    return published
