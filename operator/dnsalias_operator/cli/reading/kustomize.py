"""What a kustomization.yaml says about other files: which are its resources, and which it uses otherwise.

Nothing is rendered: patches, prefixes and namespaces are left to `kubectl kustomize`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dnsalias_operator.model.meta import Raw, text

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Source: kustomize, `RecognizedKustomizationFileNames` in api/konfig/general.go."""
GROUP = "kustomize.config.k8s.io"
_RESOURCES = ("resources", "bases", "components")
_EDITS = (
    *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "transformers", "helmCharts"),
    *("namespace", "namePrefix", "nameSuffix"),
)
"""Fields that change the objects that the core reads, or add some."""


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One folder with a kustomization.yaml: ``name`` as the user gave it, ``folder`` its path without links.

    ``resources`` are the paths of files and folders that it builds on, ``used`` all others that it names: patches,
    values, input of its generators. ``edits``: whether it changes its resources.
    """

    name: str
    folder: str
    resources: frozenset[str]
    used: frozenset[str]
    edits: bool

    @classmethod
    def parse(cls, value: Raw, path: str) -> "Kustomization | None":
        """Read the content of the file ``path``; None if it is another kind of that name, such as Flux's."""
        if text(value.get("apiVersion", GROUP)).partition("/")[0] != GROUP:
            return None
        name = os.path.dirname(path) or os.curdir  # noqa: PTH120
        folder = os.path.realpath(name)
        named = {key: frozenset(_paths(folder, _texts(value[key]))) for key in value}
        resources = frozenset[str]().union(*(named[key] for key in _RESOURCES if key in named))
        used = frozenset[str]().union(*(paths for key, paths in named.items() if key not in _RESOURCES))
        return cls(name, folder, resources, used - resources, any(value.get(key) for key in _EDITS))


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _paths(folder: str, names: Iterable[str]) -> Iterator[str]:
    """The names as paths without links. Generators have KEY=PATH; texts of several lines are inline patches."""
    for name in names:
        if "\n" not in name and "\0" not in name:
            yield os.path.realpath(os.path.join(folder, name.rpartition("=")[2]))  # noqa: PTH118
