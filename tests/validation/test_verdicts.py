"""The table of rules against `istioctl validate`: the same verdicts on 300 entries, at the same fields."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from dnsalias_operator.core.istio.validation import By, Refusal, refused
from dnsalias_operator.model.mesh import Mesh
from tests.validation.corpus import COUNT, EDITS, corpus
from tests.validation.record import asked, digest, recorded

Record = Callable[[str, object], None]
ENTRIES = {raw["metadata"]["name"]: raw for raw in corpus()}


def ours() -> dict[str, tuple[Refusal, ...]]:
    """What the table refuses, by name, without what the API server alone refuses: istioctl does not look at the CRD."""
    found = {name: refused(raw, Mesh()) for name, raw in ENTRIES.items()}
    return {
        name: mine
        for name, refusals in found.items()
        if (mine := tuple(one for one in refusals if one.by is not By.API_SERVER))
    }


def disagreements(theirs: Mapping[str, str]) -> list[str]:
    """Where the two differ, with what each says."""
    mine = ours()
    return [
        f"{name} ({ENTRIES[name]['metadata']['annotations']['about']}): {ENTRIES[name]['spec']}\n"
        f"  istioctl: {theirs.get(name, 'accepted')}\n  ours: {[str(one) for one in mine.get(name, ())] or 'accepted'}"
        for name in ENTRIES
        if (name in theirs) != (name in mine)
    ]


def test_same_verdicts_as_recorded() -> None:
    """Refused or accepted: the table says what istioctl said of each entry."""
    said = recorded()
    assert said["corpus"] == digest(list(ENTRIES.values())), (
        "the corpus is another one: python -m tests.validation.record"
    )
    assert disagreements(said["refused"]) == []


FIELDS = (
    (
        r"unknown field \"(?P<field>\w+)\"|unknown field name \"(?P<name>\w+)\"",
        r"(^|[.\]])(?P<found>\w+): no such field",
    ),
    (r"unknown value|unknown enum", r"is none of"),
    (r"domain name|hosts? |at least one host|wildcard host|FQDN or contain", r"spec\.hosts"),
    (r"is not a valid (IP|CIDR)(?! address)|CIDR addresses|addresses cannot", r"spec\.addresses"),
    (r"invalid port name", r"\.name: |\.ports\."),
    (r"already defined", r"another port too"),
    (r"unsupported protocol|protocols are supported", r"protocol"),
    (r"must be in the range", r"not in the range"),
    (
        r"endpoint|WorkloadSelector|address is required|unix|absolute path|invalid tag",
        r"spec\.(endpoints|workloadSelector)",
    ),
    (r"selector", r"spec\.workloadSelector"),
    (r"exportTo|export service entry", r"spec\.exportTo"),
    (r"cannot parse|json|cannot unmarshal|failed to", r"expected|none of|no such field"),
)
"""What istioctl says of a field, and what we do."""


def test_same_fields_as_recorded() -> None:
    """What istioctl says first of an entry is among what the table says of it."""
    mine, wrong = ours(), []
    for name, message in recorded()["refused"].items():
        said = "; ".join(map(str, mine[name]))
        about = [ours_ for theirs, ours_ in FIELDS if re.search(theirs, message)]
        if not about or not any(re.search(pattern, said) for pattern in about):
            wrong.append(f"{name}: istioctl: {message}; ours: {said}")
    assert wrong == []


def test_the_corpus_is_of_both_kinds() -> None:
    """There are 300 entries, every edit is made, and neither the refused nor the accepted ones are few."""
    assert len(ENTRIES) == COUNT
    about = " ".join(raw["metadata"]["annotations"]["about"] for raw in ENTRIES.values())
    assert [edit for edit in EDITS if edit not in about] == []
    assert COUNT // 3 <= len(recorded()["refused"]) <= COUNT * 2 // 3


@pytest.mark.cluster
def test_same_verdicts_as_istioctl(record_testsuite_property: Record, capsys: pytest.CaptureFixture[str]) -> None:
    """The real `istioctl validate` says of all of them what is recorded, and so does the table."""
    with capsys.disabled():
        said = asked(list(ENTRIES.values()))
    found = disagreements(said["refused"])
    agreed = COUNT - len(found)
    record_testsuite_property("verdicts that istioctl validate and the table agree on", agreed)
    with capsys.disabled():
        print(f"\nistioctl validate and the table agree on {agreed} of {COUNT}, {len(said['refused'])} refused")  # noqa: T201
    assert found == []
    assert _of_any_field(said) == _of_any_field(recorded())


def _of_any_field(verdicts: Mapping[str, Any]) -> dict[str, object]:
    """Where the table finds several unknown fields in one entry, without the one that istioctl names: it is any."""
    several = {name for name, mine in ours().items() if sum("no such field" in str(one) for one in mine) > 1}
    refused = {
        name: re.sub(r'unknown field "\w+"', "unknown field", why) if name in several else why
        for name, why in verdicts["refused"].items()
    }
    return {**verdicts, "refused": refused}
