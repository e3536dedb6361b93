"""Edits of the MeshConfig: the settings of a world as they are once it has been changed."""

import re

from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION
from tests.core.remedies.bench import Bench


def limit_entries(bench: Bench, _: re.Match[str]) -> None:
    """Set serviceEntryVisibility: each namespace of the world keeps its entries to itself."""
    _in_mesh(bench, limits_entries=True, private_entries=frozenset(bench.world.namespaces_with_objects()))


def private_by_default(bench: Bench, _: re.Match[str]) -> None:
    """Annotate every Service that has no exportTo, then set defaultServiceExportTo."""
    for service in bench.world.services():
        if not service.export_to:
            bench.cluster.patch(service.key, {"metadata": {"annotations": {EXPORT_TO_ANNOTATION: "*"}}})
    _in_mesh(bench, default_service_export_to=(".",))


def _in_mesh(bench: Bench, **values: object) -> None:
    mesh = Mesh(**{**dict(bench.rules.mesh), **values})
    bench.rules = bench.rules.model_copy(update={"mesh": mesh})
