"""Many entries behind one hazard: one finding with a count in every form; baselines and fingerprints stay."""

import cProfile
import json
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnsalias_operator.core.findings.hazards import MOST_APART
from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.cli.conftest import Invoke
from tests.cli.test_ci_forms import junit, sarif
from tests.cli.test_lint import report
from tools import make

MANY = MOST_APART + 1


def entry(number: int, port: int = 5432, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    """A catch-all, outside the mesh, of a host and namespace of its own."""
    ports = [{"name": "tcp", "number": port, "protocol": "TCP"}]
    fields = {"hosts": [f"h{number}.corp"], "ports": ports, "resolution": "DNS", **spec}
    return make.manifest(make.NETWORKING, "ServiceEntry", f"e{number:04}", fields, namespace=f"n{number % 7}")


def documents(*entries: dict[str, Any]) -> str:
    """Them as a stream of documents: JSON is YAML."""
    return "\n---\n".join(map(json.dumps, entries))


def findings(invoke: Invoke, stdin: str, *arguments: str | Path) -> list[dict[str, Any]]:
    """What the JSON form lists, held against its schema."""
    return list(report(invoke("lint", "-f", "-", "-o", "json", *arguments, stdin=stdin).stdout)["findings"])


def test_a_thousand_entries_on_one_port_are_one_finding(invoke: Invoke) -> None:
    """It has the count, stands for the one that has the listener, and lists each object with its own message."""
    stdin = documents(*map(entry, range(1000)))
    (told,) = findings(invoke, stdin)
    assert (told["code"], told["severity"], told["port"], told["count"]) == ("DA001", "critical", 5432, 1000)
    assert told["message"].startswith("1000 objects: listens on 0.0.0.0:5432 for ")
    assert "in every namespace it takes every connection" in told["message"]
    assert told["message"].endswith(" and 996 more")
    assert len({(o["namespace"], o["name"]) for o in told["objects"]}) == 1000
    assert sum("it takes every connection" in o["message"] for o in told["objects"]) == 1
    assert all(o["line"] and o["remedy"] for o in told["objects"])
    result = invoke("lint", "-f", "-", stdin=stdin)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 finding: 1 critical, in 1000 objects."


def test_a_few_entries_are_told_one_by_one(invoke: Invoke) -> None:
    """Each has a remedy and a line of its own then."""
    told = findings(invoke, documents(*map(entry, range(MOST_APART))))
    assert [(f["count"], f["objects"]) for f in told] == [(1, [])] * MOST_APART


def test_what_is_another_hazard_is_another_finding(invoke: Invoke) -> None:
    """Another port, and what only one namespace gets: other listeners."""
    some = [entry(n) for n in range(MANY)]
    some += [entry(n, 3306) for n in range(100, 100 + MANY)]
    private = [entry(200 + 7 * n, exportTo=["."]) for n in range(MANY)]
    told = findings(invoke, documents(*some, *private, entry(300, 6379)))
    assert [(f["severity"], f["port"], f["count"]) for f in told] == [
        ("critical", 5432, MANY),
        ("critical", 3306, MANY),
        ("critical", 6379, 1),
        ("warning", 5432, MANY),
    ]


def test_those_in_our_care_are_one_finding_of_each_kind(invoke: Invoke) -> None:
    """The lack of addresses and endpoints is theirs together, and so is that nothing says what they stand for."""
    care = {"app.kubernetes.io/managed-by": "dns-controller"}
    cared = [entry(n, location="MESH_INTERNAL") for n in range(MANY)]
    for one in cared:
        one["metadata"]["labels"] = care
    told = findings(invoke, documents(*cared))
    assert [(f["code"], f["count"]) for f in told] == [(code, MANY) for code in ("DA001", "DA002", "DA003", "DA015")]


def test_a_baseline_is_by_object(invoke: Invoke, tmp_path: Path) -> None:
    """Rows stay good as entries come and go: one more entry behind the hazard is new, one fewer makes nothing new."""
    baseline = tmp_path / "baseline.json"
    before = documents(*map(entry, range(MANY)))
    assert invoke("lint", "-f", "-", "--baseline", baseline, "--write-baseline", stdin=before).exit_code == 0
    assert len(json.loads(baseline.read_text())["findings"]) == MANY
    assert findings(invoke, before, "--baseline", baseline) == []
    assert findings(invoke, documents(*map(entry, range(1, MANY))), "--baseline", baseline) == []
    (new,) = findings(invoke, documents(*map(entry, range(MANY + 1))), "--baseline", baseline)
    assert (new["name"], new["count"]) == (f"e{MANY:04}", 1)


def test_sarif_has_one_result_whose_fingerprint_stays(invoke: Invoke) -> None:
    """All objects are its locations, and the fingerprint is that of the hazard, whoever is behind it."""

    def results(numbers: range, port: int = 5432) -> list[dict[str, Any]]:
        return list(sarif(invoke, "-f", "-", stdin=documents(*(entry(n, port) for n in numbers)))["results"])

    (first,) = results(range(MANY))
    assert len(first["locations"]) == first["properties"]["objects"] == MANY
    (later,) = results(range(3, 50))
    assert first["partialFingerprints"] == later["partialFingerprints"]
    (other,) = results(range(MANY), 3306)
    assert first["partialFingerprints"] != other["partialFingerprints"]
    (most,) = results(range(150))
    assert (len(most["locations"]), most["properties"]["objects"]) == (100, 150)


def test_junit_has_one_case_that_names_them_all(invoke: Invoke) -> None:
    """And none of them is a passed case."""
    (case,) = junit(invoke, "-f", "-", stdin=documents(*map(entry, range(MANY))))
    assert case.name == f"DA001 Catch-all listener, port 5432, {MANY} objects"
    (failure,) = case.result
    assert all(f"e{n:04}" in failure.text for n in range(MANY))


def test_html_counts_them_once(invoke: Invoke) -> None:
    """The page lists one finding, and still draws the port from all of them."""
    page = invoke("lint", "-f", "-", "-o", "html", stdin=documents(*map(entry, range(MANY)))).stdout
    assert f"{MANY} objects: listens on" in page
    assert page.count("0.0.0.0:5432 for ") == 1
    assert "Traffic on port 5432 goes to the wrong destination" in page


def calls(work: Callable[[], object]) -> int:
    """Calls of functions that the work takes: as good as time, and the same on every machine."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "dns-controller"}])
def test_lint_takes_as_much_work_for_each_of_many(labels: dict[str, str]) -> None:
    """Twice the entries behind one hazard are twice the work, and for each it is little."""

    def lint_of(count: int) -> int:
        raws = [entry(n, location="MESH_INTERNAL") for n in range(count)]
        world = Snapshot(ServiceEntry.parse({**r, "metadata": {**r["metadata"], "labels": labels}}) for r in raws)
        return calls(lambda: lint(world, make.rules()))

    lint_of(1)  # what is read once a process
    few, many = lint_of(200), lint_of(400)
    assert many < 2.2 * few
    assert many / 400 < 2500
