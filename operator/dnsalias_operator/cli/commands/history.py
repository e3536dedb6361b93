"""`dnsalias history`: what the operator did, from its Events and managedFields."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from dnsalias_operator.cli.options import OK
from dnsalias_operator.cli.reading.live import LiveError, read_cluster, read_events
from dnsalias_operator.cli.terminal import clean, note
from dnsalias_operator.core.advice.history import Happening
from dnsalias_operator.core.advice.history import history as told
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import KIND

HELP = """Show what the operator did, the oldest first: its Events, and what it wrote last to which fields.

WHAT is NAMESPACE/NAME of a DnsAlias or ServiceEntry; without it everything is shown. A cluster keeps Events for an
hour, unless it is set up otherwise; what was written last stays known as long as the fields are the operator's.

\b
Example:
  dnsalias history
  dnsalias history abc/service-api
  dnsalias history -n abc -o json

\b
Exit codes:
  0  shown
  2  bad usage, or a cluster that cannot be read
"""


@click.command("history", help=HELP)
@click.argument("what", required=False, default="", metavar="[WHAT]")
@click.option("-n", "--namespace", default="", help="Read only this one.")
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig.")
@click.option("--kubeconfig", default="", metavar="FILE", help="Kubeconfig to use.")
def history(*, what: str, namespace: str, output: str, context: str, kubeconfig: str) -> int:
    """Print it; the exit code."""
    within, slash, name = what.partition("/")
    if what and not (slash and within and name):
        raise click.UsageError(f"{clean(what)}: expected NAMESPACE/NAME")
    if what and namespace not in ("", within):
        raise click.UsageError(f"{clean(what)} is not in namespace {clean(namespace)}; leave out -n")
    try:
        live = read_cluster(kubeconfig, context, within or namespace, Mesh(), (KIND, "ServiceEntry"))
        events = read_events(kubeconfig, context, within or namespace)
    except LiveError as error:
        raise click.ClickException(str(error)) from error
    live.report()
    done = [one for one in told(events, (item.raw for item in live.inputs.items)) if name in ("", one.key.name)]
    if output == "json":
        click.echo(json.dumps({"history": [as_dict(one) for one in done]}, indent=2, ensure_ascii=False))
    else:
        for line in _lines(done):
            click.echo(line)
    if not done:
        note("nothing: the operator has left no Event and owns no field of what was asked for")
    return OK


def as_dict(one: Happening) -> dict[str, object]:
    """The machine form; ``reason`` is empty for a write of fields."""
    return {
        "time": _time(one),
        "kind": one.key.kind,
        "namespace": one.key.namespace,
        "name": one.key.name,
        "reason": one.reason,
        "message": one.message,
        "warning": one.warning,
        "count": one.count,
    }


def _lines(done: Iterable[Happening]) -> Iterable[str]:
    for one in done:
        often = f" ({one.count} times)" if one.count > 1 else ""
        reason = click.style(f"{clean(one.reason)}: ", fg="yellow") if one.warning else f"{clean(one.reason)}: "
        yield f"{_time(one)}  {clean(one.key)}  {reason if one.reason else ''}{clean(one.message)}{often}"


def _time(one: Happening) -> str:
    return datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
