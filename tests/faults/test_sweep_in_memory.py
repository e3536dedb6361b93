"""The sweep's hand on a cluster in memory: no API server, no clock, and so far more histories."""

import random

import pytest

from dnsalias_operator.core.plan import plan
from tests.faults.fresh import not_theirs, unlike_a_fresh_start
from tests.faults.memory import Memory
from tests.faults.sweep import NAMESPACES, Hand
from tests.reliability.plugin import Run
from tools import make
from tools.reliability.figures import record

pytestmark = pytest.mark.reliability

OF = "State sweep"
BATCH, BATCHES = 8, 40
HISTORIES, HISTORIES_LONG = 4, 100
MOST_WRITES = 60
"""More than all objects of a batch together ever need: a plan that goes on is a plan that undoes itself."""


def test_the_plan_depends_on_the_last_objects_only(run: Run) -> None:
    """Whatever came before, the plan ends, and with what a first look at the same objects would end with."""
    chooser = run.random()
    seeds = [chooser.randrange(1_000_000_000) for _ in range(HISTORIES_LONG if run.long else HISTORIES)]
    faults = [fault for seed in seeds for fault in _lived(seed)]
    record("Transitions of the core alone", len(seeds) * BATCHES * BATCH, "", OF)
    record("States of the core alone that differ from a first look", len(faults), "", OF, "0")
    run.record_seed(OF)
    assert not faults, "\n".join(faults)


def _lived(seed: int) -> list[str]:
    """What is wrong with one history; it ends there."""
    api = Memory(NAMESPACES)
    hand = Hand(api, random.Random(seed), NAMESPACES)  # noqa: S311 (not a secret)
    for number in range(BATCHES):
        for _ in range(BATCH):
            hand.move()
        if wrong := _settled(api) or [
            *unlike_a_fresh_start(api.cluster.dump()),
            *not_theirs(api.cluster.dump(), hand),
        ]:
            moves = [f"  {done}" for done in hand.done[-BATCH:]]
            return [*(f"history {seed}, batch {number}: {fault}" for fault in wrong), *moves]
    return []


def _settled(api: Memory) -> list[str]:
    """Make every write that the plan asks for, one at a time, and tell the aliases; what is left to do."""
    decided = plan(api.cluster.snapshot(), make.rules())
    for _ in range(MOST_WRITES):
        if not decided.changes:
            break
        api.cluster.write(decided.changes[0])
        decided = plan(api.cluster.snapshot(), make.rules())
    for alias in decided.aliases:
        told = [{"type": c.type, "status": c.status, "reason": c.reason} for c in alias.conditions]
        api.cluster.objects[alias.key]["status"] = {"conditions": told}
    return [f"without end: {c.verb} {c.key} {c.reason}" for c in decided.changes]
