"""The CustomResourceDefinition, generated from the pydantic models; `make crd` writes it to crds/.

pydantic speaks JSON Schema with references and unions; Kubernetes wants a structural schema (API documentation: custom
resources, "Specifying a structural schema"): no references, a type everywhere, unions of integer and string marked.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from dnsalias_operator.model.dnsalias import A_PORT, MAX_PORT_NUMBER, DnsAliasSpec
from dnsalias_operator.model.names import GROUP, KIND, LABEL_PATTERN, PLURAL, SHORT_NAME, SINGULAR, VERSION
from dnsalias_operator.model.status import READY, DnsAliasStatus, waiting

_DROPPED = {"title", "additionalProperties", "$defs", "default"}
_INT_OR_STRING = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maxLength": 63,
    "x-kubernetes-validations": [
        {
            "rule": f"type(self) == int ? self >= 1 && self <= {MAX_PORT_NUMBER} : self.matches('{LABEL_PATTERN}')",
            "message": A_PORT,
        }
    ],
}


def crd() -> dict[str, Any]:
    """The CRD of DnsAlias as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": ["istio-io"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                    "schema": {"openAPIV3Schema": _schema()},
                }
            ],
        },
    }


def _schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "DnsAlias gives a Service an additional DNS name inside an Istio mesh.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the schema of this object."},
            "kind": {"type": "string", "description": "The kind of this object: DnsAlias."},
            "metadata": {"type": "object"},
            "spec": _described(DnsAliasSpec, "What the owner of the Service declares."),
            "status": {
                **_described(DnsAliasStatus, "What the operator found and did. Only the operator writes it."),
                "default": {"conditions": waiting()},
            },
        },
    }


def _columns() -> list[dict[str, str | int]]:
    """What `kubectl get` shows; columns of priority 1 with ``-o wide`` only.

    One address per column: for ``.status.addresses[*]`` the API server prints only the first, and for
    ``.status.addresses`` JSON.
    """

    def ready(field: str) -> str:
        return f'.status.conditions[?(@.type=="{READY}")].{field}'

    return [
        {"name": "Host", "type": "string", "jsonPath": ".spec.host"},
        {"name": "Service", "type": "string", "jsonPath": ".spec.serviceRef.name"},
        {"name": "Address", "type": "string", "jsonPath": ".status.addresses[0]"},
        {"name": READY, "type": "string", "jsonPath": ready("status")},
        {"name": "Reason", "type": "string", "jsonPath": ready("reason")},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Second address", "type": "string", "jsonPath": ".status.addresses[1]", "priority": 1},
        {"name": "Entry", "type": "string", "jsonPath": ".status.serviceEntry.name", "priority": 1},
        {"name": "Mode", "type": "string", "jsonPath": ".status.serviceEntry.mode", "priority": 1},
        {"name": "Message", "type": "string", "jsonPath": ready("message"), "priority": 1},
    ]


def _described(model: type[BaseModel], description: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    structural = _structural(schema, schema.get("$defs", {}))
    return {**structural, "description": description}


def _structural(node: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        target = defs[node["$ref"].rpartition("/")[2]]
        # What is next to a reference (the field's own description) overrides the target's.
        return _structural({**target, **{k: v for k, v in node.items() if k != "$ref"}}, defs)
    if "anyOf" in node:
        return _union(node, defs)
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "default" and value is not None:
            out["default"] = value
        elif key == "properties":
            out["properties"] = {name: _structural(child, defs) for name, child in value.items()}
        elif key == "items":
            out["items"] = _structural(value, defs)
        elif key == "const":
            out["enum"] = [value]
        elif key not in _DROPPED:
            out[key] = value
    return out


def _union(node: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in node.items() if k != "anyOf"}
    members = [m for m in node["anyOf"] if m.get("type") != "null"]
    if {m.get("type") for m in members} == {"integer", "string"}:
        return {**_structural(rest, defs), **_INT_OR_STRING}
    (member,) = members  # an optional field: absent, not null
    return _structural({**member, **rest}, defs)
