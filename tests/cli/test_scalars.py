"""Unquoted YAML scalars mean what kubectl takes them for, and text is written so that it stays text."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dnsalias_operator.cli.printing.yamlwrite import dump
from dnsalias_operator.cli.reading import jsonread, yamlstream
from dnsalias_operator.cli.reading.problems import Document, Fault
from dnsalias_operator.cli.reading.scalars import resolve

AWKWARD = [
    *("y", "on", "No", "~", "", "null", "1e3", "0o17", "0x1F", "08", ".5", "1_000", "+1", "-0b11", ".inf", "12:30"),
    *("2026-01-01", "2026-01-01T00:00:00Z", "<<", "=", "---", "...", "? a", ": b", "#c", "a: b", "@x", "`", "%"),
    *(" x", "x ", "\t", "\n", "a\n", "a\n\n", "\n\n a\n", "  \n  x\n", "a\n---\nb", "\u0085", "\u2028", "\ufeff", "\0"),
]
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(AWKWARD)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("off", False),
        ("N", False),
        ("yEs", "yEs"),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("8080", 8080),
        ("-7", -7),
        ("010", 8),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("08", 8.0),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 18446744073709551616.0),
        ("12:30", "12:30"),
        ("2026-11-23T05:36:53Z", "2026-11-23T05:36:53Z"),
        ("2026-11-23", "2026-11-23"),
        ("10.96.0.10", "10.96.0.10"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("9" * 5000, "9" * 5000),
        ("1e999", "1e999"),
    ],
)
def test_unquoted_scalars_are_read_as_kubectl_reads_them(plain: str, value: object) -> None:
    """Booleans are those of YAML 1.1, dates and sexagesimals stay text, and no digits are too many."""
    found = resolve(plain)
    assert found == value
    assert type(found) is type(value)


@given(st.dictionaries(text, values, max_size=3))
@example({word: word for word in AWKWARD})
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    """Any JSON value survives writing and reading, and the two readers agree on it."""
    assert [_value(d) for d in yamlstream.documents(f"---\n{dump(value)}")] == [value]
    assert [_value(d) for d in jsonread.documents(json.dumps(value))] == [value]


def _value(document: Document | Fault) -> object:
    return document.value if isinstance(document, Document) else document
