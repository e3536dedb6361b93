"""The plan: every decision in a world, each seeing the ones before it, until nothing is left to change."""

from collections.abc import Iterator

from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.entries.decide import decide_entry
from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.core.istio.validation import admitted
from dnsalias_operator.core.outcome import AliasDecision, Change, EntryDecision, Plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import LiveSnapshot, Snapshot

__all__ = ["decide_alias", "decide_entry", "lint", "plan"]

ROUNDS = 5
"""A change can make another one due (an address freed, a host released); more rounds than this would be a fight."""


def plan(world: Snapshot, rules: Rules) -> Plan:
    """Everything that the operator would write, in the order of writing, and what it decided about each object.

    Each decision is made in the world that the changes before it leave behind; the decisions that are returned are
    those of the last round, so that they say what is left once everything is written. An entry that no cluster can
    have (`admitted`) plays no part in any of them.
    """
    there = admitted(world, rules.mesh)
    after = LiveSnapshot(there.objects(), namespaces_known=world.namespaces_known)
    changes: list[Change] = []
    for _ in range(ROUNDS):
        made = list(_round(after, rules))
        changes += made
        if not made:
            break
    aliases, entries = _decisions(after, rules)
    for entry in world.entries():
        if there.get(entry.key) is None and after.get(entry.key) is None:
            after.put(entry)
    return Plan(changes=tuple(changes), aliases=aliases, entries=entries, after=after)


def _round(world: LiveSnapshot, rules: Rules) -> Iterator[Change]:
    for key in _keys(world):
        decision = decide_entry(world, key, rules) if key.kind == "ServiceEntry" else decide_alias(world, key, rules)
        for change in decision.changes if decision else ():
            if change.after is None:
                world.discard(change.key)
            else:
                world.put(KINDS[change.key.kind].parse(change.after))
            yield change


def _keys(world: Snapshot) -> list[Key]:
    # Entries of others first: what they free or take, an alias of ours must see; ours are younger anyway.
    return [*(e.key for e in world.entries()), *(a.key for a in world.aliases())]


def _decisions(world: Snapshot, rules: Rules) -> tuple[tuple[AliasDecision, ...], tuple[EntryDecision, ...]]:
    aliases = (decide_alias(world, a.key, rules) for a in world.aliases())
    entries = (decide_entry(world, e.key, rules) for e in world.entries())
    return tuple(a for a in aliases if a), tuple(e for e in entries if e)
