"""`dnsalias ambient`: what ztunnel makes of the calls of pods in ambient mode, predicted."""

import json

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, with_mesh, with_source
from dnsalias_operator.cli.printing.ambientrows import COLUMNS, as_dict, cells_of, name_as_dict
from dnsalias_operator.cli.printing.tables import table
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.meshread import in_mesh, mesh_in
from dnsalias_operator.cli.reading.namespaces import check_namespace
from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.istio.ambient import (
    Pod,
    Records,
    Waypoint,
    ambient_clients,
    assumed_pods,
    calls_from,
    captures_dns,
    in_ambient_mode,
    names_for,
    records_of,
)
from dnsalias_operator.core.istio.validation import admitted
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = """Predict what ztunnel makes of the calls of pods in ambient mode: who answers at each address.

\b
Example:
  dnsalias ambient -f manifests/ --from shop --port 7000
  dnsalias ambient --from shop -o json

\b
WAY says how a call leaves:
  HBONE      through a tunnel to the pods, with mTLS; or to the waypoint
  plaintext  as it came, past the mTLS of the pods
  reset      it does not: there is no such port, or no endpoint
  passes     to the address that was dialled, as it came
  by chance  one of several records gets it; nobody can say which

Pods are taken from files that have some; else whatever selects pods is taken to have one, which takes HBONE where its
namespace is in ambient mode.

\b
Exit codes:
  0  predicted
  2  bad usage, or input that cannot be read
"""


@click.command(help=HELP)
@with_source
@click.option("--from", "client", required=True, metavar="NAMESPACE", help="Namespace of the calling pod.")
@click.option("--port", type=click.IntRange(1, 65535), help="Only calls to this port.")
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@with_mesh
def ambient(source: Source, rules: Rules, client: str, port: int | None, output: str) -> int:
    """Print the table; the exit code."""
    inputs = source.read()
    check_namespace(client, inputs, rules)
    given, by_hand = inputs.snapshot(), rules
    mesh = in_mesh(inputs, rules, given).mesh
    world = admitted(given, mesh)
    records, pods_known = _records(inputs, world, mesh)
    calls = calls_from(records, client, mesh, port)
    names = names_for(records, client, mesh)
    notes = [f"Not modelled: {line}." for line in mesh_in(inputs, by_hand).unfollowed]
    if not in_ambient_mode(world, client):
        about = ambient_clients(world, mesh)
        notes.append(
            f"Namespace {client} is not labelled for ambient mode; this is about a pod in it that is"
            f"{f' ({about})' if about else ''}."
        )
    if output == "json":
        document = {"calls": [as_dict(call) for call in calls], "names": [name_as_dict(name) for name in names]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        for line in notes:
            click.echo(clean(line), err=True)
        return ERROR if inputs.problems else OK
    if calls:
        table(COLUMNS, [cells for call in calls for cells in cells_of(call)], _is_alarming)
    else:
        click.echo(f"No record has {f'port {port}' if port else 'an address'}: such calls pass, as they came.")
    unresolved = ", ".join(clean(name.host) for name in names if not name.addresses)
    if unresolved and port is None:
        click.echo(f"The cluster's DNS is asked for {unresolved}: ztunnel has no address to answer with.")
    if not captures_dns(mesh):
        click.echo(
            "Pods ask ztunnel for names only where istio-cni has ambient.dnsCapture, off by default before 1.25."
        )
    for line in notes:
        click.echo(clean(line))
    assumed = "" if pods_known else ", pods not read"
    click.echo(f"Assumed: a pod in ambient mode in namespace {clean(client)}{assumed}, {mesh.assumptions()}.")
    return ERROR if inputs.problems else OK


def _records(inputs: Inputs, world: Snapshot, mesh: Mesh) -> tuple[Records, bool]:
    """The records, and whether the input has pods. Its Gateways count where it has any of the Gateway API."""
    others = [item.raw for item in inputs.items if item.typed is None]
    pods = [Pod.parse(raw) for raw in others if (raw.get("apiVersion"), raw.get("kind")) == ("v1", "Pod")]
    gateways = [
        Waypoint.parse(raw)
        for raw in others
        if raw.get("kind") == "Gateway" and str(raw.get("apiVersion")).startswith("gateway.networking.k8s.io/")
    ]
    waypoints = {(w.namespace, w.name): w for w in gateways if w.address} or None
    return records_of(world, mesh, pods or assumed_pods(world), waypoints), bool(pods)


def _is_alarming(cells: tuple[str, ...]) -> bool:
    return "by chance" in cells[3] or cells[3].startswith(("plaintext", "reset"))
