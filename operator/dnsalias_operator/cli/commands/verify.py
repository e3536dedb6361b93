"""`dnsalias verify`: a real sidecar's listeners held against the prediction for that very pod."""

import json
import secrets
import sys
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import click

from dnsalias_operator import __version__
from dnsalias_operator.cli.options import ERROR, FOUND, OK, Source, labels_of, with_mesh, with_source
from dnsalias_operator.cli.printing.verified import Verified, lines
from dnsalias_operator.cli.printing.verifieddoc import as_document
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.cli.reading.sidecars import STDIN, Sampled, SidecarError, from_file, from_namespace, from_pod
from dnsalias_operator.cli.terminal import clean, note
from dnsalias_operator.core.advice.verify import (
    Anonymous,
    client_of,
    clusters_differ,
    compare,
    explain,
    mesh_of,
    report,
)
from dnsalias_operator.core.istio.listeners import Client
from dnsalias_operator.core.istio.meshconfig import mesh_for
from dnsalias_operator.core.istio.validation import admitted
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = """Hold a real sidecar's outbound listeners against the prediction for that very pod, row by row.

DUMP is Envoy's config_dump, or what istioctl proxy-config listeners -o json
prints; - is standard input. --pod asks the sidecar itself, as kubectl exec
does. Namespace, labels, release, DNS capture and addresses of the pod are
taken from the dump; a setting that is given wins, and where the two
contradict each other that is said.

\b
Example:
  dnsalias verify --pod shop/web-5d9c7b
  dnsalias verify --all shop --report report.json
  kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump > dump.json
  dnsalias verify dump.json -f manifests/ -o wide

\b
With -o wide and -o json, also what the sidecar sends to each cluster: mTLS,
TLS or plaintext.

\b
Exit codes:
  0  everything that was compared agrees
  1  something differs
  2  bad usage, or a dump or input that cannot be read
"""


@click.command(help=HELP)
@click.argument("dump", required=False, type=click.Path(readable=False, allow_dash=True))
@click.option("--pod", default="", metavar="NS/NAME", help="Ask the sidecar of this pod.")
@click.option("--all", "every", default="", metavar="NAMESPACE", help="Ask one pod of each workload of a namespace.")
@with_source
@click.option("--from", "namespace_given", default="", metavar="NAMESPACE", help="Namespace of the sidecar, if unsaid.")
@click.option("--labels", default="", callback=labels_of, metavar="K=V,…", help="Labels of its pod, if unsaid.")
@click.option("--show", default=20, show_default=True, metavar="N", help="Ports that differ to print.")
@click.option(
    "--report",
    "report_to",
    type=click.Path(readable=False),
    metavar="FILE",
    help="Write the differences without names.",
)
@click.option("-o", "--output", type=click.Choice(("text", "wide", "json")), default="text", show_default=True)
@with_mesh
def verify(
    source: Source,
    rules: Rules,
    dump: str | None,
    pod: str,
    every: str,
    namespace_given: str,
    labels: dict[str, str],
    show: int,
    report_to: str | None,
    output: str,
) -> int:
    """Print the outcome; the exit code."""
    if sum(map(bool, (dump, pod, every))) != 1:
        raise click.UsageError("name one of: a file with the dump (- is standard input), --pod NS/NAME, --all NS")
    if dump == STDIN and STDIN in source.paths:
        raise click.UsageError("standard input is the dump, and -f - as well; put one of them in a file")
    sampled = _read(source, dump, pod, every, clusters=output != "text")
    named = [_client(one, namespace_given, labels) for one in sampled]
    inputs = source.read()
    given = inputs.snapshot()
    by_hand = rules.mesh.model_fields_set
    rules = in_mesh(inputs, rules, given)
    world = admitted(given, rules.mesh)
    if source.namespace and not source.paths:
        note(f"warning: nothing outside of namespace {source.namespace} was read, and a sidecar receives more")
    found = [
        _verify(world, one, client, mesh_for(rules, given, client.namespace, revision), by_hand, wide=output == "wide")
        for one, client in zip(sampled, named, strict=True)
        for revision in (one.seen.proxy.revision if one.seen.proxy else "",)
    ]
    if output == "json":
        click.echo(json.dumps({"sidecars": [as_document(one) for one in found]}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join("\n".join(lines(one, show)) for one in found))
    if report_to:
        _report(world, found, Path(report_to))
    if inputs.problems:
        return ERROR
    return OK if all(one.agrees for one in found) else FOUND


def _read(source: Source, dump: str | None, pod: str, every: str, *, clusters: bool) -> Sequence[Sampled]:
    try:
        if dump:
            return [from_file(dump, clusters=clusters)]
        if every:
            found = list(from_namespace(source.kubeconfig, source.context, every, clusters=clusters))
            if not found:
                raise click.ClickException(f"no sidecar of namespace {every} could be read, see above")
            return found
        namespace, slash, name = pod.partition("/")
        if not slash or not name:
            raise click.UsageError(f"--pod {pod}: give its namespace as well, as NAMESPACE/NAME")
        return [from_pod(source.kubeconfig, source.context, namespace, name, clusters=clusters)]
    except SidecarError as error:
        raise click.ClickException(clean(error)) from error


def _client(one: Sampled, namespace: str, labels: dict[str, str]) -> Client:
    """Who the sidecar is: what was given, else what it says of itself."""
    said = client_of(one.seen.proxy) if one.seen.proxy else None
    if one.seen.secret:
        note(f"warning: {one.source} holds a private key that is not redacted. Nothing of it is printed; keep it safe.")
    if said is None and not namespace:
        raise click.UsageError(
            f"{one.source} does not say whose sidecar it is: give --from NAMESPACE, and --labels of the pod where a "
            "Sidecar selects by them; or take the whole config_dump"
        )
    if said and namespace and namespace != said.namespace:
        note(f"warning: --from {namespace}, and the sidecar itself says that it is in {said.namespace}")
    return Client(namespace or (said.namespace if said else ""), labels or (said.labels if said else {}))


def _verify(
    world: Snapshot, one: Sampled, client: Client, assumed: Mesh, by_hand: AbstractSet[str], *, wide: bool
) -> Verified:
    mesh, notes = mesh_of(one.seen.proxy, assumed, by_hand) if one.seen.proxy else (assumed, ())
    if wide and one.seen.clusters is None:
        notes = (*notes, "its clusters are not in what was given: a whole config_dump has them")
    verdict = compare(world, client, mesh, one.seen.rows)
    clusters = clusters_differ(world, client, mesh, one.seen.clusters) if one.seen.clusters is not None else None
    why = explain(world, client, mesh, one.seen.rows, verdict) if verdict.differences else None
    return Verified(one.source, one.seen, client, mesh, notes, verdict, why, clusters)


def _report(world: Snapshot, found: Iterable[Verified], path: Path) -> None:
    """Show the report and write it, after a question where somebody can answer it."""
    hide = Anonymous(secrets.token_bytes(32))
    differing = [one for one in found if one.verdict.differences]
    if not differing:
        note("no port differs, so there is nothing to report")
        return
    reports = [report(world, one.client, one.mesh, one.verdict, one.explanation, hide) for one in differing]
    document: dict[str, Any] = {"dnsalias": __version__, "sidecars": reports}
    content = json.dumps(document, indent=2) + "\n"
    click.echo(content, err=True)
    if sys.stdin is not None and sys.stdin.isatty() and not click.confirm(f"Write this to {path}?", err=True):
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise click.ClickException(f"{path}: is there already, and is left as it is; name another file") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
    note(f"written to {path}: as shown above, with names and addresses replaced")
