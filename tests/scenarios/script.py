"""The scripts: one step per line, the actor first."""

READY = ["one renew", "one join"]
WRITTEN = ["one begin", "one produce a=1"]
LOOK = ["world look"]

SCRIPTS = {
    "a commit": [*READY, *WRITTEN, *LOOK, "one commit 3", *LOOK, "one committed", "one rewind"],
    "an abort": [*READY, *WRITTEN, "one abort", *LOOK, *WRITTEN, "one commit 1", *LOOK, "one committed"],
    "offsets alone": [*READY, "one begin", "one commit 2 1", "one committed", *LOOK],
    "an empty transaction": [
        *READY,
        "one begin",
        "one commit",
        *LOOK,
        "one committed",
        *WRITTEN,
        "one commit 1",
        *LOOK,
    ],
    "an abort of nothing": [*READY, "one begin", "one abort", *LOOK, *WRITTEN, "one commit 1", *LOOK],
    "a commit twice": [*READY, *WRITTEN, "one commit 1", "one commit 2", "one committed", *LOOK],
    "an abort twice": [*READY, *WRITTEN, "one abort", "one abort", *LOOK],
    "a beginning twice": [*READY, *WRITTEN, "one begin", "one renew", *LOOK],
    "a commit of what never began": [*READY, "one commit 1", *LOOK, "one committed"],
    "a beginning without a producer": ["one join", "one begin", "one committed"],
    "a renewal in a transaction": [*READY, *WRITTEN, "one renew", *LOOK, *WRITTEN, "one commit 1", *LOOK],
    "a zombie that commits": [*READY, *WRITTEN, "one+ renew", *LOOK, "one commit 3", *LOOK],
    "a zombie that writes": [*READY, *WRITTEN, "one+ renew", "one produce b=2", "one commit 3", *LOOK],
    "a zombie that aborts": [*READY, *WRITTEN, "one+ renew", "one abort", *LOOK],
    "a zombie that begins another transaction": [*READY, "one+ renew", *WRITTEN, "one commit 3", *LOOK],
    "a zombie that takes over again": [*READY, *WRITTEN, "one+ renew", "one renew", *WRITTEN, "one commit 1", *LOOK],
    "a successor that writes": [
        *READY,
        *WRITTEN,
        "one+ renew",
        "one+ begin",
        "one+ produce b=2",
        *LOOK,
        "one+ abort",
        *LOOK,
    ],
    "a transaction that is too old": [
        *("brief renew", "brief join", "brief begin", "brief produce a=1", *LOOK, "world expire brief", *LOOK),
        *("brief commit 1", *LOOK, "brief committed"),
    ],
    "a transaction that is too old and whose owner renews": [
        *("brief renew", "brief join", "brief begin", "brief produce a=1", "world expire brief"),
        *("brief renew", "brief begin", "brief produce b=2", "brief commit 1", *LOOK, "brief committed"),
    ],
    "a commit without an answer": [
        *READY,
        *WRITTEN,
        "one cut",
        "one commit 3",
        *LOOK,
        "one renew",
        *LOOK,
        "one rewind",
    ],
    "offsets in doubt": [*READY, *WRITTEN, "one cut", "one commit 3", "one rewind", "one renew", "one rewind"],
    "a member that is out of the group": [
        *("world publish x y", "silent renew", "silent join", "silent read 2", "silent begin", "silent produce a=1"),
        *("world silence silent", "silent commit 2", "silent abort", *LOOK, "silent join", "silent read 2"),
        *("silent begin", "silent produce a=1", "silent commit 2", *LOOK, "silent committed"),
    ],
    "two members": [
        *(*READY, *WRITTEN, "one commit 1 1", "two renew", "two share", "two begin", "two produce b=2", "two commit"),
        *("one committed", "one leave", "two join", "two rewind", *LOOK),
    ],
    "a successor at the same offset": [
        *("world publish x y", *READY, "one read 2", "one begin", "one commit 2", "one leave"),
        *("two renew", "two join", "two rewind", "two begin", "two commit 2", "two rewind"),
    ],
    "transactions side by side": [
        *(*READY, "world open x", *WRITTEN, "world open y", *LOOK, "one commit 1", *LOOK),
        *("world commit", *LOOK, "world abort", *LOOK),
    ],
    "compaction": [
        *(
            *READY,
            *WRITTEN,
            "one produce b=1",
            "one commit 1",
            "one begin",
            "one produce a=2",
            "one produce b=",
            "one commit 2",
        ),
        *("one begin", "one produce a=3", "one abort", "world roll", "one begin", "one produce c=1", "one commit 3"),
        *("world compact", *LOOK),
    ],
}
