"""Edits of what is written wrongly: fields that Istio refuses, annotations that mean nothing."""

import re

from tests.core.remedies.bench import Bench

_FIELD = re.compile(r"spec\.(?P<field>hosts|exportTo|ports|endpoints)(?:\[(?P<index>\d+)\](?:\.(?P<inner>\w+))?)?: ")
_ANNOTATION = re.compile(r'annotation (?P<key>\S+): "')
_MEANT = re.compile(r"did you mean (?P<key>\S+) ")
_RIGHT = {
    ("ports", "protocol"): "TLS",
    ("endpoints", "address"): "192.0.2.1",
}


def correct_fields(bench: Bench, _: re.Match[str]) -> None:
    """Write into each field that the message names what Istio takes there."""
    for named in _FIELD.finditer(bench.finding.message):
        field, index = named["field"], int(named["index"] or 0)
        values = list(bench.spec[field])
        if field == "hosts":
            values[index] = f"corrected-{index}.{bench.subject.name}.hello"
        elif field == "exportTo":
            values.pop(index)
        else:
            values[index] = {**values[index], named["inner"]: _RIGHT[field, named["inner"]]}
        bench.edit({field: values})


def correct_annotation(bench: Bench, _: re.Match[str]) -> None:
    """Write the annotation that is meant, or a value that means something; another kind has none."""
    key = _key(bench)
    meant = _MEANT.search(bench.finding.message)
    take_annotation_off(bench, _)
    if bench.subject.kind == "ServiceEntry":
        noted = meant["key"] if meant else key
        _annotate(bench, noted, "false" if noted.endswith("/repair") else "api")


def take_annotation_off(bench: Bench, _: re.Match[str]) -> None:
    """Remove the annotation."""
    _annotate(bench, _key(bench), None)


def _key(bench: Bench) -> str:
    found = _ANNOTATION.search(bench.finding.message)
    assert found is not None
    return found["key"]


def _annotate(bench: Bench, key: str, value: str | None) -> None:
    bench.cluster.patch(bench.subject, {"metadata": {"annotations": {key: value}}})
