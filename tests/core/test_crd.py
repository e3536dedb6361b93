"""The CRD that is installed is the one that the model makes, and it tells its readers what each field is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.cli.printing.yamlwrite import dump
from dnsalias_operator.model.crd import crd
from dnsalias_operator.model.dnsalias import AN_ADDRESS, parse_spec

FILE = Path(__file__).parents[2] / "crds" / "dnsaliases.dnsalias.io.yaml"


def version() -> dict[str, Any]:
    """The one version that the CRD serves."""
    (only,) = crd()["spec"]["versions"]
    return dict(only)


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property below a schema, with its path."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
        yield from fields(child.get("items", {}), f"{path}.{name}[]")


def test_the_file_is_what_make_crd_writes() -> None:
    """crds/ holds the model's CRD, byte for byte as `make crd` writes it."""
    assert FILE.read_text(encoding="utf-8") == dump(crd())


def test_the_file_reads_back_as_the_model() -> None:
    """A YAML reader gets the same values out of the file as the model put in: no string has become something else."""
    assert yaml.safe_load(FILE.read_text(encoding="utf-8")) == crd()


def test_every_field_is_described() -> None:
    """`kubectl explain` has a sentence for every field of spec and status."""
    schema = version()["schema"]["openAPIV3Schema"]
    # metadata is the API server's own: a CRD that describes it is refused.
    bare = [path for path, field in fields(schema) if not field.get("description") and path != ".metadata"]
    assert bare == []


def test_conditions_are_a_map_by_type() -> None:
    """Two appliers of different conditions do not take each other's away."""
    conditions = version()["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["conditions"]
    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (None, "spec.host: required, and not given; spec.serviceRef: required, and not given"),
        ({"host": "a.b", "serviceRef": {"name": "a"}, "labels": []}, "spec.labels: unknown field; remove it"),
        (
            {"host": "a.b", "serviceRef": {"name": "a"}, "ports": [0]},
            "spec.ports.0: a port is a number from 1 to 65535 or the name of a Service port (got 0)",
        ),
        (
            {"host": "10.0.0.1", "serviceRef": {"name": "a"}},
            f"spec.host: {AN_ADDRESS} (got '10.0.0.1')",
        ),
    ],
)
def test_a_fault_names_its_field_once(spec: object, fault: str) -> None:
    """What is wrong with a spec is said in one sentence a field, in the words of the API."""
    assert parse_spec(spec) == (None, fault)
