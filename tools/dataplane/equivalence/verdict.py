"""What a row comes to: did the alias work, was anything hurt, did the operator say so."""

from dataclasses import dataclass
from typing import Any

from tools.dataplane.equivalence import objects, views
from tools.dataplane.equivalence.scene import SERVERS
from tools.dataplane.equivalence.seen import Outcome, Seen

HTTP = ("http", "grpc")
"""Kinds whose answers tell the caller's and the server's identity."""


@dataclass(frozen=True)
class Verdict:
    """Judgement of a row.

    Attributes:
        outcome: what it judges.
        harm: what was hurt besides the alias; nothing may be.
        works: whether every call of the alias was answered, by the Service's pods only.
        pods: how many answered calls of the alias.
        way: how calls of the alias went, "" where it did not work: by whose cluster, and with mTLS or without.
    """

    outcome: Outcome
    harm: tuple[str, ...]
    works: bool
    way: str
    pods: int

    @property
    def word(self) -> str:
        """OK, REFUSED with the operator's reason, or BROKEN with what is: hurt, or an alias that fails silently."""
        if self.harm:
            return f"BROKEN {'; '.join(self.harm)}"
        if self.outcome.reason:
            return f"REFUSED {self.outcome.reason}"
        return "OK" if self.works else f"BROKEN alias: {'; '.join(_errors(self.outcome.after.alias)) or 'wrong answer'}"


def judge(outcome: Outcome) -> Verdict:
    """Judge what came of a row."""
    answers = outcome.after.alias.get("answers", [])
    pods = {answer["pod"] for answer in answers}
    ours = {answer["pod"] for answer in outcome.after.service.get("answers", [])}
    works = bool(answers) and not outcome.after.alias["errors"] and pods <= ours
    return Verdict(outcome, tuple(_harm(outcome)), works, _way(outcome) if works else "", len(pods))


def _harm(outcome: Outcome) -> list[str]:
    before, after = outcome.before, outcome.after
    found = [
        f"{what}: {'; '.join(_errors(now)) or 'another answer'}"
        for what, was, now in (
            ("Service by name", before.service, after.service),
            ("Service by clusterIP", before.address, after.address),
            ("public server", before.public, after.public),
        )
        if was["errors"] or was != now
    ]
    expected = len(SERVERS[outcome.row.sidecars])
    if len({answer["pod"] for answer in before.service["answers"]}) != expected:
        found.append(f"Service before: not all of its {expected} pods answered")
    found += [f"client: {part}" for part in views.changed(before.client, after.client)]
    for pod, view in before.servers.items() if not _own_doing(outcome) else ():
        found += [f"pod {pod}: {part}" for part in views.changed(view, after.servers[pod])]
    if outcome.row.protocol not in HTTP and _mtls(before) != _mtls(after):
        found.append(f"Service's mTLS: {_mtls(before)}, then {_mtls(after)}")
    return found


def _own_doing(outcome: Outcome) -> bool:
    """Whether the pods look different because of what a foreign entry said of itself, and the operator tells so.

    One that selects pods and is older than their Service is first there from the moment it exists; the operator never
    writes selectors, and gives the entry's age as the reason why it is unfixed.
    """
    row = outcome.row
    older = row.origin == "repaired" and row.endpoints == "Workloads" and row.older == "alias"
    return older and outcome.reason == "WouldShadowService"


def _mtls(seen: Seen) -> str:
    return _named(*seen.service_mtls)


def _named(connections: int, encrypted: int) -> str:
    if not encrypted:
        return "plaintext"
    return "mTLS" if encrypted == connections else "mTLS and plaintext"


def _way(outcome: Outcome) -> str:
    """By HTTP a connection is kept for many calls: there the Host header decides the cluster, and identities tell."""
    if not outcome.written:
        return "no entry, passed through"
    clusters = {name.rpartition("|")[2] for name in outcome.after.alias_way} or {objects.host(outcome.row)}
    whose = {"own" if name == objects.host(outcome.row) else "Service's" for name in clusters}
    if outcome.row.protocol in HTTP:
        told = [bool(answer.get("identity")) for answer in outcome.after.alias["answers"]]
        mtls = _named(len(told), sum(told))
    else:
        totals = outcome.after.alias_way.values()
        mtls = _named(sum(one[0] for one in totals), sum(one[1] for one in totals))
    return f"{' and '.join(sorted(whose))} cluster, {mtls}"


def _errors(asked: dict[str, Any]) -> list[str]:
    return sorted(set(asked.get("errors", [])))
