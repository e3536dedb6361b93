"""exportTo as sets of namespaces."""

from collections.abc import Sequence

import pytest

from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import EXPORT_TO_ANNOTATION
from dnsalias_operator.model.service import Service

EVERYWHERE = Scope(everywhere=True)


def of(*values: str) -> Scope:
    """The scope of an object in namespace abc."""
    return Scope.of(values, "abc", ("*",))


@pytest.mark.parametrize(
    ("export_to", "expected"),
    [
        (None, EVERYWHERE),
        (["*"], EVERYWHERE),
        (["."], Scope(everywhere=False, namespaces=frozenset({"abc"}))),
        (["data", "."], Scope(everywhere=False, namespaces=frozenset({"abc", "data"}))),
        (["~"], Scope(everywhere=False)),
    ],
)
def test_a_scope_is_what_export_to_says(export_to: Sequence[str] | None, expected: Scope) -> None:
    """`.` is the object's own namespace, `~` nobody, and nothing said is the default."""
    assert Scope.of(export_to, "abc", ("*",)) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [("", EVERYWHERE), (",", Scope(everywhere=False)), ("data", of("data")), ("*", EVERYWHERE), ("~", of("~"))],
)
def test_the_scope_of_a_service_is_what_istiod_reads(annotation: str, expected: Scope) -> None:
    """An empty annotation says nothing; one of commas alone names no namespace."""
    meta = {"name": "pay", "namespace": "abc", "annotations": {EXPORT_TO_ANNOTATION: annotation}}
    assert Scope.of_claimant(Service.parse({"kind": "Service", "metadata": meta}), Mesh()) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (of("*"), of("*"), True),
        (of("*"), of("data"), True),
        (of("."), of("abc"), True),
        (of("."), of("data"), False),
        (of("~"), of("*"), False),
        (of("~"), of("~"), False),
    ],
)
def test_overlap_is_symmetric(left: Scope, right: Scope, *, expected: bool) -> None:
    """Two scopes overlap where some namespace sees both, whichever is asked."""
    assert (left.overlaps(right), right.overlaps(left)) == (expected, expected)


@pytest.mark.parametrize(
    ("left", "right", "stated"),
    [
        (of("*"), of("*"), ["*"]),
        (of("*"), of("."), ["."]),
        (of("data", "."), of("."), ["."]),
        (of("data"), of("*"), ["data"]),
        (of("data"), of("."), ["~"]),
    ],
)
def test_narrowing_keeps_what_both_see(left: Scope, right: Scope, stated: list[str]) -> None:
    """An alias is never wider than its Service, and states what is left as an exportTo list."""
    assert left.narrowed(right).export_to("abc") == stated
    assert right.narrowed(left).export_to("abc") == stated
