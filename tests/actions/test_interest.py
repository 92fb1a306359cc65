from typing import Any

from actions.interest import KIND, ChangeInterest
from actions.kind import Need
from tests.actions.builders import link_facts

SAMPLES: list[dict[str, Any]] = [
    {"operation": "add", "interest": "product-news"},
    {"operation": "remove", "interest": "product-news", "scope": "company"},
]


def test_the_scope_is_the_person_unless_the_link_says_otherwise() -> None:
    parameters = ChangeInterest(operation="add", interest="news")

    assert KIND.fields(parameters, link_facts(), None) == {"operation": "add", "interest": "news", "scope": "person"}


def test_an_interest_of_the_person_needs_a_person() -> None:
    assert KIND.needs(ChangeInterest(operation="add", interest="news")) is Need.PERSON


def test_an_interest_of_the_company_needs_a_company() -> None:
    assert KIND.needs(ChangeInterest(operation="add", interest="news", scope="company")) is Need.COMPANY


def test_adding_and_removing_change_the_same_thing() -> None:
    adding = ChangeInterest(operation="add", interest="news")
    removing = ChangeInterest(operation="remove", interest="news")

    assert KIND.changes(adding) == KIND.changes(removing)


def test_the_person_s_and_the_company_s_interest_are_two_things() -> None:
    person = ChangeInterest(operation="add", interest="news")
    company = ChangeInterest(operation="add", interest="news", scope="company")

    assert KIND.changes(person) != KIND.changes(company)
