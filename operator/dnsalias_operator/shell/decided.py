"""What was decided last about each object: what metrics, Events and the next decision look at."""

from dataclasses import dataclass, field

from dnsalias_operator.core.outcome import AliasDecision, Condition, EntryDecision, Finding, Severity, unfixed
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.status import READY


@dataclass
class Decisions:
    """The latest decision about every object: what the gauges count."""

    aliases: dict[Key, AliasDecision] = field(default_factory=dict)
    entries: dict[Key, EntryDecision] = field(default_factory=dict)
    findings: dict[Key, tuple[Finding, ...]] = field(default_factory=dict)
    contested: dict[Key, tuple[Key, tuple[str, ...]]] = field(default_factory=dict)
    """By the key that is worked on: the object that is fought over, and the field managers on the other side."""

    def unfixed(self) -> list[EntryDecision]:
        """Entries that are unfixed, worst first, then by key."""
        return sorted(unfixed(self.entries.values()), key=lambda d: (d.severity.rank, d.key))

    def unready(self) -> list[tuple[Key, Condition]]:
        """DnsAliases that are not ready, by key, each with its Ready condition."""
        ready = [(d.key, c) for d in self.aliases.values() for c in d.conditions if c.type == READY]
        return sorted((found for found in ready if found[1].status != "True"), key=lambda found: found[0])

    def with_finding(self, code: str) -> list[tuple[Severity, Key]]:
        """Objects that have this finding, worst first, then by key; each once, whatever number of ports has it."""
        found = ((key, [f.severity for f in of_one if f.code == code]) for key, of_one in self.findings.items())
        worst = [(min(severities, key=lambda s: s.rank), key) for key, severities in found if severities]
        return sorted(worst, key=lambda one: (one[0].rank, one[1]))
