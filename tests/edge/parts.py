"""An edge without server, spool and Kafka: links and keys in memory, a clock that stands still."""

from collections.abc import Mapping
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from actions.link import link_from_record
from actions.registry import load_kinds
from edge.click_encodings import ENCODINGS, best_encoding
from edge.click_record import ClickEncoder
from edge.exchange import Answer, Request
from edge.form_record import FormEncoder
from edge.keyring import Keyring, KeyState, Tenant
from edge.link import EdgeLink, edge_link
from edge.link_cache import LinkNotReady
from edge.network_classes import NetworkClasses
from edge.network_table import Network, NetworkTable
from edge.responder import Responder
from edge.return_urls import ReturnUrls
from edge.spool.record import SpooledTopic
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.state.in_memory import MemoryState
from schemas.codec import Codec, single_object_frame
from schemas.definition_key import encode_link
from schemas.link_token import LinkKey, derive_key, sign
from schemas.record_schema import load_schemas
from schemas.token_payload import SentLink
from tests.builders import NOON, a_link
from tests.turned_clock import TurnedClock

SCHEMAS = load_schemas()
KINDS = load_kinds(SCHEMAS)
CLICKS = Codec(SCHEMAS["LinkClicked"])
FORMS = Codec(SCHEMAS["FormSubmitted"])
HOST = b"klik.example.com"
MASTER = bytes(range(32))
KEYS = {
    1: derive_key(MASTER, 1, "acme"),
    2: derive_key(MASTER, 2, "acme"),
    3: derive_key(MASTER, 3, "acme"),
    4: derive_key(MASTER, 4, "globex"),
}
STATES = {1: KeyState.SIGNING, 2: KeyState.ANSWER_ONLY, 3: KeyState.REVOKED, 4: KeyState.VALID}
UNKNOWN_KEY = derive_key(MASTER, 9, "acme")
KEYRING = Keyring(KEYS, STATES, {"acme": Tenant(hosts=("klik.example.com",))})
NO_NETWORKS: NetworkClasses = NetworkTable()
MAX_CLICK_IDS = 1_000


class LinksInMemory:
    """Links by their key."""

    def __init__(self, *links: EdgeLink, is_complete: bool = True) -> None:
        self._links = {encode_link(each.link.tenant_id, each.link.link_id): each for each in links}
        self._is_complete = is_complete

    def find(self, link_key: bytes) -> EdgeLink | None:
        if link_key not in self._links and not self._is_complete:
            raise LinkNotReady
        return self._links.get(link_key)


def an_edge_link(*actions: Mapping[str, Any], **changes: Any) -> EdgeLink:
    return edge_link(link_from_record(a_link(*map(dict, actions), **changes), KINDS))


def a_responder(
    *links: EdgeLink,
    is_complete: bool = True,
    keyring: Keyring = KEYRING,
    proxies: tuple[Network, ...] = (),
    networks: NetworkClasses = NO_NETWORKS,
    return_urls: ReturnUrls | None = None,
) -> Responder:
    numbers = count()
    schema = SCHEMAS["LinkClicked"]
    return Responder(
        links=LinksInMemory(*(links or (an_edge_link(),)), is_complete=is_complete),
        keyring=lambda: keyring,
        unpack=ENCODINGS[best_encoding()].unpack,
        encoder=ClickEncoder(schema, single_object_frame(schema)),
        trusted_proxies=NetworkTable((each, True) for each in proxies),
        network_classes=lambda: networks,
        forms=FormEncoder(FORMS),
        return_urls=return_urls or no_return_urls(),
        now_ms=lambda: NOON,
        new_click_id=lambda: click_id(next(numbers)),
    )


def no_return_urls() -> ReturnUrls:
    cluster = FakeCluster(TurnedClock())
    reader, codec = FakeLogReader(cluster, "none"), Codec(SCHEMAS["ReturnUrlSet"])
    return ReturnUrls(reader, MemoryState(), codec, partitions=lambda: 1, monotonic=lambda: 0.0)


def click_id(number: int) -> str:
    """The ids that `a_responder` gives, in their order."""
    return str(uuid5(NAMESPACE_OID, str(number)))


def a_token(link_id: str = "spring", key: LinkKey = KEYS[1], **sent: Any) -> str:
    return sign(key, SentLink(link_id, "r-1", **sent))


def get(path: str, method: str = "GET", **headers: str) -> Request:
    """A request; `headers` are written with underscores."""
    given = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    return Request(method, path.encode("latin-1"), {b"host": HOST, **given}, b"", "192.0.2.77")


def post(path: str, body: bytes, **headers: str) -> Request:
    content = {"content_type": "application/x-www-form-urlencoded"}
    return get(path, "POST", **(content | headers))._replace(body=body)


def clicks_of(answer: Answer) -> list[dict[str, Any]]:
    """The clicks that an answer records, decoded by the library."""
    return [CLICKS.decode(value) for value in _values(answer, SpooledTopic.CLICKS)]


def forms_of(answer: Answer) -> list[dict[str, Any]]:
    """The answers of forms that an answer records, decoded by the library."""
    return [FORMS.decode(value) for value in _values(answer, SpooledTopic.FORMS)]


def _values(answer: Answer, topic: SpooledTopic) -> list[bytes]:
    return [record.value for record in answer.click.records if record.topic is topic] if answer.click else []


def header(answer: Answer, name: str) -> str | None:
    return dict(answer.headers).get(name.encode(), b"").decode() or None
