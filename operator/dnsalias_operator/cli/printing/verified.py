"""What `dnsalias verify` found, in words."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click

from dnsalias_operator.cli.printing.rows import cells_of
from dnsalias_operator.cli.terminal import clean, count, tally
from dnsalias_operator.core.advice.verify import Claimed, ClusterDifference, Explanation, PortDifference, Seen, Verdict
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.model.mesh import Mesh

MOST_CLAIMED = 10
"""Objects of a port that are listed one by one."""
_FLAGS = {
    "dns_capture": ("--dns-capture", "--no-dns-capture"),
    "dual_stack": ("--dual-stack", "--no-dual-stack"),
    "istio_dual_stack": ("--istio-dual-stack", "--no-istio-dual-stack"),
}
_WORDS = {
    "dns_capture": "DNS capture",
    "dual_stack": "dual-stack pods",
    "istio_dual_stack": "ISTIO_DUAL_STACK",
    "topology": "topology",
    "outbound_traffic_policy": "outboundTrafficPolicy",
    "default_service_export_to": "defaultServiceExportTo",
    "root_namespace": "root namespace",
    "cluster_domain": "cluster domain",
    "istio_version": "Istio",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome for one sidecar; ``clusters`` is None where they were not compared."""

    source: str
    seen: Seen
    client: Client
    mesh: Mesh
    notes: tuple[str, ...]
    verdict: Verdict
    explanation: Explanation | None = None
    clusters: tuple[ClusterDifference, ...] | None = None

    @property
    def agrees(self) -> bool:
        """Whether nothing that was compared differs."""
        return not self.verdict.differences and not self.clusters


def lines(one: Verified, most: int) -> Iterator[str]:
    """The outcome in words; at most so many ports are listed one by one."""
    verdict = one.verdict
    yield click.style(f"{clean(one.source)}: {clean(_whose(one))}", bold=True)
    for difference in verdict.differences[:most]:
        yield ""
        yield from _port(difference)
    every = len(verdict.differences)
    if every > most:
        yield f"\n{count(every - most, 'more port')} differ; --show {every} prints all."
    for cluster in one.clusters or ():
        yield f"\ncluster {clean(cluster.name)}: Envoy {clean(cluster.envoy)}; predicted {clean(cluster.predicted)}"
        yield f"  because: {clean(cluster.because)}"
    yield from _outcome(one)


def explained(why: Explanation) -> str:
    """The settings that would explain the differences, in a sentence."""
    set_so = " and ".join(_setting(name, value) for name, value in why.settings.items())
    flags = " ".join(_flag(name, value) for name, value in why.settings.items())
    agree = "all ports agree" if why.complete else f"{why.agreed} of {count(why.ports, 'port')} agree"
    others = [_setting(name, value) for name, value in why.others[:3]]
    also = f"; as many do with {' or '.join(others)}" if others else ""
    return f"With {set_so}, {agree} ({flags}){also}."


def _whose(one: Verified) -> str:
    proxy = one.seen.proxy
    if proxy is None:
        return f"a sidecar in namespace {one.client.namespace} (it does not say whose)"
    parts = [
        f"Istio {proxy.release}" if proxy.release else "",
        *_named((("cluster", proxy.cluster), ("network", proxy.network))),
    ]
    labels = ",".join(f"{key}={value}" for key, value in sorted(one.client.labels.items()))
    return ", ".join(filter(None, (f"sidecar of {proxy}", *parts, f"labels {labels}" if labels else "")))


def _named(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{what} {value}" for what, value in pairs if value)


def _outcome(one: Verified) -> Iterator[str]:
    verdict = one.verdict
    yield ""
    rest = tally(
        (
            (len(verdict.differences), "differ" if len(verdict.differences) > 1 else "differs"),
            (len(verdict.not_compared), "not compared"),
        )
    )
    yield click.style(
        f"{verdict.agreed} of {count(len(verdict.ports), 'port')} agree{f', {rest}' if rest else ''}.",
        fg="green" if one.agrees else "red",
    )
    if one.clusters is not None:
        there = len(one.seen.clusters or ())
        yield f"{count(len(one.clusters), 'cluster')} differ, of {there} that Envoy has."
    if one.explanation:
        yield click.style(clean(explained(one.explanation)), bold=True)
    for port in verdict.not_compared:
        yield f"Not compared: port {port.port}: {clean('; '.join(port.not_modelled))}."
    if verdict.by_chance:
        yield f"By chance: istiod promises no order for what claims port {', '.join(map(str, verdict.by_chance))}."
    if verdict.of_pods:
        hosts = sorted({str(row.cluster) for row in verdict.of_pods if row.cluster})
        rows = count(len(verdict.of_pods), "row")
        yield f"Not compared: {rows} of listeners of single pods ({clean(', '.join(hosts[:5]))})."
    for line in one.seen.refused:
        yield f"{clean(line)}."
    for line in one.notes:
        yield f"Note: {clean(line)}."
    yield f"Assumed: {one.mesh.assumptions()}."


def _port(one: PortDifference) -> Iterator[str]:
    yield click.style(f"port {one.port} differs:", fg="red")
    listed = [
        *(("  ", "both     ", row) for row in one.both),
        *(("- ", "Envoy    ", row) for row in one.envoy),
        *(("+ ", "predicted", row) for row in one.predicted),
    ]
    cells = [cells_of(row) for _, _, row in listed]
    widths = [max(len(row[n]) for row in cells) for n in range(4)]
    for (sign, what, row), columns in zip(listed, cells, strict=True):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(columns[:4], widths, strict=True))
        owner = f"  {clean(row.owner)}" if row.owner else ""
        yield click.style(f"  {sign}{what}  {padded.rstrip()}{owner}", fg={"+ ": "green", "- ": "red"}.get(sign))
    for claimed in one.claimed[:MOST_CLAIMED]:
        yield f"  claimed by {clean(_claimed(claimed))}"
    if len(one.claimed) > MOST_CLAIMED:
        yield f"  claimed by {len(one.claimed) - MOST_CLAIMED} more objects"
    if not one.claimed:
        yield "  claimed by no object that was read"
    for host in one.unread:
        yield f"  no object that was read has the host {clean(host)}: is the input complete?"
    for loss in one.lost:
        yield f"  {clean(loss.loser)} gets nothing at {clean(loss.bind)}:{loss.port}: {clean(loss.winner)} holds it"
    for rule in one.rules:
        yield f"  rule: {clean(rule)}"


def _claimed(one: Claimed) -> str:
    parts = [
        "/".join(dict.fromkeys(one.protocols)),
        one.resolution,
        *([f"hosts {', '.join(one.hosts)}"] if one.hosts else []),
        f"addresses {', '.join(one.addresses) or 'none'}",
        *([f"allocated {', '.join(one.auto_addresses)}"] if one.auto_addresses else []),
        f"exportTo {', '.join(one.export_to)}{'' if one.given else ', not to this pod'}",
    ]
    return f"{one.key} ({'; '.join(parts)})"


def _setting(name: str, value: object) -> str:
    word = _WORDS.get(name, name)
    if isinstance(value, bool):
        return f"{word} {'on' if value else 'off'}"
    return f"{word} {','.join(value) if isinstance(value, tuple) else value}"


def _flag(name: str, value: object) -> str:
    if isinstance(value, bool) and name in _FLAGS:
        return _FLAGS[name][0 if value else 1]
    text = ",".join(value) if isinstance(value, tuple) else value
    return f"--{name.replace('_', '-')} {shlex.quote(str(text))}"
