"""Virtual hosts of an HTTP port, and what a sidecar sends, as people and programs see them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.istio.clusters import Sent
from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.rows import BLACKHOLE, PASSTHROUGH
from dnsalias_operator.core.istio.routes import ANY_HOST, VirtualHost

COLUMNS = ("ROUTE", "HOST", "DESTINATION", "FROM")
WIDE = (*COLUMNS[:3], "SENDS", *COLUMNS[3:])
UNCHANGED, NOTHING, PLAINTEXT = "unchanged", "nothing", "plaintext"
"""UNCHANGED is what the application sent, to where it sent it or, by SNI, as TLS of its own. NOTHING: no connection is
made. PLAINTEXT: a cluster for which the sidecar adds nothing."""
NO_CLUSTER = "SENDS nothing: no connection is made, the sidecar closes that of the application."


def sends(row: Row, sent: Mapping[str, Sent]) -> str:
    """What is sent to the destination of a row; ``sent`` has that of every cluster by its name."""
    if row.route:
        return "by host, see below"
    if row.cluster is None or row.cluster == BLACKHOLE:
        return NOTHING
    if row.cluster not in sent:
        return UNCHANGED if row.cluster == PASSTHROUGH else NOTHING
    told = str(sent[row.cluster])
    # What is matched by SNI is TLS already: the sidecar passes it on.
    return UNCHANGED if row.sni and told == PLAINTEXT else told


def as_dict(host: VirtualHost) -> dict[str, object]:
    """The machine form of a virtual host."""
    return {
        "route": host.route,
        "domains": [*host.domains, *host.addresses],
        "byChance": list(host.contested),
        "cluster": host.cluster.name,
        "owner": str(host.cluster.service.key),
        "virtualServices": [str(key) for key in host.rules],
    }


def cells_of(hosts: Sequence[VirtualHost], fall_through: str) -> list[tuple[str, str, str, str]]:
    """Route, host, destination and object of each virtual host; then what no other of a shared route has."""
    found = [(clean(h.route), _host(h), clean(h.cluster.name), clean(h.cluster.service.key)) for h in hosts]
    shared = sorted({host.route for host in hosts if host.domains != ANY_HOST})
    return found + [(clean(route), "any other", answered_by(fall_through), "the mesh") for route in shared]


def _host(host: VirtualHost) -> str:
    if host.domains == ANY_HOST:
        return "any"
    by_chance = (f"{address} (by chance)" if address in host.contested else address for address in host.addresses)
    return ", ".join(map(clean, (*host.domains, *by_chance)))


def sends_to(destination: str, sent: Mapping[str, Sent]) -> str:
    """What is sent to the destination of a virtual host."""
    if destination in sent:
        return str(sent[destination])
    return UNCHANGED if destination == PASSTHROUGH else NOTHING


def answered_by(fall_through: str) -> str:
    """Who answers requests for a host that no virtual host has."""
    return "502 from the sidecar" if fall_through == BLACKHOLE else clean(fall_through)


def unlistened(port: int | None, fall_through: str, *, complete: bool) -> str:
    """One sentence about a port (None: all) without a listener; ``complete``: the model follows everything there."""
    policy = "REGISTRY_ONLY" if fall_through == BLACKHOLE else "ALLOW_ANY"
    if fall_through == BLACKHOLE:
        what = "the sidecar closes connections"
    elif fall_through == PASSTHROUGH:
        what = "connections go on to where the application sent them, unchanged"
    else:
        what = f"connections go to {clean(fall_through)}"
    beside = "" if complete else ", but for what is not modelled"
    where = "" if port is None else f" on port {port}"
    return f"No listener{where}{beside}: {what} (outboundTrafficPolicy {policy})."


def rules_of(hosts: Iterable[VirtualHost]) -> Iterator[str]:
    """One sentence for each VirtualService that may lead requests elsewhere."""
    found: dict[str, list[str]] = {}
    for host in hosts:
        for key in host.rules:
            found.setdefault(str(key), []).append(host.cluster.hostname)
    for rule, names in sorted(found.items()):
        yield f"Not modelled: {clean(rule)} routes requests for {', '.join(map(clean, names))}."
