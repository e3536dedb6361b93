"""Label selectors in their string form."""

import pytest

from dnsalias_operator.model.selector import Selector


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "b"}, True),
        ("a=b", {"a": "c"}, False),
        ("a=b", {}, False),
        ("a!=b", {"a": "c"}, True),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b, c)", {"a": "d"}, False),
        ("a notin (b, c)", {"a": "d"}, True),
        ("a notin (b)", {}, True),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("!a", {"a": "b"}, False),
        ("app.kubernetes.io/managed-by=dns-controller", {"app.kubernetes.io/managed-by": "dns-controller"}, True),
        ("a=b, c in (d,e)", {"a": "b", "c": "e"}, True),
        ("a=b,c in (d,e)", {"a": "b", "c": "f"}, False),
        ("a=", {"a": ""}, True),
    ],
)
def test_matches_as_kubernetes_does(selector: str, labels: dict[str, str], *, expected: bool) -> None:
    """Each form selects what the API server would select."""
    assert Selector.parse(selector).matches(labels) is expected


@pytest.mark.parametrize("blank", ["", " ", ","])
def test_a_blank_selector_selects_nothing(blank: str) -> None:
    """A setting left blank repairs nothing; Kubernetes' own empty selector would repair everything."""
    assert not Selector.parse(blank).matches({"a": "b"})


@pytest.mark.parametrize("wrong", ["a in b", "=b", "a=b c", "a in (b", "a>1", "-a=b"])
def test_what_cannot_be_read_is_refused_by_name(wrong: str) -> None:
    """The error quotes the part that is wrong and tells the legal forms."""
    with pytest.raises(ValueError, match="expected key=value") as error:
        Selector.parse(wrong)
    assert wrong.split(",", maxsplit=1)[0] in str(error.value)
