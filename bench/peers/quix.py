"""The job in Quix Streams with processing_guarantee="exactly-once": its own state (RocksDB) and changelog.

`python -m bench.peers.quix SERVERS CLICKS UPDATES GROUP DEFINITIONS STATE`. Runs until it is ended.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from quixstreams import Application, State

from bench.peers.update import Update, Updates, headers_of

COMMIT_SECONDS = 0.1
First = tuple[Update, str]


def main(arguments: Sequence[str]) -> None:
    """Run the dataflow."""
    servers, clicks, updates, group, definitions, folder = arguments
    made = Updates(Path(definitions))

    def firsts(value: bytes, state: State) -> list[First]:
        new = []
        for update in made.asked_by(value):
            if not state.exists(update.name):
                state.set(update.name, update.click["clicked_at"])
                new.append((update, update.identifier()))
        return new

    application = Application(
        broker_address=servers,
        consumer_group=group,
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        auto_offset_reset="earliest",
        state_dir=folder,
        producer_extra_config={"compression.type": "lz4", "linger.ms": 5},
        loglevel="WARNING",
    )
    source = application.topic(clicks, key_deserializer="bytes", value_deserializer="bytes")
    target = application.topic(updates, key_serializer="bytes", value_serializer="bytes")
    flow = application.dataframe(source).apply(firsts, stateful=True, expand=True)
    flow = flow.set_headers(lambda first, *_: headers_of(first[1], first[0].click["tenant_id"]))
    flow.apply(lambda first: made.encode(*first)).to_topic(target)
    application.run()


if __name__ == "__main__":
    main(sys.argv[1:])
