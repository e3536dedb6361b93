"""The plan: every decision in a world, each seeing the ones before it."""

from dnsalias_operator.core.outcome import AliasDecision, EntryDecision, Finding, Plan
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot


def decide_alias(world: Snapshot, key: Key, rules: Rules) -> AliasDecision | None:
    """Decide one DnsAlias; None where it does not exist."""
    raise NotImplementedError


def decide_entry(world: Snapshot, key: Key, rules: Rules) -> EntryDecision | None:
    """Decide one ServiceEntry; None where it does not exist."""
    raise NotImplementedError


def plan(world: Snapshot, rules: Rules) -> Plan:
    """Decide everything."""
    raise NotImplementedError


def lint(world: Snapshot, rules: Rules) -> tuple[Finding, ...]:
    """Every finding in a world, sorted."""
    raise NotImplementedError
