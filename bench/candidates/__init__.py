"""The candidates, each in a file of its own."""

from bench.candidate import Candidate
from bench.candidates.floor import Floor
from bench.candidates.link_actions import LinkActions
from bench.candidates.pass_through import PassThrough

CANDIDATES: tuple[Candidate, ...] = (LinkActions(), PassThrough(), Floor())
SHORT = ("link-actions", "pass-through")
