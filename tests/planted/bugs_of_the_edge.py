"""Bugs of the edge: clicks that are lost, counted twice or acted on, and strangers who are believed."""

from tests.planted.bug import Edit, PlantedBug

RESPONDER = "edge/responder.py"
RESPONSES = ("tests/edge/test_responder.py",)

BUGS = (
    PlantedBug(
        "the answer goes out before its click is recorded",
        (
            Edit(
                "edge/http/handler.py",
                "        recording = self._record(answer.click)\n",
                "        send(answer)\n        send = lambda _: None\n        recording = self._record(answer.click)\n",
            ),
        ),
        ("tests/edge/test_handler.py",),
    ),
    PlantedBug(
        "a click that the disk refuses counts as kept",
        (
            Edit(
                "edge/recorder.py",
                "            return self._publish(click.records)\n",
                "            return Recording.RECORDED\n",
            ),
        ),
        ("tests/edge/test_recorder.py",),
    ),
    PlantedBug(
        "the tag of a token is not checked",
        (
            Edit(
                "schemas/link_token.py",
                "    except InvalidTag as error:\n",
                "    except InvalidTag as error:\n        if key:\n            return key, SentLink('spring', 'r-1')\n",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "a revoked key still opens links",
        (Edit(RESPONDER, "        if state is KeyState.REVOKED:\n", "        if False:\n"),),
        RESPONSES,
    ),
    PlantedBug(
        "a leaked key still records clicks",
        (Edit(RESPONDER, "        if opened.state is KeyState.ANSWER_ONLY:\n", "        if False:\n"),),
        RESPONSES,
    ),
    PlantedBug(
        "a tenant's link is answered on any host",
        (
            Edit(
                RESPONDER,
                '        if not keyring.serves(key.tenant_id, request.headers[b"host"]):\n',
                "        if False:\n",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "a GET confirms",
        (
            Edit(
                RESPONDER,
                "(self.encoder.encode(self._click(opened, click_id, location)),)",
                "(self.encoder.encode(self._click(opened, click_id, location)._replace(is_confirmed=True)),)",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "a button that is pressed twice makes two clicks",
        (
            Edit(
                RESPONDER,
                "        click_id = self.new_click_id() if page is None else str(uuid5(CONFIRMED_CLICKS, str(page)))\n",
                "        click_id = self.new_click_id()\n",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "the click of a button is a hit of its own",
        (Edit(RESPONDER, "page_click_id=None if page is None else str(page)", "page_click_id=None"),),
        RESPONSES,
    ),
    PlantedBug(
        "a form with mistakes is recorded",
        (Edit("edge/page_answers.py", "    if form is not None and read.errors:\n", "    if False:\n"),),
        RESPONSES,
    ),
    PlantedBug(
        "a form is thanked for and not recorded",
        (
            Edit(
                RESPONDER,
                "        return (self.forms.encode(click, form.form_id, posted.answers), encoded)\n",
                "        return (encoded,)\n",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "an old message still fills in what is known about a person",
        (Edit(RESPONDER, "            if not self._may_prefill(opened):\n", "            if False:\n"),),
        RESPONSES,
    ),
    PlantedBug(
        "a prefetch is a click",
        (
            Edit(
                RESPONDER,
                '    if request.method != "POST" and _is_speculative(request):\n',
                "    if False:\n",
            ),
        ),
        RESPONSES,
    ),
    PlantedBug(
        "an address that a stranger writes is believed",
        (
            Edit(
                "edge/client_address.py",
                "    while address is not None and hops and trusted.find(address):\n",
                "    while address is not None and hops:\n",
            ),
        ),
        ("tests/edge/test_parts.py",),
    ),
    PlantedBug(
        "the class of a network is that of the address that is cut",
        (
            Edit(
                "edge/client_address.py",
                "    found = classes.find(address)\n",
                "    found = classes.find(address[:-1] + bytes(1))\n",
            ),
        ),
        ("tests/edge/test_networks.py",),
    ),
    PlantedBug(
        "a segment can be read before it has room on the disk",
        (
            Edit(
                "edge/spool/segment.py",
                "        new = path.with_name(path.name + NEW)\n",
                "        new = path\n",
            ),
        ),
        ("tests/edge/test_spool.py",),
    ),
    PlantedBug(
        "strangers may take every descriptor",
        (Edit("edge/http/connection_limit.py", "        if number < self._largest:\n", "        if True:\n"),),
        ("tests/edge/test_http_server.py",),
    ),
    PlantedBug(
        "a record is committed before the broker has it",
        (
            Edit(
                "edge/publisher.py",
                "return producer.wait(WAIT_SECONDS) and self._queued == len(self._outgoing)",
                "return producer.wait(WAIT_SECONDS) or True",
            ),
        ),
        ("tests/edge/test_publisher.py",),
    ),
    PlantedBug(
        "texts of older versions are shown as they were published",
        (
            Edit(
                "edge/link.py",
                "clean(response.text) if isinstance(response, Text)",
                "response.text if isinstance(response, Text)",
            ),
        ),
        RESPONSES,
    ),
)
