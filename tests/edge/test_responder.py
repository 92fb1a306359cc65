"""What a person's browser gets for a request, and which click is recorded."""

import re
from typing import Any

import pytest

from edge.exchange import AnswerKind
from edge.link import EdgeLink
from edge.token_refusal import TokenRefusal
from tests.builders import NOON, Record, an_action
from tests.edge.parts import (
    KEYS,
    UNKNOWN_KEY,
    a_responder,
    a_token,
    an_edge_link,
    click_id,
    clicks_of,
    forms_of,
    get,
    header,
    post,
)

URL = "https://example.com/spring?a=b&c"
REDIRECT = ("link_actions.RedirectResponse", {"url": URL, "rules": []})
TEXT = ("link_actions.TextResponse", {"text": "<h2>Thanks</h2><script>alert(1)</script>"})
CONFIRM = an_action() | {"guard": "confirm"}
PAGE_CLICK_ID = re.compile(r'name="page_click_id" value="([^"]*)"')


def a_redirect(*actions: Record, **changes: Any) -> EdgeLink:
    return an_edge_link(*actions, **({"url": URL, "response": REDIRECT} | changes))


class TestRedirects:
    def test_location_is_the_published_url(self) -> None:
        answer = a_responder(a_redirect())(get(f"/l/{a_token()}"))
        assert (answer.kind, answer.status, header(answer, "location")) == (AnswerKind.REDIRECT, 302, URL)
        assert header(answer, "cache-control") == "no-store"
        assert header(answer, "referrer-policy") == "no-referrer"

    def test_click_has_what_the_token_says(self) -> None:
        token = a_token(person_id="p-1", company_id="c-1", flow_id="f-1", flow_run_id="9", link_count=4)
        request = get(
            f"/l/{token}", user_agent="Mozilla/5.0", sec_fetch_mode="navigate", sec_fetch_user="?1", cookie="a=b"
        )
        (click,) = clicks_of(a_responder(a_redirect())(request))
        assert click == {
            "tenant_id": "acme",
            "link_id": "spring",
            "recipient_id": "r-1",
            "click_id": click_id(0),
            "clicked_at": NOON,
            "person_id": "p-1",
            "company_id": "c-1",
            "mailing_id": None,
            "flow_id": "f-1",
            "flow_run_id": "9",
            "link_version": 1,
            "test": False,
            "confirmed": False,
            "url": URL,
            "http_method": "GET",
            "user_agent": "Mozilla/5.0",
            "purpose": None,
            "network": "192.0.2.0/24",
            "delivered_at": None,
            "link_count": 4,
            "page_click_id": None,
            "fetch_mode": "navigate",
            "fetch_user": True,
            "network_class": None,
            "replayed": False,
        }

    def test_test_clicks_are_marked(self) -> None:
        (click,) = clicks_of(a_responder(a_redirect())(get(f"/l/{a_token(is_test=True)}")))
        assert click["test"]

    @pytest.mark.parametrize(
        ("sent", "accepted", "expected"),
        [
            ({"person_id": "p-1"}, "nl", "https://example.com/person"),
            ({"company_id": "c-1"}, "nl", "https://example.com/company"),
            ({}, "nl-BE,en;q=0.5", "https://example.com/nl"),
            ({}, "en,nl;q=0.5", URL),
            ({}, None, URL),
            ({}, ";;q=x," * 200, URL),
        ],
    )
    def test_first_rule_that_holds_decides(self, sent: dict[str, Any], accepted: str | None, expected: str) -> None:
        rules = [
            {"when": "person_known", "language": None, "url": "https://example.com/person"},
            {"when": "company_known", "language": None, "url": "https://example.com/company"},
            {"when": "language", "language": "nl", "url": "https://example.com/nl"},
        ]
        link = a_redirect(response=(REDIRECT[0], {"url": URL, "rules": rules}))
        headers = {} if accepted is None else {"accept_language": accepted}
        answer = a_responder(link)(get(f"/l/{a_token(**sent)}", **headers))
        assert header(answer, "location") == expected
        assert clicks_of(answer)[0]["url"] == expected

    def test_old_url_that_is_not_ascii_is_percent_encoded(self) -> None:
        link = a_redirect(response=(REDIRECT[0], {"url": "https://example.com/ä b%20c\r\nx: y", "rules": []}))
        answer = a_responder(link)(get(f"/l/{a_token()}"))
        assert header(answer, "location") == "https://example.com/%C3%A4%20b%20c%0D%0Ax:%20y"


class TestTokens:
    @pytest.mark.parametrize("tail", [">", ")", ".", ",", "%22", "%3E", "/", "&amp;utm_source=x", "'", "/../../etc"])
    def test_what_mail_programs_append_is_ignored(self, tail: str) -> None:
        assert a_responder(a_redirect())(get(f"/l/{a_token()}{tail}")).status == 302

    def test_every_refusal_is_the_same_page(self) -> None:
        token = a_token()
        bad = [
            "/",
            "/l/",
            "/l/x",
            "/l/" + "A" * 5_000,
            f"/L/{token}",
            f"//l/{token}",
            f"/l/{token}=",
            f"/l/{token}%00",
            f"/l/{token}%0d%0aSet-Cookie:x",
            f"/l/{token}+",
            f"/l/{token.swapcase()}",
            f"/l/{token[:-1]}",
            f"/l/{token}x",
            f"/l/{a_token(key=UNKNOWN_KEY)}",
            f"/l/{a_token(key=KEYS[3])}",
            f"/l/{a_token('other')}",
            *(f"/l/{token[:at]}{'A' if token[at] != 'A' else 'B'}{token[at + 1 :]}" for at in range(len(token))),
        ]
        respond = a_responder(a_redirect())
        answers = [respond(get(path)) for path in bad]
        assert {(each.status, each.headers, each.body) for each in answers} == {
            (404, answers[0].headers, answers[0].body)
        }
        assert all(each.click is None and header(each, "location") is None for each in answers)

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/l/", TokenRefusal.MALFORMED),
            ("/l/AAAA", TokenRefusal.NOT_OPENED),
            (f"/l/{a_token(key=UNKNOWN_KEY)}", TokenRefusal.NOT_OPENED),
            (f"/l/{a_token(key=KEYS[3])}", TokenRefusal.REVOKED),
            (f"/l/{a_token('other')}", TokenRefusal.UNKNOWN_LINK),
        ],
    )
    def test_reason_is_counted(self, path: str, reason: TokenRefusal) -> None:
        assert a_responder(a_redirect())(get(path)).refusal is reason

    @pytest.mark.parametrize(
        ("host", "status"),
        [("klik.example.com", 302), ("KLIK.example.com:8443", 302), ("other.example.com", 404), ("", 404)],
    )
    def test_host_must_be_the_tenants(self, host: str, status: int) -> None:
        assert a_responder(a_redirect())(get(f"/l/{a_token()}", host=host)).status == status

    def test_tenant_without_hosts_uses_any(self) -> None:
        link = a_redirect(tenant_id="globex")
        assert a_responder(link)(get(f"/l/{a_token(key=KEYS[4])}", host="other.example.com")).status == 302

    def test_leaked_key_still_redirects_and_records_nothing(self) -> None:
        token = a_token(key=KEYS[2])
        respond = a_responder(a_redirect(CONFIRM))
        answer = respond(get(f"/l/{token}"))
        assert (answer.status, header(answer, "location"), answer.click) == (302, URL, None)
        assert respond(post(f"/l/{token}", b"")).status == 404

    def test_unknown_link_before_all_are_read_is_not_ready(self) -> None:
        answer = a_responder(a_redirect(), is_complete=False)(get(f"/l/{a_token('other')}"))
        assert (answer.status, answer.click) == (503, None)


class TestMethods:
    def test_head_has_the_headers_of_get_and_no_click(self) -> None:
        respond = a_responder(a_redirect())
        token = a_token()
        shown, asked = respond(get(f"/l/{token}")), respond(get(f"/l/{token}", "HEAD"))
        assert (asked.status, asked.headers, asked.click) == (shown.status, shown.headers, None)

    @pytest.mark.parametrize(
        ("method", "status"), [("OPTIONS", 204), ("PUT", 405), ("TRACE", 405), ("GeT", 405), ("DELETE", 405)]
    )
    def test_other_methods_make_no_click(self, method: str, status: int) -> None:
        answer = a_responder(a_redirect())(get(f"/l/{a_token()}", method))
        assert (answer.status, answer.click) == (status, None)
        assert header(answer, "allow") == "GET, HEAD, POST, OPTIONS"

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec_purpose": "prefetch"},
            {"sec_purpose": "prefetch;prerender"},
            {"sec_purpose": "Prefetch;anonymous-client-ip"},
            {"purpose": "prefetch"},
            {"x_purpose": "preview"},
            {"x_moz": "prefetch"},
        ],
    )
    def test_speculation_gets_503_and_no_click(self, headers: dict[str, str]) -> None:
        answer = a_responder(a_redirect())(get(f"/l/{a_token()}", **headers))
        assert (answer.kind, answer.status, answer.click) == (AnswerKind.SPECULATION, 503, None)

    def test_missing_host_is_refused(self) -> None:
        request = get(f"/l/{a_token()}")._replace(headers={})
        assert a_responder(a_redirect())(request).status == 400


class TestTexts:
    def test_text_is_clean_and_recorded(self) -> None:
        answer = a_responder(an_edge_link(response=TEXT, url=None))(get(f"/l/{a_token()}"))
        assert (answer.kind, answer.status) == (AnswerKind.TEXT, 200)
        assert b"<h2>Thanks</h2>" in answer.body
        assert b"alert" not in answer.body
        assert "default-src 'none'" in (header(answer, "content-security-policy") or "")
        assert clicks_of(answer)[0]["url"] is None


class TestConfirmation:
    def test_get_shows_the_page_and_records_an_unconfirmed_click(self) -> None:
        answer = a_responder(a_redirect(CONFIRM))(get(f"/l/{a_token()}"))
        assert (answer.kind, answer.status) == (AnswerKind.CONFIRMATION, 200)
        assert not clicks_of(answer)[0]["confirmed"]
        assert PAGE_CLICK_ID.findall(answer.body.decode()) == [click_id(0)]
        assert "form-action 'self' https: http:;" in (header(answer, "content-security-policy") or "")

    def test_button_confirms_and_leads_on(self) -> None:
        path = f"/l/{a_token()}"
        answer = a_responder(a_redirect(CONFIRM))(post(path, f"page_click_id={click_id(7)}".encode()))
        assert (answer.status, header(answer, "location")) == (303, URL)
        (click,) = clicks_of(answer)
        assert (click["confirmed"], click["page_click_id"]) == (True, click_id(7))

    def test_button_pressed_twice_is_one_click(self) -> None:
        respond = a_responder(a_redirect(CONFIRM))
        path, body = f"/l/{a_token()}", f"page_click_id={click_id(7)}".encode()
        first, second = (clicks_of(respond(post(path, body)))[0] for _ in range(2))
        assert first["click_id"] == second["click_id"] != click_id(7)

    def test_text_follows_a_confirmation(self) -> None:
        respond = a_responder(an_edge_link(CONFIRM, response=TEXT, url=None))
        path = f"/l/{a_token()}"
        answer = respond(post(path, b"page_click_id=" + click_id(7).encode()))
        assert (answer.status, header(answer, "location")) == (303, f"{path}/done")
        done = respond(get(f"{path}/done"))
        assert (done.status, done.click) == (200, None)
        assert b"<h2>Thanks</h2>" in done.body

    def test_post_without_a_page_is_a_click_of_its_own(self) -> None:
        (click,) = clicks_of(a_responder(a_redirect(CONFIRM))(post(f"/l/{a_token()}", b"page_click_id=nonsense")))
        assert (click["confirmed"], click["page_click_id"], click["click_id"]) == (True, None, click_id(0))

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
            (
                b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
            ),
        ],
    )
    def test_one_click_post_confirms_and_never_redirects(self, body: bytes, content_type: str) -> None:
        answer = a_responder(a_redirect(CONFIRM))(post(f"/l/{a_token()}", body, content_type=content_type))
        assert (answer.status, header(answer, "location"), answer.body) == (200, None, b"")
        assert clicks_of(answer)[0]["confirmed"]

    def test_body_of_another_sort_is_refused(self) -> None:
        answer = a_responder(a_redirect(CONFIRM))(post(f"/l/{a_token()}", b"{}", content_type="application/json"))
        assert (answer.status, answer.click) == (400, None)


FIELDS = [
    {"name": "email", "label": "E-mail", "type": "email", "required": True, "autocomplete": None, "options": []},
    {"name": "size", "label": "Size", "type": "choice", "required": False, "autocomplete": None, "options": ["S", "L"]},
]
FORM = ("link_actions.FormResponse", {"form_id": "f-1", "prefill": ["email", "phone"], "fields": FIELDS})
DAY_MS = 86_400_000


def a_form(*actions: Record) -> EdgeLink:
    return an_edge_link(*actions, response=FORM, url=None)


class TestForms:
    def test_get_shows_the_form_and_records_an_unconfirmed_click(self) -> None:
        answer = a_responder(a_form())(get(f"/l/{a_token()}"))
        assert (answer.kind, answer.status, answer.prefill) == (AnswerKind.FORM, 200, None)
        (click,) = clicks_of(answer)
        assert (click["confirmed"], click["url"], forms_of(answer)) == (False, None, [])
        assert PAGE_CLICK_ID.findall(answer.body.decode()) == [click["click_id"]]

    def test_answers_are_recorded_with_their_click_in_one_write(self) -> None:
        path, sent = f"/l/{a_token(person_id='p-1', mailing_id='m-1')}", f"page_click_id={click_id(7)}"
        answer = a_responder(a_form())(post(path, f"email=ann%40example.com&size=L&other=x&{sent}".encode()))
        (form,), (click,) = forms_of(answer), clicks_of(answer)
        shared = [name for name in click if name in form]
        assert len(shared) == 10
        assert {name: form[name] for name in shared} == {name: click[name] for name in shared}
        assert (form["form_id"], form["fields"]) == ("f-1", {"email": "ann@example.com", "size": "L"})
        assert (click["confirmed"], click["page_click_id"]) == (True, click_id(7))
        assert (answer.status, header(answer, "location")) == (303, f"{path}/done")
        assert answer.click
        assert len({record.key for record in answer.click.records}) == 1

    def test_thanks_follow(self) -> None:
        done = a_responder(a_form())(get(f"/l/{a_token()}/done"))
        assert (done.kind, done.status, done.click) == (AnswerKind.THANKS, 200, None)

    def test_form_sent_twice_keeps_its_id(self) -> None:
        respond, path = a_responder(a_form()), f"/l/{a_token()}"
        bodies = [f"email={name}%40example.com&page_click_id={click_id(7)}".encode() for name in ("ann", "bob")]
        first, second = (forms_of(respond(post(path, body)))[0] for body in bodies)
        assert first["click_id"] == second["click_id"]

    def test_mistakes_are_shown_with_what_was_typed_and_nothing_is_recorded(self) -> None:
        body = f"email=ann&size=L&page_click_id={click_id(7)}".encode()
        answer = a_responder(a_form())(post(f"/l/{a_token()}", body))
        assert (answer.kind, answer.status, answer.click) == (AnswerKind.FORM, 422, None)
        assert b'value="ann"' in answer.body
        assert b'option value="L" selected' in answer.body
        assert PAGE_CLICK_ID.findall(answer.body.decode()) == [click_id(7)]

    def test_answers_that_cannot_be_recorded_can_be_sent_again(self) -> None:
        body = f"email=a%40example.com&size=L&page_click_id={click_id(7)}".encode()
        answer = a_responder(a_form())(post(f"/l/{a_token()}", body))
        assert answer.click
        again = answer.if_unrecorded()
        assert again.status == 503
        hidden = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', again.body.decode()))
        assert hidden == {"email": "a@example.com", "size": "L", "page_click_id": click_id(7)}

    def test_one_click_post_confirms_and_sends_no_form(self) -> None:
        answer = a_responder(a_form(CONFIRM))(post(f"/l/{a_token()}", b"List-Unsubscribe=One-Click"))
        assert (answer.status, forms_of(answer), clicks_of(answer)[0]["confirmed"]) == (200, [], True)

    def test_test_links_send_no_form(self) -> None:
        answer = a_responder(a_form())(post(f"/l/{a_token(is_test=True)}", b"email=a%40example.com"))
        assert (forms_of(answer), clicks_of(answer)[0]["test"]) == ([], True)

    def test_form_says_what_its_button_does_besides(self) -> None:
        shown = a_responder(a_form(CONFIRM))(get(f"/l/{a_token()}"))
        assert b"<li>" in shown.body
        assert b"<li>" not in a_responder(a_form(an_action()))(get(f"/l/{a_token()}")).body

    def test_leaked_key_sends_no_form(self) -> None:
        respond, path = a_responder(a_form()), f"/l/{a_token(key=KEYS[2])}"
        assert respond(get(path)).status == respond(post(path, b"email=a%40example.com")).status == 404


class TestPrefill:
    def test_facts_of_fields_that_the_author_wants_prefilled(self) -> None:
        answer = a_responder(a_form())(get(f"/l/{a_token(person_id='p-1', sent_at_ms=NOON - DAY_MS)}"))
        assert answer.prefill
        assert (answer.prefill.tenant_id, answer.prefill.person_id, answer.prefill.facts) == ("acme", "p-1", ("email",))
        filled = answer.prefill.fill({"email": 'a"b@example.com'})
        assert b'value="a&#34;b@example.com"' in filled.body or b'value="a&quot;b@example.com"' in filled.body
        assert PAGE_CLICK_ID.findall(filled.body.decode()) == [click_id(0)]

    @pytest.mark.parametrize(
        "sent",
        [
            {"sent_at_ms": NOON},
            {"person_id": "p-1"},
            {"person_id": "p-1", "sent_at_ms": NOON - 31 * DAY_MS},
        ],
        ids=["person unknown", "age unknown", "old message"],
    )
    def test_otherwise_it_comes_empty(self, sent: dict[str, Any]) -> None:
        assert a_responder(a_form())(get(f"/l/{a_token(**sent)}")).prefill is None

    def test_head_asks_for_nothing(self) -> None:
        token = a_token(person_id="p-1", sent_at_ms=NOON)
        assert a_responder(a_form())(get(f"/l/{token}", "HEAD")).prefill is None


def test_redirect_has_no_page_after_its_button() -> None:
    """It would say to whoever types its address that something was done."""
    assert a_responder(a_redirect(CONFIRM))(get(f"/l/{a_token()}/done")).status == 404


class TestUnrecorded:
    """A click that cannot be kept: nobody is told that something was done."""

    def test_redirect_without_actions_leads_on(self) -> None:
        answer = a_responder(a_redirect())(get(f"/l/{a_token()}"))
        assert answer.click
        assert answer.if_unrecorded().status == 302

    @pytest.mark.parametrize("link", [a_redirect(an_action()), an_edge_link(response=TEXT, url=None)])
    def test_everything_else_asks_to_try_again(self, link: EdgeLink) -> None:
        answer = a_responder(link)(get(f"/l/{a_token()}"))
        assert answer.click
        unrecorded = answer.if_unrecorded()
        assert (unrecorded.status, unrecorded.click, header(unrecorded, "location")) == (503, None, None)

    def test_button_can_be_pressed_again(self) -> None:
        body = f"page_click_id={click_id(7)}".encode()
        answer = a_responder(a_redirect(CONFIRM))(post(f"/l/{a_token()}", body))
        assert answer.click
        unrecorded = answer.if_unrecorded()
        assert unrecorded.status == 503
        assert PAGE_CLICK_ID.findall(unrecorded.body.decode()) == [click_id(7)]


def test_robots_are_kept_out() -> None:
    answer = a_responder()(get("/robots.txt"))
    assert (answer.status, answer.body) == (200, b"User-agent: *\nDisallow: /\n")
