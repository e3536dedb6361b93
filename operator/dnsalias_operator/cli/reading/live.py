"""The current kubeconfig context into `Inputs`: one LIST of each kind that the core reads."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

from dnsalias_operator.cli.progress import counting
from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.reading.namespaces import meant
from dnsalias_operator.cli.terminal import note
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import Raw


class LiveError(Exception):
    """The cluster cannot be read; the message says why and what to do."""


class NoNamespaceError(LiveError):
    """The cluster has no namespace of that name; the message names those that may be meant."""


@dataclass(frozen=True, slots=True)
class Live:
    """The objects of a cluster; ``missing``: CRDs it does not serve, ``forbidden``: kinds that may not be listed."""

    inputs: Inputs
    missing: tuple[str, ...]
    forbidden: tuple[str, ...]

    def report(self) -> None:
        """Report on standard error what could not be read."""
        for name in self.missing:
            note(f"note: the cluster does not serve {name}, so there are none")
        for name in self.forbidden:
            note(f"warning: no permission to list {name}; the output assumes that there are none, and may be wrong")


def read_cluster(
    kubeconfig: str, context: str, namespace: str, mesh: Mesh, kinds: Collection[str] = tuple(KINDS)
) -> Live:
    """List a cluster, or one namespace of it (empty: all), and what its ``mesh`` is; ``kinds`` are those to list.

    Raises:
        LiveError: there is no kubeconfig, the cluster does not answer, or refuses.
        NoNamespaceError: it has no such namespace, as far as it says.
    """
    from dnsalias_operator.shell.api import listing  # noqa: PLC0415 (kubernetes and aiohttp take a while to import)

    try:
        with counting("reading the cluster") as report:
            found = listing.list_objects(
                kubeconfig or None,
                context or None,
                namespace or None,
                report,
                mesh=(mesh.root_namespace, mesh.istio_revision),
                kinds=kinds,
            )
    except listing.ClusterError as error:
        denied = isinstance(error, listing.ApiError) and error.status == HTTPStatus.FORBIDDEN
        narrower = "; -n NAMESPACE reads one namespace only" if denied and not namespace else ""
        raise LiveError(f"{error}{narrower}") from error
    if namespace and found.namespaces is not None and namespace not in found.namespaces:
        raise NoNamespaceError(f"the cluster has no namespace {namespace}{meant(namespace, found.namespaces)}")
    items = tuple(Item(raw, KINDS[raw["kind"]].parse(raw), None) for raw in found)
    known = not namespace and KINDS["Namespace"].resource not in found.forbidden
    return Live(Inputs(items, namespaces_known=known, mesh=found.mesh), found.missing, found.forbidden)


def context_of(kubeconfig: str) -> str:
    """The context that a cluster is read by where none is named."""
    from dnsalias_operator.shell.api import listing  # noqa: PLC0415 (kubernetes and aiohttp take a while to import)

    return listing.context_name(kubeconfig or None)


def read_events(kubeconfig: str, context: str, namespace: str) -> list[Raw]:
    """The Events of a cluster, or of one namespace of it; none where they may not be listed, which is reported.

    Raises:
        LiveError: the cluster cannot be read.
    """
    from dnsalias_operator.shell.api import listing  # noqa: PLC0415 (kubernetes and aiohttp take a while to import)

    try:
        return listing.list_events(kubeconfig or None, context or None, namespace)
    except listing.ClusterError as error:
        if isinstance(error, listing.ApiError) and error.status == HTTPStatus.FORBIDDEN:
            note("warning: no permission to list events.events.k8s.io; only what was written last is shown")
            return []
        raise LiveError(str(error)) from error
