"""Writes what is generated of chart/: `python -m tools.chart.files`, or `make chart`.

chart/files holds copies of manifests/ and crds/, since a chart cannot read what is outside of it; the templates put
values into them. A test holds everything here equal to its source.
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dnsalias_operator.model.names import GROUP, PLURAL
from dnsalias_operator.settings import Settings
from tools.chart.values import CALLED, MODE, Values, schema

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "chart"
WIDTH = 118

VALUES_HEAD = """\
# Values of the chart, with their defaults. Made by `make chart`; values.schema.json checks them, README.md lists them.
"""
SETTINGS_HEAD = f"""\
# Settings of the operator, by the names in docs/settings.md. Those that are commented out have the default shown.
# foreign_entries: {MODE} reports other people's ServiceEntries, patch repairs them. Start with {MODE}.
"""
README_HEAD = """\
# Chart of dnsalias-operator

<!-- Generated: make chart -->

```
helm install dnsalias-operator chart -n dnsalias-system --create-namespace --set image.repository=REGISTRY/NAME
```

The chart creates the same objects as the kustomize overlays in `manifests/`, except for labels. By default it is like
the overlay `observe`: it writes to no ServiceEntry of others until `settings.foreign_entries` is `patch`. Values that
do not fit the schema, such as a misspelt setting, are refused before anything reaches the cluster.

**The namespace:** create it yourself, or use `--create-namespace`. The Pod is admitted at the strictest Pod Security
level: `kubectl label namespace dnsalias-system pod-security.kubernetes.io/enforce=restricted`.

**The CRD** is a template of the chart, so it is upgraded with the chart. It has the annotation
`helm.sh/resource-policy: keep`: neither `helm uninstall` nor `crds.install=false` deletes it, since that would delete
every DnsAlias and its ServiceEntry ([why](../docs/decisions/0010-crd-in-the-chart.md)). If the CRD already exists and
belongs to no release, or to another one, Helm does not change it: add `--take-ownership` (Helm 3.17 or newer), or set
`crds.install=false` and apply `manifests/crd` yourself. If the CRD was taken over from kubectl, kubectl's field manager
still owns its fields too. With Helm 4, the first upgrade that changes the CRD then fails with `conflict with "kubectl":
.spec.versions` before it changes the operator, and needs `--force-conflicts` once.

**If the cluster chooses the user,** as OpenShift does, set none: `--set podSecurityContext.runAsUser=null --set
podSecurityContext.runAsGroup=null`. The image works with any user.

**The network** is limited with `networkPolicy.enabled`. Ingress: only the metrics, for `networkPolicy.metricsFrom`.
Egress: only the API server and DNS.

**The mesh** is read ([which objects](../docs/mesh.md)) with a Role in its root namespace. With `meshRole.create=auto`
it is installed if that namespace exists; `helm template` cannot know that, so set `yes` where that is what is applied.

**One namespace** instead of the cluster: with `settings.namespace` the operator gets a Role in that namespace and no
ClusterRole. It serves the DnsAliases there; repair is off.

**Upgrade** with `--reset-then-reuse-values` (Helm 3.14 or newer), never with `--reuse-values`, which ignores new
defaults: [upgrade](../docs/upgrade.md).

**Uninstall** removes the operator and its permissions. Nothing that was written is reverted: every alias keeps working
until its Service changes.

## Values

| Value | Default | Meaning |
|---|---|---|
"""


def files() -> dict[Path, str]:
    """Path and text of every generated file."""
    copies = {path: source.read_text(encoding="utf-8") for path, source in _copies()}
    return copies | {
        CHART / "values.yaml": values_yaml(),
        CHART / "values.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        CHART / "README.md": README_HEAD + "".join(_rows(schema(), "")),
    }


def _copies() -> Iterator[tuple[Path, Path]]:
    for folder in ("base", "mesh", "monitoring"):
        source = REPOSITORY / "manifests" / folder
        wanted = yaml.safe_load((source / "kustomization.yaml").read_text(encoding="utf-8"))
        maps = [name for each in wanted.get("configMapGenerator", []) for name in each["files"]]
        for name in ["kustomization.yaml", *wanted["resources"], *(name.rpartition("=")[2] for name in maps)]:
            # A release does not own the namespace that it is in.
            if name != "namespace.yaml":
                yield CHART / "files" / folder / name, source / name
    yield CHART / "files" / "crd.yaml", REPOSITORY / "crds" / f"{PLURAL}.{GROUP}.yaml"


def values_yaml() -> str:
    """The default values, each below its meaning."""
    blocks = []
    defaults = Values().model_dump(by_alias=True)
    for name, field in schema()["properties"].items():
        if name in defaults:
            blocks.append("\n".join([*_comment(field), *_yaml(name, defaults[name], field)]))
    settings = [SETTINGS_HEAD + "settings:", f"  foreign_entries: {MODE}"]
    for name, field in schema()["properties"]["settings"]["properties"].items():
        if name != "foreign_entries":
            settings += [*_comment(field, "  "), f"  # {name}: {_flow(Settings.model_fields[name].default)}"]
    return "\n".join((VALUES_HEAD, *(f"{block}\n" for block in [*blocks, "\n".join(settings)])))


def _comment(field: dict[str, Any], indent: str = "") -> list[str]:
    return textwrap.wrap(field["description"], WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _yaml(name: str, default: Any, field: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401 (any value)
    if "properties" not in field:
        yield from yaml.safe_dump({name: default}, sort_keys=False).splitlines()
        return
    yield f"{name}:"
    for key, inner in field["properties"].items():
        yield from _comment(inner, "  ")
        yield f"  {key}: {_flow(default[key])}"


def _flow(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=WIDTH).removesuffix("\n").removesuffix("\n...")


def _rows(node: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, field in node["properties"].items():
        if name in ("global", "settings") or name in CALLED:
            continue
        if "properties" in field:
            yield from _rows(field, f"{prefix}{name}.")
        else:
            yield f"| `{prefix}{name}` | `{_flow(field['default'])}` | {field['description']} |\n"
    if not prefix:
        every = "Every [setting](../docs/settings.md) of the operator."
        yield f"| `settings.NAME` | `foreign_entries: {MODE}` | {every} |\n"


def main() -> None:
    """Write all of them, and remove copies of what is gone."""
    wanted = files()
    for path in (CHART / "files").rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
