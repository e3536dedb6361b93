"""`dnsalias run`: the operator, in a cluster or on a developer's machine."""

from typing import Any

import click

HELP = """Run the operator: serve DnsAliases, and repair the ServiceEntries of others.

Every setting can also be set as DNSALIAS_<NAME> in the environment or in the file of --config. A flag overrides the
environment, and the environment overrides the file.

\b
Example:
  dnsalias run --foreign-entries observe --log-format console

\b
Exit codes:
  0  stopped by SIGTERM or SIGINT
  1  stopped by an error
  2  bad usage
"""


@click.command(help=HELP)
@click.option("--config", metavar="FILE", help="Settings as YAML: `foreign_entries: observe` and so on.")
@click.option("-n", "--namespace", metavar="NAME", help="Watch only this namespace; this turns repair off.")
@click.option("--foreign-entries", type=click.Choice(("patch", "observe")), help="Repair or only report.  [patch]")
@click.option("--repair-selector", metavar="LABELS", help="Labels of the ServiceEntries to repair.")
@click.option(
    "--metrics-port", "http_port", type=click.IntRange(0, 65535), help="Port of /metrics and /healthz.  [8080]"
)
@click.option("--log-format", type=click.Choice(("json", "console")), help="[json]")
@click.option("--log-level", type=click.Choice(("debug", "info", "warning", "error")), help="[info]")
@click.option("--resync-seconds", type=float, help="Interval of the full lists of every kind.  [600]")
@click.option("--no-leader-election", "leader_election", flag_value=False, default=None, help="Write without a Lease.")
@click.option("--kubeconfig", metavar="FILE", help="Kubeconfig; default: the pod's ServiceAccount, if there is one.")
@click.option("--context", metavar="NAME", help="Context of the kubeconfig.")
def run(config: str | None, **flags: Any) -> int:  # noqa: ANN401 (settings check their own types)
    """Run until stopped; the exit code."""
    from dnsalias_operator.settings import SettingsError, load_settings  # noqa: PLC0415 (start-up time)

    try:
        settings = load_settings(flags, config)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    from dnsalias_operator.shell.app import run as operate  # noqa: PLC0415 (kopf takes a while to import)

    return operate(settings)
