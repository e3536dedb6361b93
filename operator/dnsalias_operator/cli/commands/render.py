"""`dnsalias render`: every input with the plan's changes applied."""

from collections.abc import Iterable, Iterator

import click

from dnsalias_operator.cli.options import ERROR, OK, Source, with_rules, with_source
from dnsalias_operator.cli.printing.yamlwrite import dump_all
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.meshread import in_mesh
from dnsalias_operator.cli.terminal import note
from dnsalias_operator.core.outcome import Change
from dnsalias_operator.core.plan import plan as decide
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.rules import Rules

HELP = """Print every input with the plan's changes applied, as YAML for kubectl.

Among them are repairs of other people's entries, unless a flag, the environment or --config say `observe`.

The clusterIPs in the result are of one cluster: render once for each cluster.

\b
Example:
  dnsalias render -f manifests/ | kubectl diff -f -

\b
Exit codes:
  0  rendered
  2  bad usage, or input that cannot be read
"""
HEADER = "# These clusterIPs are of one cluster: render again for another one.\n"


@click.command(help=HELP)
@with_source
@with_rules
def render(source: Source, rules: Rules) -> int:
    """Print the documents; the exit code."""
    inputs = source.read()
    for problem in inputs.unprinted:
        note(str(problem))
    world = inputs.snapshot()
    changes = decide(world, in_mesh(inputs, rules, world)).changes
    click.echo(HEADER, nl=False)
    for document in dump_all(rendered(inputs, changes)):
        click.echo(document, nl=False)
    return ERROR if inputs.problems or inputs.unprinted else OK


def rendered(inputs: Inputs, changes: Iterable[Change]) -> Iterator[Raw]:
    """The inputs in their order as the changes leave them, then what the changes create, in the plan's order."""
    after = {change.key: change.after for change in changes}
    for item in inputs.items:
        raw = after.pop(item.key, item.raw) if item.key else item.raw
        if raw is not None:
            yield raw
    yield from (raw for raw in after.values() if raw is not None)
