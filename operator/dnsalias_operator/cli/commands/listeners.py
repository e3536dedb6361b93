"""`dnsalias listeners`: the outbound listeners that a sidecar would get, predicted."""

import json
from collections.abc import Iterable, Mapping, Sequence

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, labels_of, with_mesh, with_source
from dnsalias_operator.cli.printing.rows import as_dict, cells_of
from dnsalias_operator.cli.reading.meshread import in_mesh, mesh_in
from dnsalias_operator.cli.terminal import clean, on_terminal
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
from dnsalias_operator.core.istio.listeners.rows import PASSTHROUGH
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = """Predict the outbound listeners of a sidecar in a namespace: who gets the connections to each address and port.

\b
Example:
  dnsalias listeners -f manifests/ --from default --port 443
  dnsalias listeners --from default --port 80 -o wide

\b
-o wide also shows what the sidecar sends, mTLS or what the application sent
(plaintext), and why.

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
    asked = Client(client, labels)
    world = inputs.snapshot()
    given, rules = rules, in_mesh(inputs, rules, world)
    found = outbound(world, asked, rules.mesh) if port is None else listeners_on(world, asked, rules.mesh, port)
    rows = [row for listener in found for row in listener.every_row]
    missing = [f"Not modelled: {line}." for line in unfollowed(world, asked, rules.mesh, port)]
    missing += [f"Not modelled: {line}." for line in mesh_in(inputs, given).unfollowed]
    missing += _refusals(world, asked, rules, world.ports() if port is None else [port])
    if output == "json":
        document = {"listeners": [as_dict(row) for row in rows]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        for line in missing:
            click.echo(clean(line), err=True)
    else:
        if output == "wide":
            sent = _sent(world, asked, rules, {listener.port for listener in found})
            _table(_WIDE, [(*cells_of(row)[:4], _sends(row, sent), *cells_of(row)[4:]) for row in rows])
            click.echo()
            _table(_CLUSTERS, [(clean(name), str(one), clean(one.because)) for name, one in sent.items()])
        else:
            _table(_COLUMNS, [cells_of(row) for row in rows])
        for line in _losses(found):
            click.echo(line)
        for line in missing:
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


def _sends(row: Row, sent: Mapping[str, Sent]) -> str:
    if row.route:
        return "by host, see below"
    if row.cluster is not None and row.cluster in sent:
        return str(sent[row.cluster])
    return "plaintext" if row.cluster == PASSTHROUGH else "nothing"


def _refusals(world: Snapshot, client: Client, rules: Rules, ports: Iterable[int]) -> Iterable[str]:
    """Listeners that are not in the table because Envoy refuses them."""
    for port in ports:
        for key, why in sorted(refused_on(world, client, rules.mesh, port).items()):
            yield f"{key} on port {port}: Envoy refuses the listener; starting sidecars never become ready ({why})."


def _losses(found: Iterable[Listener]) -> Iterable[str]:
    for listener in found:
        for loss in listener.lost:
            place = f"{loss.bind}:{loss.port}"
            yield f"{clean(loss.loser)} gets nothing at {clean(place)}: {clean(loss.winner)} holds it."


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if on_terminal():
        _rich_table(columns, rows)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for cells in (columns, *rows):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _rich_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console  # noqa: PLC0415 (start-up time)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table()
    for column in columns:
        # The default truncates: names that differ only at their ends would look the same.
        table.add_column(column, overflow="fold")
    for cells in rows:
        # Text, not str: square brackets in a name would be read as markup.
        table.add_row(*(Text(cell, style="red" if _takes_all(cells) else "") for cell in cells))
    Console().print(table)


def _takes_all(cells: tuple[str, ...]) -> bool:
    bind, _, match, destination, *_ = (*cells, "")
    return bind == "0.0.0.0" and match == "everything" and destination.startswith("outbound|")  # noqa: S104 (compared)
