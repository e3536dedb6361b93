"""Options that several commands share: where to read from, and the rules to decide by."""

import functools
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import click

from dnsalias_operator.cli.reading.files import read_files
from dnsalias_operator.cli.reading.ignored import PatternError
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.meshread import MeshConfigError, read_mesh_file
from dnsalias_operator.cli.reading.namespaces import no_such
from dnsalias_operator.cli.terminal import count, note
from dnsalias_operator.core.istio.meshconfig import joined
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh, Topology
from dnsalias_operator.model.release import MEASURED, MODELLED
from dnsalias_operator.model.rules import Rules

Command = Callable[..., Any]
OK, FOUND, ERROR = 0, 1, 2
"""Exit codes of every command: nothing to report, something to report, bad usage or unreadable input."""

_ASSUMED = {"foreign_entries": "patch"}
"""What commands assume where nothing says it: they show which repairs `patch` would make, since that is what somebody
looks at before setting it (docs/decisions/0014-observe-by-default.md)."""
_FILE = click.Path(readable=False)
"""For completion only: the reader reports whether a file can be read."""
_MESH = (
    click.option(
        "--config", type=_FILE, metavar="FILE", help="Settings of the operator; flags and DNSALIAS_* override it."
    ),
    click.option(
        "--mesh-config",
        type=_FILE,
        default="",
        metavar="FILE",
        help="MeshConfig, its ConfigMap, an IstioOperator, or istiod's Helm values; before what else says it.",
    ),
    click.option("--istio-revision", metavar="NAME", help="Revision of istiod whose objects are read."),
    click.option("--istio-version", metavar="1.N.P", help=f"Release of Istio: {MODELLED}.  [{MEASURED}]"),
    click.option("--root-namespace", metavar="NAME", help="Istio's root namespace.  [istio-system]"),
    click.option("--cluster-domain", metavar="NAME", help="DNS domain of the cluster.  [cluster.local]"),
    click.option(
        "--outbound-traffic-policy",
        type=click.Choice(("ALLOW_ANY", "REGISTRY_ONLY")),
        help="As in MeshConfig.  [ALLOW_ANY]",
    ),
    click.option("--default-service-export-to", metavar="NS,…", help="As in MeshConfig.  [*]"),
    click.option("--dns-capture/--no-dns-capture", default=None, help="Whether sidecars capture DNS.  [no]"),
    click.option("--dual-stack/--no-dual-stack", default=None, help="Whether pods have both IPv4 and IPv6.  [no]"),
    click.option(
        "--istio-dual-stack/--no-istio-dual-stack", default=None, help="Whether istiod has ISTIO_DUAL_STACK.  [no]"
    ),
    click.option(
        "--enable-auto-mtls/--no-enable-auto-mtls", default=None, help="As in MeshConfig (enableAutoMtls).  [yes]"
    ),
    click.option(
        "--topology",
        type=click.Choice(get_args(Topology)),
        help="Which part of a mesh of several clusters this one is.  [single]",
    ),
    click.option("--multi-cluster/--one-cluster", default=None, help="Like --topology primary, or single."),
)
_DECISIONS = (
    click.option(
        "--foreign-entries",
        type=click.Choice(("patch", "observe")),
        help="Repair, or only report.  [patch]",
    ),
    click.option(
        "--repair-selector",
        metavar="LABELS",
        help="ServiceEntries to repair.  [app.kubernetes.io/managed-by=dns-controller]",
    ),
    click.option("--no-containment", "containment", flag_value=False, default=None, help="Never contain catch-alls."),
    click.option(
        "--no-infer-service", "infer_service", flag_value=False, default=None, help="Never infer an entry's Service."
    ),
)
_SOURCE = (
    click.option(
        "-f",
        "--filename",
        "paths",
        multiple=True,
        type=_FILE,
        metavar="PATH",
        help="File, folder or - (standard input); repeatable. Default: the current kubeconfig context.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="With -f: leave out matching files of folders, in the syntax of .gitignore; repeatable.",
    ),
    click.option(
        "-n", "--namespace", default="", help="With -f: namespace of objects that have none. Else: read only this one."
    ),
    click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--kubeconfig", type=_FILE, default="", metavar="FILE", help="Kubeconfig to use."),
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where to read from: ``paths`` and ``overlays``, or a cluster if both are empty."""

    paths: tuple[str, ...]
    namespace: str
    context: str
    kubeconfig: str
    exclude: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()
    mesh_config: str = ""
    mesh: Mesh = field(default_factory=Mesh)
    """As set by hand: where the objects of the mesh are, and which revision's."""

    @property
    def live(self) -> bool:
        """Whether a cluster is read."""
        return not self.paths and not self.overlays

    def described(self) -> str:
        """What is read, for people: the paths as they were given, or the cluster by its context and namespace."""
        if not self.live:
            return ", ".join((*self.paths, *self.overlays))
        from dnsalias_operator.cli.reading.live import context_of  # noqa: PLC0415 (start-up time)

        of = f", namespace {self.namespace}" if self.namespace else ""
        return f"cluster of context {self.context or context_of(self.kubeconfig)}{of}"

    def read(self) -> Inputs:
        """Read one world; what cannot be read is reported on standard error and kept in ``problems``."""
        return _reported(self._read().as_one_world())

    def read_worlds(self) -> Inputs:
        """Read every document of every world; problems as in `read`."""
        return _reported(self._read().as_worlds())

    def read_mesh(self) -> Inputs:
        """Read just what says which mesh it is: of a cluster the objects for that, and its Namespaces."""
        if self.live and self.mesh_config:
            return self._named(Inputs(()))
        return _reported(self._read(("Namespace",)).as_one_world())

    def _read(self, kinds: Collection[str] = tuple(KINDS)) -> Inputs:
        return self._named(self._live(kinds) if self.live else self._files())

    def _named(self, inputs: Inputs) -> Inputs:
        """With what the file of --mesh-config says, before all else."""
        if not self.mesh_config:
            return inputs
        try:
            return replace(inputs, mesh=joined((read_mesh_file(self.mesh_config), inputs.mesh)))
        except MeshConfigError as error:
            raise click.UsageError(f"--mesh-config: {error}") from error

    def _files(self) -> Inputs:
        namespace = self.namespace or "default"
        try:
            found = read_files(self.paths, namespace, _own_files(), exclude=self.exclude, overlays=self.overlays)
        except PatternError as error:
            raise click.UsageError(f"--exclude: {error}") from error
        if self.namespace and found.items and (why := no_such(namespace, found)):
            note(f"warning: nothing in the input is in {why}: -n is for objects without a namespace, and all have one")
        return found

    def _live(self, kinds: Collection[str]) -> Inputs:
        from dnsalias_operator.cli.reading.live import LiveError, NoNamespaceError, read_cluster  # noqa: PLC0415

        try:
            live = read_cluster(self.kubeconfig, self.context, self.namespace, self.mesh, kinds)
        except NoNamespaceError as error:
            raise click.UsageError(f"-n: {error}") from error
        except LiveError as error:
            raise click.ClickException(f"{error}. Give files with -f to work without a cluster.") from error
        live.report()
        return live.inputs


def _reported(inputs: Inputs) -> Inputs:
    for problem in inputs.problems:
        note(str(problem))
    return inputs


def _own_files() -> list[str]:
    """Files among the options that contain no objects: they may be in the folder that is read."""
    given = click.get_current_context().params
    return [path for name in ("config", "baseline", "dump", "mesh_config") if (path := given.get(name))]


def as_if_all_were_read(source: Source, rules: Rules) -> tuple[Rules, str]:
    """The rules of an operator that reads the whole cluster, and what to add to what was assumed.

    For commands about single objects: there ``-n`` limits what is read here, not what the operator may do.
    """
    if not source.live or not source.namespace:
        return rules, ""
    note_on_reading = f"; nothing outside of namespace {source.namespace} was read"
    return rules.model_copy(update={"namespace": ""}), note_on_reading


def unread(inputs: Inputs) -> str:
    """What a summary adds if part of the input could not be read; nothing if all was read."""
    return f" ({count(len(inputs.problems), 'problem')} in the input, see above)" if inputs.problems else ""


def with_source(command: Command) -> Command:
    """Add the options of `Source`; the command gets it as ``source``.

    A command that reads a ``pod``, or one of ``every`` workload, needs a cluster for that, whatever files there are.
    """

    @functools.wraps(command)
    def read(*, paths: tuple[str, ...], context: str, kubeconfig: str, **rest: Any) -> Any:  # noqa: ANN401
        overlays = rest.pop("overlays", ())
        asks_sidecars = rest.get("pod") or rest.get("every")
        if (paths or overlays) and (context or kubeconfig) and not asks_sidecars:
            option = "-f" if paths else "--overlay"
            raise click.UsageError(f"{option} reads files, --context and --kubeconfig a cluster; give only one of them")
        given = {name: rest.pop(name) for name in ("namespace", "exclude")}
        given["mesh_config"] = rest.pop("mesh_config", "")
        source = Source(paths, context=context, kubeconfig=kubeconfig, overlays=overlays, **given)
        if source.live and source.exclude:
            raise click.UsageError("--exclude leaves out files; give -f with the files to read")
        return command(source=source, **rest)

    return _add(_SOURCE, read)


def with_rules(command: Command) -> Command:
    """Add every option that decisions depend on; the command gets `Rules` as ``rules``."""
    return _add(_DECISIONS, with_mesh(command))


def with_mesh(command: Command) -> Command:
    """Add the options for facts about the mesh; the command gets `Rules` as ``rules``."""
    names = {"config", "multi_cluster", *Rules.model_fields, *Mesh.model_fields}

    @functools.wraps(command)
    def ruled(**given: Any) -> Any:  # noqa: ANN401
        flags = {name: given.pop(name) for name in names & given.keys()}
        source = given.get("source")
        if isinstance(source, Source) and source.namespace and source.live:
            flags["namespace"] = source.namespace
        made = rules(flags)
        if isinstance(source, Source):
            given["source"] = replace(source, mesh=made.mesh)
        return command(rules=made, **given)

    return _add(_MESH, ruled)


def rules(flags: dict[str, Any]) -> Rules:
    """The rules that flags, environment and ``--config`` make together; a flag that is None was not given.

    Where none of them has ``foreign_entries`` it is patch here, and observe in the operator.
    """
    config = flags.pop("config", None)
    if config is None and all(value is None for value in flags.values()) and not any(map(_is_setting, os.environ)):
        return Rules.model_validate(_ASSUMED)
    from dnsalias_operator.settings import SettingsError, load_settings  # noqa: PLC0415 (start-up time)

    try:
        return load_settings(flags, config, _ASSUMED).rules
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


def _is_setting(variable: str) -> bool:
    return variable.upper().startswith("DNSALIAS_")


def labels_of(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, str]:
    """Callback of an option that takes labels of a pod."""
    pairs = [pair.partition("=") for pair in value.split(",") if pair]
    if any(not key or not equals for key, equals, _ in pairs):
        raise click.BadParameter(f"{value!r}: expected key=value, several separated by commas")
    return {key: text for key, _, text in pairs}


def _add(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
