"""Prints docs/settings.md from the settings themselves: `python -m tools.documents.settings > docs/settings.md`."""

from collections.abc import Mapping
from typing import get_args

from pydantic import BaseModel

from dnsalias_operator.cli.commands.run import run
from dnsalias_operator.model.hostrules import HostRule
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.settings import Settings
from dnsalias_operator.settings_faults import legal as legal_of

HEAD = """\
# Settings

<!-- Generated: python -m tools.documents.settings > docs/settings.md -->

Every setting has one name, in three spellings: `DNSALIAS_RESYNC_SECONDS` in the environment, `resync_seconds: 600` in
the YAML file that `dnsalias run --config FILE` reads, and for some a flag. A flag wins over the environment, and the
environment over the file. Lists are comma-separated in the environment. A setting that is misspelt or has an illegal
value stops the operator at its start, with one message that lists every fault.

The commands that read files or a cluster (`lint`, `plan`, `render`, `listeners`) take the same names from the same
places, as far as decisions depend on them. One default differs: where nothing says what `foreign_entries` is, they show
the repairs of `patch`, and the operator makes none ([why](decisions/0014-observe-by-default.md)).

In the cluster, with the [chart](../chart/README.md), each is a value: `--set settings.cluster_domain=example.internal`.
With kustomize, set them as environment variables of the Deployment, in an overlay of your own:

```yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../observe
patches:
  - target: {kind: Deployment, name: dnsalias-operator}
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: dnsalias-operator}
      spec:
        template:
          spec:
            containers:
              - name: operator
                env:
                  - {name: DNSALIAS_CLUSTER_DOMAIN, value: example.internal}
                  - {name: DNSALIAS_REPAIR_SKIP_NAMESPACES, value: "kube-system,legacy"}
```
"""
ASSUMED = (
    "They are read from istiod's own objects ([mesh](mesh.md)), and what is set here wins. Every prediction prints\n"
    "what it assumed. Where nothing can be read, set what your MeshConfig has: wrong values make wrong predictions."
)
GROUPS = (
    ("What may be written, and where", Rules, "Decisions depend on these besides the objects in the cluster."),
    ("Facts about the mesh", Mesh, ASSUMED),
    ("The running operator", Settings, "Connections, pace, HTTP endpoints and logs."),
)
OLDER: Mapping[type[BaseModel], tuple[str, ...]] = {Mesh: ("multi_cluster",)}
"""Older forms of what a model has."""
HOSTS = """\
## Who may have which host

By default any namespace may have any host that is not reserved, and the oldest DnsAlias has it. `host_rules` delegate
names to namespaces like DNS zones:

```yaml
host_default: deny                     # a host that no suffix below covers
host_rules:
  - suffixes: [hello]                  # hello and everything under it
    namespaces: ["*"]
  - suffixes: [pay.hello]              # but not pay.hello and what is under it: the longest suffix decides
    namespaces: [payments]
    namespace_selector: team=payments
  - suffixes: [internal.hello]
    namespaces: [tools]
    export_to: [".", shop]             # aliases with these hosts are visible in no other namespace
```

A DnsAlias with a host that its namespace may not have is refused (`HostNotAllowed`, or `NotExported` if nothing of its
exportTo is left). It does not hold the host, however old it is. Rules with the same suffix add up. No rule can allow a
reserved host ([HostReserved](conditions.md#hostreserved)). In the environment the rules are YAML, in
`DNSALIAS_HOST_RULES`.

With `namespace` set, the operator sees only the Services of that namespace, so it cannot know that `db.shop` is a
Service of namespace shop: let `host_rules` say which names it may have. It does not read Namespaces either, so
`namespace_selector` matches none.

{table}

The API server can enforce the same rules, so that `kubectl apply` fails at once: see [admission](admission.md).
"""


def document() -> str:
    """The whole page."""
    out = [HEAD]
    listed: set[str] = set()
    for title, model, prose in GROUPS:
        theirs = {*model.model_fields, *OLDER.get(model, ())}
        names = [name for name in Settings.model_fields if name in theirs and name not in listed]
        listed.update(names)
        out += [f"## {title}", "", prose, "", "| Setting | Default | Legal | Flag | Meaning |", "|---|---|---|---|---|"]
        out += [_row(name) for name in names]
        out.append("")
        if model is Rules:
            out += [*HOSTS.format(table=_host_rule()).splitlines(), ""]
    return "\n".join(out).rstrip() + "\n"


def _host_rule() -> str:
    rows = ["| In a rule | Default | Meaning |", "|---|---|---|"]
    for name, field in HostRule.model_fields.items():
        default = "required" if field.is_required() else _default(field.default)
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(rows)


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    legal = (legal_of(field) or _words(field.annotation)).removeprefix("expected ")
    cells = (f"`{name}`", _default(field.default), legal, _flag(name), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def _words(annotation: object) -> str:
    return (
        "a list" if tuple in (annotation, getattr(annotation, "__origin__", None)) or get_args(annotation) else "text"
    )


def _flag(name: str) -> str:
    return next((f"`{option.opts[-1]}`" for option in run.params if option.name == name), "")


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (what this command is for)
