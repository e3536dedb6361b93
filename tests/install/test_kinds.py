"""The rights to read what the table of kinds says is read: of the operator, and of whoever is on call."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.core.istio.meshconfig import names_of
from dnsalias_operator.model.kinds import KINDS, Kind, kind_of, watched

MANIFESTS = Path(__file__).parents[2] / "manifests"


def rules_of(file: str, name: str) -> list[dict[str, Any]]:
    """The rules of the role that reads objects: in base/rbac.yaml the Role of the Lease has the same name."""
    documents = yaml.safe_load_all((MANIFESTS / file).read_text(encoding="utf-8"))
    named = (d for d in documents if d["kind"] in ("Role", "ClusterRole") and d["metadata"]["name"] == name)
    return [rule for d in named for rule in d["rules"]]


def granted(rules: Iterable[dict[str, Any]], verb: str) -> set[tuple[str, str]]:
    """API group and plural of what may be done with that verb."""
    return {
        (group, plural)
        for rule in rules
        if verb in rule["verbs"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
    }


def resources(kinds: Iterable[Kind]) -> set[tuple[str, str]]:
    """API group and plural of kinds."""
    return {(kind.group, kind.plural) for kind in kinds}


@pytest.mark.parametrize("verb", ["list", "watch"])
@pytest.mark.parametrize(
    ("file", "name", "one_namespace"),
    [
        ("base/rbac.yaml", "dnsalias-operator", False),
        ("overlays/namespaced/role.yaml", "dnsalias-operator-aliases", True),
    ],
)
def test_the_operator_may_read_every_kind_that_it_watches(
    file: str,
    name: str,
    one_namespace: bool,  # noqa: FBT001 (a parameter of a test)
    verb: str,
) -> None:
    """A kind that the table says is watched may be listed and watched, in a cluster and in one namespace; no other."""
    rules = [rule for rule in rules_of(file, name) if "leases" not in rule["resources"]]
    assert granted(rules, verb) == resources(watched(one_namespace=one_namespace))


def test_what_says_which_mesh_it_is_may_be_read_by_name() -> None:
    """The Role in the root namespace has the objects that are read, by their names, and nothing else."""
    rules = rules_of("mesh/rbac.yaml", "dnsalias-operator-mesh")
    kinds = {"configmaps": "ConfigMap", "deployments": "Deployment"}
    found = {(kinds[r], name) for rule in rules for r in rule["resources"] for name in rule["resourceNames"]}
    assert found == set(names_of(""))
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get"}


@pytest.mark.parametrize("verb", ["get", "list"])
def test_who_is_on_call_may_read_every_kind(verb: str) -> None:
    """The role for people has every kind of the table, Events, by name what says which mesh it is, and nothing else."""
    rules = rules_of("people/clusterroles.yaml", "dnsalias-diagnose")
    assert granted((r for r in rules if "resourceNames" not in r), verb) == resources(KINDS.values()) | {
        ("events.k8s.io", "events")
    }
    assert [r for r in rules if "resourceNames" in r] == rules_of("mesh/rbac.yaml", "dnsalias-operator-mesh")


def test_a_kind_is_found_by_its_group() -> None:
    """Another group's Service is none of ours; every row is found under its own group and name."""
    assert kind_of("serving.knative.dev", "Service") is None
    assert [kind_of(kind.group, kind.name) for kind in KINDS.values()] == list(KINDS.values())


def test_the_typed_view_of_a_row_is_of_its_kind() -> None:
    """The key of what a row parses names the row, and has a namespace where its objects have one."""
    for kind in KINDS.values():
        key = kind.parse({"metadata": {"name": "x", "namespace": "abc"}}).key
        assert (key.kind, key.namespace) == (kind.name, "abc" if kind.namespaced else "")
