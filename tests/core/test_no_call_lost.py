"""No call is lost: who answered before a plan answers after it, for every client, name, address and kind of bytes."""

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS
from tests.core import call_worlds
from tests.core.call_names import CLIENTS
from tests.core.call_worlds import World
from tests.core.calls.forgotten import forgotten
from tests.core.calls.kept import Reached, broken, calls, clients_of
from tests.reliability.plugin import Run
from tools.reliability.figures import record

pytestmark = pytest.mark.reliability

OF = "Calls"
WORLDS, WORLDS_LONG = 300, 10_000
MUTATED = 400
"""Worlds for the mutation, which a guard that works needs few of to be missed."""
SEED = 20261201
"""Of short runs: what is found stays found, and their time stays what it is."""
GUARD = "dnsalias_operator.core.traffic.callers", "cut_off"
"""Module and name of the guard's question whether an entry cuts off its own callers; None is its answer for no."""


def test_who_answered_before_a_plan_answers_after_it(run: Run) -> None:
    """After every change of a plan each call ends where it did, but for those that an entry had wrongly taken."""
    counts: Counter[str] = Counter()

    def each(world: World) -> None:
        found = list(lost(world, counts))
        assert not found, "\n".join(found[:20])

    try:
        _over(WORLDS_LONG if run.long else WORLDS, run.seed if run.long else SEED, each)
    finally:
        record("Worlds", counts["worlds"], "", OF)
        record("Worlds in which the plan changes something", counts["changed"], "", OF)
        record("States after each of their changes", counts["states"], "", OF)
        record("Calls followed, before and in each state", counts["calls"], "", OF)
        record("Calls broken", counts["broken"], "", OF, "0")
        if run.long:
            run.record_seed(OF)


def test_a_guard_that_never_asks_the_callers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the guard's question about an entry's own callers is always answered with no, calls are broken."""
    _always_no(monkeypatch)
    counts: Counter[str] = Counter()
    _over(MUTATED, SEED, lambda world: _exhaust(lost(world, counts)))
    record("Calls broken by a guard that never asks an entry's callers", counts["broken"], "", OF, "at least 1")
    record("Worlds it was given", counts["worlds"], "", OF)
    assert counts["broken"]


def lost(world: World, counts: Counter[str]) -> Iterator[str]:
    """A sentence for every call that a plan of the world breaks, in the state after each of its changes."""
    before = world.snapshot()
    changes = plan(before, world.rules).changes
    counts["worlds"] += 1
    if not changes:
        return
    mesh, clients = world.rules.mesh, clients_of(before, CLIENTS)
    was, listed = Reached(before, world.truth, mesh, clients), tuple(calls(before, world.truth, mesh))
    counts.update({"changed": 1, "calls": len(listed) * len(clients)})
    state, made = before, set[str]()
    for number, change in enumerate(changes, 1):
        if (made_before := repr((change.key, change.after))) in made:
            counts["broken"] += 1
            yield f"change {number}, {change.verb} {change.key}: the plan goes round in a circle"
        made.add(made_before)
        for address in forgotten(state, change):
            counts["broken"] += 1
            yield f"change {number}, {change.verb} {change.key}: ztunnel forgets {address}"
        made_now = KINDS[change.key.kind].parse(change.after) if change.after else None
        state = state.with_changes({change.key: made_now})
        counts.update({"states": 1, "calls": len(listed) * len(clients)})
        for call in broken(was, Reached(state, world.truth, mesh, clients), listed):
            counts["broken"] += 1
            yield f"after change {number}, {change.verb} {change.key}: {call}"


def _over(worlds: int, chosen_by: int, each: Callable[[World], None]) -> None:
    """Give that many random worlds to a function; the same seed gives the same ones."""
    profile = settings(
        max_examples=worlds,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    seed(chosen_by)(profile(given(call_worlds.worlds())(each)))()


def _exhaust(found: Iterator[str]) -> None:
    for _ in found:
        pass


def _always_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the guard's question wherever a module of the product holds it by name."""
    module, name = GUARD
    question = getattr(importlib.import_module(module), name)
    for loaded in [m for n, m in sys.modules.items() if n.startswith("dnsalias_operator")]:
        for held in [n for n, value in vars(loaded).items() if value is question]:
            monkeypatch.setattr(loaded, held, lambda *_args, **_named: None)
