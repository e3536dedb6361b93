"""`dnsalias listeners`: the outbound listeners that a sidecar would get, predicted."""

import json
from collections.abc import Iterable, Mapping, Sequence

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, labels_of, with_mesh, with_source
from dnsalias_operator.cli.printing import routes
from dnsalias_operator.cli.printing.rows import as_dict, cells_of
from dnsalias_operator.cli.printing.tables import table
from dnsalias_operator.cli.reading.meshread import in_mesh, mesh_in
from dnsalias_operator.cli.reading.namespaces import check_namespace
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.istio.ambient import in_ambient_mode
from dnsalias_operator.core.istio.clusters import Sent, clusters_on, sends
from dnsalias_operator.core.istio.listeners import (
    Client,
    Listener,
    Row,
    listeners_on,
    outbound,
    refused_on,
    sidecar_of,
    unfollowed,
)
from dnsalias_operator.core.istio.listeners.scope import scope_of
from dnsalias_operator.core.istio.meshconfig import mesh_for
from dnsalias_operator.core.istio.routes import VirtualHost, virtual_hosts
from dnsalias_operator.core.istio.validation import admitted, refused
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = """Predict the outbound listeners of a sidecar in a namespace: who gets the connections to each address and port.

\b
Example:
  dnsalias listeners -f manifests/ --from default --port 443
  dnsalias listeners --from default --port 80 -o wide

With --port the virtual hosts of an HTTP port are listed as well: which Host headers lead where.

\b
-o wide also shows what the sidecar sends, and why:
  mTLS, TLS  it adds that
  plaintext  it adds nothing to what the application sent
  unchanged  it passes on what the application sent: TLS that it knows by SNI,
             or a connection that no listener is for
  nothing    no connection is made: there is no such cluster, or it is blocked

\b
Exit codes:
  0  predicted
  2  bad usage, or input that cannot be read
"""
_COLUMNS = ("BIND", "PORT", "MATCH", "DESTINATION", "FROM")
_WIDE = (*_COLUMNS[:4], "SENDS", *_COLUMNS[4:])
_CLUSTERS = ("CLUSTER", "SENDS", "BECAUSE")


@click.command(help=HELP)
@with_source
@click.option("--from", "client", required=True, metavar="NAMESPACE", help="Namespace of the sidecar.")
@click.option("--labels", default="", callback=labels_of, metavar="K=V,…", help="Labels of the sidecar's pod.")
@click.option("--port", type=click.IntRange(1, 65535), help="Only listeners with this port.")
@click.option("-o", "--output", type=click.Choice(("text", "wide", "json")), default="text", show_default=True)
@with_mesh
def listeners(source: Source, rules: Rules, client: str, labels: dict[str, str], port: int | None, output: str) -> int:
    """Print the table; the exit code."""
    inputs = source.read()
    check_namespace(client, inputs, rules)
    asked = Client(client, labels)
    given, by_hand = inputs.snapshot(), rules
    rules = in_mesh(inputs, rules, given)
    rules = rules.model_copy(update={"mesh": mesh_for(rules, given, client), "beside": ()})
    world = admitted(given, rules.mesh)
    found = outbound(world, asked, rules.mesh) if port is None else listeners_on(world, asked, rules.mesh, port)
    rows = [row for listener in found for row in listener.every_row]
    through = scope_of(world, asked, rules.mesh).fall_through
    hosts = virtual_hosts(world, asked, rules.mesh, port, rows) if port is not None else []
    missing = [f"Not modelled: {line}." for line in unfollowed(world, asked, rules.mesh, port)]
    missing += routes.rules_of(hosts)
    missing += [f"Not modelled: {line}." for line in mesh_in(inputs, by_hand).unfollowed]
    missing += _not_admitted(given, world, rules, port)
    missing += _refusals(world, asked, rules, world.ports() if port is None else [port])
    notes = [*missing, *_elsewhere(world, client)]
    if output == "json":
        document: dict[str, object] = {"listeners": [as_dict(row) for row in rows]}
        if port is not None:
            document |= {"virtualHosts": [routes.as_dict(host) for host in hosts], "fallThrough": through}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        for line in notes:
            click.echo(clean(line), err=True)
    else:
        sent = _sent(world, asked, rules, {listener.port for listener in found}) if output == "wide" else None
        if rows:
            _listeners(rows, sent)
        else:
            click.echo(routes.unlistened(port, through, complete=not missing))
        _virtual_hosts(hosts, through, sent)
        for line in _losses(found):
            click.echo(line)
        for line in notes:
            click.echo(clean(line))
        sidecar = sidecar_of(world, asked, rules.mesh)
        under = f" under {clean(sidecar.key)}" if sidecar else ""
        also = ", enableAutoMtls on" if output == "wide" and rules.mesh.enable_auto_mtls else ""
        click.echo(f"Assumed: a sidecar in namespace {clean(client)}{under}, {rules.mesh.assumptions()}{also}.")
    return ERROR if inputs.problems else OK


def _sent(world: Snapshot, client: Client, rules: Rules, ports: Iterable[int]) -> dict[str, Sent]:
    """What the sidecar sends to every cluster of these ports, by the cluster's name."""
    every = (cluster for port in sorted(ports) for cluster in clusters_on(world, client, rules.mesh, port))
    return {cluster.name: sends(world, client, rules.mesh, cluster) for cluster in every}


def _listeners(rows: Sequence[Row], sent: Mapping[str, Sent] | None) -> None:
    if sent is None:
        table(_COLUMNS, [cells_of(row) for row in rows], _takes_all)
        return
    shown = [(cells_of(row), routes.sends(row, sent)) for row in rows]
    table(_WIDE, [(*cells[:4], sends_, *cells[4:]) for cells, sends_ in shown], _takes_all)
    if any(sends_ == routes.NOTHING for _, sends_ in shown):
        click.echo(routes.NO_CLUSTER)
    click.echo()
    table(_CLUSTERS, [(clean(name), str(one), clean(one.because)) for name, one in sent.items()], _takes_all)


def _virtual_hosts(hosts: Sequence[VirtualHost], through: str, sent: Mapping[str, Sent] | None) -> None:
    """HTTP requests of the port, by their Host header."""
    cells = routes.cells_of(hosts, through)
    if not cells:
        return
    click.echo()
    if sent is None:
        table(routes.COLUMNS, cells, _takes_all)
        return
    table(routes.WIDE, [(*one[:3], routes.sends_to(one[2], sent), *one[3:]) for one in cells], _takes_all)


def _refusals(world: Snapshot, client: Client, rules: Rules, ports: Iterable[int]) -> Iterable[str]:
    """Listeners that are not in the table because Envoy refuses them."""
    for port in ports:
        for key, why in sorted(refused_on(world, client, rules.mesh, port).items()):
            yield f"{key} on port {port}: Envoy refuses the listener; starting sidecars never become ready ({why})."


def _not_admitted(given: Snapshot, world: Snapshot, rules: Rules, port: int | None) -> Iterable[str]:
    """Entries that have no listener because no cluster can have them."""
    for entry in given.entries() if given is not world else ():
        if world.get(entry.key) is None and (port is None or port in {p.number for p in entry.ports}):
            why = "; ".join(map(str, refused(entry.raw, rules.mesh)))
            yield f"{entry.key} has no listener: Istio refuses it ({why})."


def _elsewhere(world: Snapshot, namespace: str) -> Iterable[str]:
    """Who asks for the sidecars of a namespace in ambient mode."""
    if in_ambient_mode(world, namespace):
        yield (
            f"Namespace {namespace} is in ambient mode: its pods have none of these, unless one has a sidecar all the "
            f"same; `dnsalias ambient --from {namespace}` says what they get."
        )


def _losses(found: Iterable[Listener]) -> Iterable[str]:
    for listener in found:
        for loss in listener.lost:
            place = f"{loss.bind}:{loss.port}"
            yield f"{clean(loss.loser)} gets nothing at {clean(place)}: {clean(loss.winner)} holds it."


def _takes_all(cells: tuple[str, ...]) -> bool:
    bind, _, match, destination, *_ = (*cells, "")
    return bind == "0.0.0.0" and match == "everything" and destination.startswith("outbound|")  # noqa: S104 (compared)
