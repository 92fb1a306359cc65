"""Bugs in what a script may emit, what becomes of its effects, and which version a link runs."""

from tests.planted.bug import Edit, PlantedBug

EFFECT = "scripts/effects/effect.py"
WRITER = "scripts/effects/effect_writer.py"

BUGS = (
    PlantedBug(
        "an effect's id is its place, although its author named it",
        (Edit(EFFECT, "    if written is None:\n", "    if written is None or written:\n"),),
        ("tests/scripts/effects/test_effect_writer.py",),
    ),
    PlantedBug(
        "a script emits kinds that it does not declare",
        (Edit(EFFECT, "    if name not in emits:\n", "    if name not in kinds:\n"),),
        ("tests/scripts/effects/test_effect.py",),
    ),
    PlantedBug(
        "an effect of a click without a person has none",
        (
            Edit(
                WRITER,
                "if need in _NEEDED and script.record[_NEEDED[need]] is None:",
                "if need in _NEEDED and script.record[_NEEDED[need]] == '':",
            ),
        ),
        ("tests/scripts/effects/test_effect_writer.py",),
    ),
    PlantedBug(
        "returnUrl leads to any host that ends like a declared one",
        (
            Edit(
                "scripts/effects/return_url.py",
                "    if url.hostname not in {*hosts, *([own.hostname] if own else [])}:\n",
                "    if not url.hostname.endswith((*hosts, *([own.hostname[3:]] if own else []))):\n",
            ),
        ),
        ("tests/scripts/effects/test_return_url.py",),
    ),
    PlantedBug(
        "a link pins the first version of its script",
        (Edit("consumer/links/script_pins.py", "script.versions[-1]})", "script.versions[0]})"),),
        ("tests/links/test_script_pins.py",),
    ),
    PlantedBug(
        "a script's update without a version is unreadable for earlier subscribers",
        (
            Edit(
                "runtime/records/update_format.py",
                "    return next(each for each in formats if each.holds(parameters))",
                "    return [*formats][-1]",
            ),
        ),
        ("tests/decision/test_decide.py",),
    ),
)
