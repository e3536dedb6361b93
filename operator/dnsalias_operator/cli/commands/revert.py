"""`dnsalias revert`: remove what the operator added to other people's ServiceEntries. The one command that writes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import click

from dnsalias_operator.cli.options import ERROR, FOUND, OK, with_mesh
from dnsalias_operator.cli.printing.diff import shown, unified
from dnsalias_operator.cli.printing.rows import as_dict, cells_of
from dnsalias_operator.cli.reading.live import Live, LiveError, read_cluster
from dnsalias_operator.cli.reading.meshread import MeshConfigError, in_mesh, read_mesh_file
from dnsalias_operator.cli.terminal import clean, count, note
from dnsalias_operator.core.advice.revert import Reversal, Shift, is_patched, patched_entries
from dnsalias_operator.core.advice.revert import revert as decide
from dnsalias_operator.core.entries.ownership import claims_to_be_ours
from dnsalias_operator.core.istio.meshconfig import NOTHING, joined
from dnsalias_operator.core.outcome import Change
from dnsalias_operator.model.names import REPAIR_ANNOTATION, Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

HELP = f"""Remove from other people's ServiceEntries what the operator added, and stop it from repairing them again.

Without --yes it only shows each change and the listeners that come back. An entry that would take traffic not meant
for it is reverted only with --force as well. The same write sets the annotation {REPAIR_ANNOTATION}: "false";
without it, a running operator would repair the entry again.

To remove an entry that was generated for a DnsAlias, delete the DnsAlias.

\b
Example:
  dnsalias revert -n data mysql              show what one entry would do without its repair
  dnsalias revert -n data mysql --yes        write it
  dnsalias revert -n data --all              every repaired entry of a namespace
  dnsalias revert --all --yes --force        everything, including critical ones

\b
Exit codes:
  0  reverted, or nothing to revert
  1  shown; nothing was written
  2  bad usage, --force is missing, or a write failed
"""


@click.command(help=HELP)
@click.argument("entries", nargs=-1, metavar="[[NAMESPACE/]NAME]...")
@click.option("-n", "--namespace", "where", default="", metavar="NAME", help="Namespace of the entries.")
@click.option("--all", "everything", is_flag=True, help="Every repaired entry of the namespace, or of the cluster.")
@click.option("--yes", is_flag=True, help="Write.")
@click.option(
    "--force", is_flag=True, help="Also entries that become critical, and those that others opted in by annotation."
)
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig.")
@click.option("--kubeconfig", default="", metavar="FILE", help="Kubeconfig to use.")
@with_mesh
def revert(
    *,
    entries: tuple[str, ...],
    where: str,
    everything: bool,
    yes: bool,
    force: bool,
    output: str,
    context: str,
    kubeconfig: str,
    mesh_config: str,
    rules: Rules,
) -> int:
    """Show, and with --yes write; the exit code."""
    named = [_key(entry, where) for entry in entries]
    if bool(named) is everything:
        raise click.UsageError("name ServiceEntries or give --all (with -n: of that namespace), not both")
    live = _read(kubeconfig, context, mesh_config, rules)
    world = live.inputs.snapshot()
    rules = in_mesh(live.inputs, rules, world)
    _known(world, named)
    reversal = decide(world, named or patched_entries(world, where), rules)
    refused = _unseen(live) or _refusal(reversal) if yes and not force else ""
    writes = yes and not refused
    failed = _write(reversal, kubeconfig, context, force=force) if writes else {}
    if output == "json":
        click.echo(json.dumps(_document(reversal, failed, written=writes), indent=2, ensure_ascii=False))
    else:
        for line in _lines(reversal, rules):
            click.echo(line)
        for line in _outcome(reversal, failed, written=writes):
            click.echo(line)
    for key, why in failed.items():
        note(f"{key} was not reverted: {why}")
    if refused:
        note(refused)
    if not reversal.undos or (writes and not failed):
        return OK
    return ERROR if yes else FOUND


def _read(kubeconfig: str, context: str, mesh_config: str, rules: Rules) -> Live:
    """The whole cluster, whatever is reverted: listeners depend on everything."""
    try:
        live = read_cluster(kubeconfig, context, "", rules.mesh)
        named = read_mesh_file(mesh_config) if mesh_config else NOTHING
    except (LiveError, MeshConfigError) as error:
        raise click.ClickException(str(error)) from error
    live.report()
    return replace(live, inputs=replace(live.inputs, mesh=joined((named, live.inputs.mesh))))


def _unseen(live: Live) -> str:
    """Why nothing is written without --force if what comes back cannot be predicted, or ""."""
    if not any(name.startswith("sidecars.") for name in live.forbidden):
        return ""
    return (
        "Nothing was written: without permission to list Sidecars it is not known what would take traffic. Get that "
        "permission (ClusterRole dnsalias-diagnose of manifests/people has it), or add --force."
    )


def _key(entry: str, where: str) -> Key:
    namespace, slash, name = entry.rpartition("/")
    if slash and where and namespace != where:
        raise click.UsageError(f"{entry}: not in the namespace of -n, {where}")
    if not name or not (namespace or where):
        raise click.UsageError(f"{entry}: name its namespace, with -n or as NAMESPACE/NAME")
    return Key("ServiceEntry", namespace or where, name)


def _known(world: Snapshot, named: Iterable[Key]) -> None:
    """Report why there is nothing to revert in an entry that was named; one that does not exist is an error."""
    for key in named:
        entry = world.entry(key.namespace, key.name)
        if entry is None:
            raise click.ClickException(f"{key} does not exist; `dnsalias revert --all` shows what was repaired")
        if claims_to_be_ours(entry):
            note(f"{key} was generated for a DnsAlias; to remove it: kubectl delete dnsalias -n {key.namespace} …")
        elif not is_patched(entry):
            note(f"{key}: it has nothing from this operator")


def _refusal(reversal: Reversal) -> str:
    """Why nothing is written without --force, or ""."""
    if reversal.critical:
        number = count(len(reversal.critical), "entry", "entries")
        return (
            f"Nothing was written: {number} would take traffic not meant for it (critical, see above). Add --force, or "
            "name the others."
        )
    opposed = [undo for undo in reversal.undos if undo.opposed]
    if opposed:
        first = opposed[0]
        return (
            f'Nothing was written: somebody set {REPAIR_ANNOTATION}: "{first.opposed}" on {first.change.key}. Set it '
            'to "false" at its source, and the operator removes its repair; or add --force.'
        )
    return ""


def _write(reversal: Reversal, kubeconfig: str, context: str, *, force: bool) -> dict[Key, str]:
    """Write; returns the errors."""
    from dnsalias_operator.shell.working import withdraw  # noqa: PLC0415 (kubernetes and aiohttp take a while to import)

    changes = [undo.change for undo in reversal.undos]
    try:
        results = withdraw.withdraw(kubeconfig or None, context or None, changes, force=force)
    except withdraw.ClusterError as error:
        raise click.ClickException(str(error)) from error
    return {change.key: why for change, why in zip(changes, results, strict=True) if why}


def _lines(reversal: Reversal, rules: Rules) -> Iterator[str]:
    for undo in reversal.undos:
        key = undo.change.key
        yield click.style(f"# revert {clean(key)}", bold=True)
        yield f"# {undo.severity}: {clean(undo.harm or undo.change.message)}"
        yield from unified(f"{key.kind}/{key.namespace}/{key.name}", undo.change.before, undo.change.after)
        yield ""
    for shift in reversal.shifts:
        yield click.style(f"Listeners of port {shift.port} in {clean(shift.seen_from)}:", bold=True)
        yield from _rows(shift)
        yield ""
    if reversal.undos:
        yield f"Assumed: {rules.assumed_mesh()}."


def _rows(shift: Shift) -> Iterator[str]:
    listed = [("-", cells_of(row)) for row in shift.gone] + [("+", cells_of(row)) for row in shift.new]
    widths = [max(len(cells[n]) for _, cells in listed) for n in range(len(listed[0][1]))]
    for sign, cells in listed:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        yield click.style(f"{sign} {line}", fg="green" if sign == "+" else "red")


def _outcome(reversal: Reversal, failed: dict[Key, str], *, written: bool) -> Iterator[str]:
    if not reversal.undos:
        yield "Nothing to revert."
    elif not written:
        number = count(len(reversal.undos), "entry", "entries")
        critical = f", {len(reversal.critical)} critical" if reversal.critical else ""
        needed = "--yes --force" if _refusal(reversal) else "--yes"
        yield f"{number} to revert{critical}. Nothing was written; {needed} writes."
    else:
        done = [undo.change.key for undo in reversal.undos if undo.change.key not in failed]
        entries = count(len(done), "entry", "entries")
        yield f'{entries} reverted; {REPAIR_ANNOTATION}: "false" stops the operator from repairing them.'
        if done:
            yield "To have one repaired again:"
        for key in done:
            yield f"  kubectl annotate serviceentry -n {key.namespace} {key.name} {REPAIR_ANNOTATION}-"


def _document(reversal: Reversal, failed: dict[Key, str], *, written: bool) -> dict[str, Any]:
    """The machine form."""
    return {
        "written": written,
        "reverts": [
            {
                **_identity(undo.change),
                "severity": undo.severity.value,
                "harm": undo.harm,
                "fields": list(undo.change.fields),
                "error": failed.get(undo.change.key, ""),
                "before": shown(undo.change.before),
                "after": shown(undo.change.after),
            }
            for undo in reversal.undos
        ],
        "listeners": [
            {
                "port": shift.port,
                "seenFrom": str(shift.seen_from),
                "gone": [as_dict(row) for row in shift.gone],
                "new": [as_dict(row) for row in shift.new],
            }
            for shift in reversal.shifts
        ],
    }


def _identity(change: Change) -> dict[str, str]:
    return {"kind": change.key.kind, "namespace": change.key.namespace, "name": change.key.name}
