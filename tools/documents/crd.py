"""Prints docs/dnsalias.md from the CRD: `python -m tools.documents.crd > docs/dnsalias.md`."""

from collections.abc import Iterator
from typing import Any

from dnsalias_operator.model.crd import crd
from dnsalias_operator.model.names import GROUP, KIND, SHORT_NAME, VERSION

HEAD = f"""\
# DnsAlias

<!-- Generated: python -m tools.documents.crd > docs/dnsalias.md -->

`{GROUP}/{VERSION}`, namespaced, short name `{SHORT_NAME}`. An additional DNS name for a Service of the same
namespace. `kubectl explain dnsalias.spec` prints the same text in a terminal, and so on for each field.

```yaml
apiVersion: {GROUP}/{VERSION}
kind: {KIND}
metadata:
  name: service-api
  namespace: abc                     # where the Service is
spec:
  host: service-api.hello
  serviceRef: {{name: service-api}}
  ports: [443, http]                 # optional
  endpoints: Auto                    # optional
  routing: Auto                      # optional
  exportTo: ["*"]                    # optional
```

The API server refuses a spec that does not fit this page. The operator judges the rest: whether the Service and its
ports exist, whether the host is free, whether the alias would take traffic of a Service. The
[conditions](conditions.md) have the result.

The operator creates a ServiceEntry with the alias' name in the alias' namespace, owned by the alias and deleted with
it. If somebody else's ServiceEntry in that namespace already has the host, that entry serves the alias
(`status.serviceEntry.mode: Patched`), and the operator adds what it lacks.

## Whose policies apply

DestinationRules and VirtualServices are bound to hosts, and an alias is another host than its Service. Where calls by
the alias would have a cluster of their own (HTTP ports, and all ports at an address of its own), `routing` decides:
with `Service` the operator writes a VirtualService beside the entry that leads the calls to the Service's own cluster,
and copies the routes of the Service's VirtualService into it. It has the alias' name, or where that is taken
`-alias` behind it, and is owned by the alias. The condition
[PoliciesFollowed](conditions.md) says what applies, and what cannot be followed and why. Nothing is written for a host
that somebody else's VirtualService has.

Whoever may create a DnsAlias in a namespace can give a name to a Service of that namespace, and to no other: see
[security](security.md).
"""


def document() -> str:
    """The whole page."""
    (version,) = crd()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    out = [HEAD]
    for part in ("spec", "status"):
        heading = ("| Field | Type | Legal | Meaning |", "|---|---|---|---|")
        out += [f"## {part}", "", schema[part]["description"], "", *heading, *_rows(schema[part], ""), ""]
        if refused := list(_refused(schema[part], "")):
            out += ["The API server refuses:", "", "| Field | Unless it matches, or why |", "|---|---|", *refused, ""]
    out += ["## Columns", "", "`kubectl get dnsaliases` shows:", "", "| Column | From |", "|---|---|"]
    out += [f"| {column['name']} | `{column['jsonPath']}` |" for column in version["additionalPrinterColumns"]]
    return "\n".join(out).rstrip() + "\n"


def _rows(node: dict[str, Any], prefix: str) -> Iterator[str]:
    for path, field, required in _fields(node, prefix):
        legal = "; ".join([*["required"] * required, *_bounds(field)])
        meaning = field["description"].replace("<", "&lt;").replace(">", "&gt;")
        yield f"| `{path}` | {_type(field)} | {legal} | {meaning} |"


def _fields(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Path, schema and whether it is required, of each field, depth first."""
    for name, field in node["properties"].items():
        yield f"{prefix}{name}", field, name in node.get("required", [])
        inner = field.get("items", field)
        if "properties" in inner:
            yield from _fields(inner, f"{prefix}{name}{'[]' * (inner is not field)}.")


def _type(field: dict[str, Any]) -> str:
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("x-kubernetes-int-or-string"):
        return "integer or string"
    return str(field["type"]) + (f" ({field['format']})" if "format" in field else "")


def _bounds(field: dict[str, Any]) -> Iterator[str]:
    if "enum" in field:
        yield ", ".join(f"`{value}`" for value in field["enum"])
    if "default" in field:
        yield f"default `{field['default']}`"
    texts = {"minimum": "at least {}", "maxLength": "at most {} characters"}
    if "minItems" in field:
        yield f"{field['minItems']} to {field['maxItems']} items"
    elif "maxItems" in field:
        yield f"at most {field['maxItems']} items"
    yield from (text.format(field[key]) for key, text in texts.items() if key in field)


def _refused(node: dict[str, Any], prefix: str) -> Iterator[str]:
    for path, field, _ in _fields(node, prefix):
        for part, where in ((field, path), (field.get("items", {}), f"{path}[]")):
            if "pattern" in part:
                pattern = part["pattern"].replace("|", "\\|")
                yield f"| `{where}` | `{pattern}` |"
            yield from (f"| `{where}` | {rule['message']} |" for rule in part.get("x-kubernetes-validations", []))


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 (what this command is for)
