"""A story as text: sections with a title in the margin."""

from collections.abc import Iterable, Iterator, Mapping

import click

from dnsalias_operator.cli.printing.ambientrows import to_of, way_of
from dnsalias_operator.cli.reading.problems import Place
from dnsalias_operator.cli.terminal import clean, severity
from dnsalias_operator.core.advice.answers import ELSEWHERE, Answer
from dnsalias_operator.core.advice.bound import Bound
from dnsalias_operator.core.advice.story import Story
from dnsalias_operator.core.istio.ambient import Answer as AmbientResult
from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH
from dnsalias_operator.core.istio.protocols import Protocol, entry_protocol, service_protocol
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service, tcp_ports
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.status import GENERATED, PATCHED

_MARGIN = 12


def lines_of(story: Story, places: Mapping[Key, Place], mesh: Mesh) -> Iterator[str]:
    """The lines of a story; the first names the object and its state."""
    where = f" ({clean(places[story.key])})" if story.key in places else ""
    yield click.style(f"{clean(story.key)}{where} {clean(story.summary)}", bold=True)
    yield from _section("Name", _names(story, mesh))
    yield from _section("Service", _service(story, mesh))
    if story.key.kind != "Service":
        yield from _section("Entry", _entry(story, mesh))
    yield from _section("Traffic", _traffic(story, mesh))
    yield from _section("Ambient", _ambient(story))
    yield from _section("Policies", map(_bound, story.bound))
    wide = max((len(c.type) for c in story.conditions), default=0)
    yield from _section("Conditions", (f"{c.type:<{wide}} {c.status:<7} {clean(c.reason)}" for c in story.conditions))
    yield from _section("Findings", _findings(story))
    yield from _section("What to do", _steps(story))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    head = click.style(title.ljust(_MARGIN), bold=True)
    for line in lines:
        yield f"{head}{line}".rstrip()
        head = " " * _MARGIN


def _names(story: Story, mesh: Mesh) -> Iterator[str]:
    for name in story.names:
        if name.answered:
            yield f"{clean(name.host)}: sidecars that capture DNS answer {', '.join(map(clean, name.answered))}"
        elif mesh.dns_capture:
            yield f"{clean(name.host)}: sidecars have no address to answer with yet, and ask the pod's DNS"
        else:
            yield f"{clean(name.host)}: the pod's DNS is asked; a ServiceEntry makes no record"
        if name.rewrite and not name.answered:
            yield f"  for CoreDNS: {clean(name.rewrite)}"
        yield from (f"  but {clean(note)}" for note in name.notes)


def _service(story: Story, mesh: Mesh) -> Iterator[str]:
    if story.service is None:
        yield f"{clean(story.named)} does not exist" if story.named else "nothing says which Service it stands for"
        return
    guess = " (inferred from its name)" if story.inferred else ""
    yield f"{clean(story.service.key)}{guess}: {', '.join(_address(story.service))}"
    for port in tcp_ports(story.service):
        yield f"  {port.port} {clean(port.name)} ({_protocol(service_protocol(port, mesh))})"


def _address(service: Service) -> Iterator[str]:
    if service.type == "ExternalName":
        yield f"ExternalName {clean(service.external_name)}"
    elif service.headless:
        yield "headless, no clusterIP"
    else:
        yield " and ".join(map(clean, service.cluster_ips)) or "no clusterIP known"
    if service.selector:
        yield f"pods with {clean(','.join(f'{k}={v}' for k, v in sorted(service.selector.items())))}"
    if service.export_to is not None:
        yield f"exported to {clean(','.join(service.export_to) or 'nobody')}"


def _entry(story: Story, mesh: Mesh) -> Iterator[str]:
    entry = story.entry
    if entry is None:
        yield "none; one will be created" if story.changes else "none"
        return
    whose = {GENERATED: "made for this alias", PATCHED: "somebody else's, kept right for this alias"}
    made = f", {whose[story.mode]}" if story.mode else ""
    yield f"{clean(entry.key)}{made}: addresses {', '.join(map(clean, entry.addresses)) or 'none'}"
    seen = clean(",".join(entry.export_to or mesh.default_service_export_to))
    yield f"  resolution {clean(entry.resolution)}, {_leads(entry)}, exported to {seen}"
    for port in entry.ports:
        yield f"  {port.number} {clean(port.name)} ({_protocol(entry_protocol(port))})"


def _leads(entry: ServiceEntry) -> str:
    if entry.workload_selector is not None:
        return f"pods with {clean(','.join(f'{k}={v}' for k, v in sorted(entry.workload_selector.items())))}"
    return "endpoints " + (", ".join(clean(e.address) for e in entry.endpoints) or "none")


def _protocol(protocol: Protocol) -> str:
    return "no protocol" if protocol is Protocol.UNSET else protocol.value


def _traffic(story: Story, mesh: Mesh) -> Iterator[str]:
    yield from (_answer(answers, mesh) for answers in story.answers)
    yield from (f"Not modelled: {clean(line)}." for line in story.not_followed)


def _answer(answers: Answer, mesh: Mesh) -> str:
    place = f"port {answers.port} elsewhere" if answers.address == ELSEWHERE else f"{answers.address}:{answers.port}"
    heading = f"{clean(place)}, from {clean(answers.where)}:"
    ends = [_end(answers, row) for row in answers.rows]
    if not ends:
        ends = ["blocked (REGISTRY_ONLY)" if mesh.outbound_traffic_policy == "REGISTRY_ONLY" else "passes, no listener"]
    return f"{heading} {'; '.join(ends)}"


def _end(answers: Answer, row: Row) -> str:
    matches = [
        *(["SNI " + ",".join(row.sni)] if row.sni else []),
        *(["within " + ",".join(row.cidr)] if row.cidr else []),
        *(["plaintext HTTP"] if row.http else []),
    ]
    match = clean(" and ".join(matches)) or ("else" if row.default and len(answers.rows) > 1 else "everything")
    if row.cluster == PASSTHROUGH:
        return f"{match} passes"
    if row.cluster == BLACKHOLE:
        return f"{match} is blocked"
    if row.route is not None:
        return f"{match} by its Host header"
    end = f"{match} to {clean(row.owner or row.cluster)}"
    return click.style(end, fg="red", bold=True) if answers.address == ELSEWHERE and not row.sni else end


def _bound(one: Bound) -> str:
    parts = [f"{clean(one.key)}: {clean(one.what)}"]
    parts += [f"for {clean(one.host)}"] if one.host else ["at the pods"]
    if one.clients:
        parts.append(f"({clean(one.clients)})")
    stops = f"; stops at {', '.join(map(clean, one.stops))}" if one.stops else ""
    return " ".join(parts) + click.style(stops, fg="yellow")


def _ambient(story: Story) -> Iterator[str]:
    """What pods without sidecars get, and which resolver answers them."""
    apart = {(answer.address, answer.port) for answer in story.ambient.answers if answer.namespace}
    for answer in story.ambient.answers:
        others = "anywhere else" if (answer.address, answer.port) in apart else "every namespace"
        where = f"namespace {clean(answer.namespace)}" if answer.namespace else others
        ends = "; or, by chance, ".join(_ambient_end(end) for end in answer.ends)
        yield f"{clean(f'{answer.address}:{answer.port}')}, from {where}: {ends}"
    for host, addresses in story.ambient.names:
        answered = f"ztunnel answers {', '.join(map(clean, addresses))}" if addresses else "the cluster's DNS is asked"
        yield f"{clean(host)}: {answered}"


def _ambient_end(answer: AmbientResult) -> str:
    to = to_of(answer)
    by = f" by {clean(answer.record.owner)}" if answer.record else ""
    return f"{way_of(answer)}{f' to {to}' if answer.ends or answer.waypoint else f' ({to})'}{by}"


def _findings(story: Story) -> Iterator[str]:
    for finding in story.findings:
        port = f" port {finding.port}:" if finding.port is not None else ""
        fixed = "" if not story.fixes(finding) else click.style(" (the operator fixes this)", fg="green")
        yield f"{severity(finding.severity)} {finding.code}{port} {clean(finding.message)}{fixed}"


def _steps(story: Story) -> Iterator[str]:
    if not story.steps:
        yield "Nothing."
    for number, step in enumerate(story.steps, 1):
        yield f"{number}. {clean(step)}"
