"""Prints docs/settings.md from the settings themselves: `python -m tools.documents.settings > docs/settings.md`."""

from typing import get_args

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
the YAML file that `dnsalias run --config FILE` reads, and for some a flag. A flag wins over the environment, the
environment over the file. Lists are comma-separated in the environment. A setting that is misspelt or has an illegal
value stops the operator at its start; every fault is named at once.

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
    "Nothing in the cluster's objects says these; every prediction assumes them and prints what it assumed.\n"
    "Wrong values make wrong predictions: set them as your MeshConfig has them."
)
GROUPS = (
    ("What may be written, and where", Rules, "What decisions depend on besides the objects in the cluster."),
    ("What the mesh is told", Mesh, ASSUMED),
    ("The running operator", Settings, "Connections, pace, pages and logs."),
)
HOSTS = """\
## Who may have which host

By default any namespace may have any host that is not reserved, and the oldest DnsAlias holds it. `host_rules` gives
names to namespaces, as one delegates zones:

```yaml
host_default: deny                     # a host that no suffix below covers
host_rules:
  - suffixes: [hello]                  # hello and everything under it
    namespaces: ["*"]
  - suffixes: [pay.hello]              # but nothing under pay.hello: the longest suffix decides
    namespaces: [payments]
    namespace_selector: team=payments
  - suffixes: [internal.hello]
    namespaces: [tools]
    export_to: [".", shop]             # aliases with these hosts are seen in no other namespace
```

A DnsAlias with a host that its namespace may not have is refused (`HostNotAllowed`, or `NotExported` where nothing is
left of its exportTo) and holds nothing, however old it is. Rules with one and the same suffix add up. What is reserved
([HostReserved](conditions.md#hostreserved)) no rule can give. In the environment the rules are one text of YAML, in
`DNSALIAS_HOST_RULES`.

With `namespace` set, the operator sees the Services of that namespace alone, so it cannot know that `db.shop` is a
Service of namespace shop: let `host_rules` say which names are its own. It does not read Namespaces either, so
`namespace_selector` matches none.

{table}

The same rules can be held by the API server as well, so that `kubectl apply` says at once what is wrong: see
[admission](admission.md).
"""


def document() -> str:
    """The whole page."""
    out = [HEAD]
    told: set[str] = set()
    for title, model, prose in GROUPS:
        names = [name for name in Settings.model_fields if name in model.model_fields and name not in told]
        told.update(names)
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
