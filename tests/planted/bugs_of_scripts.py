"""Bugs of the script worker: effects that come twice or differ, and runs that depend on anything but their input."""

from tests.planted.bug import Edit, PlantedBug

LOOP = "scripts/worker/loop.py"
RUNNER = "scripts/worker/runner.py"
INSTANCE = "scripts/sandbox/instance.py"
HOST = "scripts/sandbox/host.py"
EVERY_FAILURE = ("tests/scripts/worker/test_every_failure.py",)
STORY = ("tests/scripts/worker/test_loop.py",)
SANDBOX = ("tests/scripts/test_sandbox.py",)

BUGS = (
    PlantedBug(
        "effects are written outside the transaction of their update",
        (
            Edit(
                LOOP,
                "        self._consumer.commit_transaction(batch.offsets)\n        self._record_committed(batch)\n",
                """\
        self._consumer.commit_transaction({})
        self._consumer.begin_transaction()
        self._consumer.commit_transaction(batch.offsets)
        self._record_committed(batch)
""",
            ),
        ),
        EVERY_FAILURE,
    ),
    PlantedBug(
        "an effect's id is made of the update's offset",
        (
            Edit(
                "scripts/effects/effect_writer.py",
                'effect_update_id(record["update_id"], effect.effect_id)',
                "effect_update_id(str(script.partition), effect.effect_id)",
            ),
        ),
        STORY,
    ),
    PlantedBug(
        "the newest version runs instead of the pinned one",
        (Edit(RUNNER, 'facts["script"], facts["script_version"])', 'facts["script"], None)'),),
        STORY,
    ),
    PlantedBug(
        "memory is not laid back between runs",
        (Edit(INSTANCE, "        ctypes.memmove(self._base, self._image, self._size)\n", ""),),
        SANDBOX,
    ),
    PlantedBug(
        "fuel is not set anew for each run",
        (Edit(INSTANCE, "        self._store.set_fuel(run.fuel)\n        self._host", "        self._host"),),
        SANDBOX,
    ),
    PlantedBug(
        "chance is not seeded for each run",
        (Edit(INSTANCE, '"seed": _numbers(run.seed)', '"seed": _numbers("")'),),
        SANDBOX,
    ),
    PlantedBug(
        "the clock is real",
        (
            Edit(
                HOST, "self._now_ns = seed.encode(), 0, now_ms * 1_000_000", "self._now_ns = seed.encode(), 0, now_ns()"
            ),
            Edit(HOST, "import hashlib\n", "import hashlib\nfrom time import time_ns as now_ns\n"),
        ),
        SANDBOX,
    ),
    PlantedBug(
        "an effect is emitted without a check",
        (
            Edit(
                RUNNER,
                "        effects = read_effects(result.effects, self.kinds, script.emits)\n",
                "        effects = read_effects(result.effects, self.kinds, self.kinds)\n",
            ),
        ),
        STORY,
    ),
    PlantedBug(
        "a return address may lead anywhere",
        (
            Edit(
                RUNNER,
                "hosts=script.hosts)\n",
                'hosts={"elsewhere.example"})\n',
            ),
        ),
        STORY,
    ),
    PlantedBug(
        "a breaker never opens",
        (
            Edit(
                "scripts/worker/breaker.py",
                "            state.opened_at = self._now()\n\n    @property",
                "            pass\n\n    @property",
            ),
        ),
        STORY,
    ),
    PlantedBug(
        "a breaker holds up the updates of others",
        (
            Edit(
                RUNNER,
                "            elif id(ran) not in running:\n",
                "            elif id(ran) not in running:\n                self.clock.sleep(5)\n",
            ),
        ),
        STORY,
    ),
)
