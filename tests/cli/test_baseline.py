"""`--baseline FILE`: a mesh with old findings can start today, and nothing new hides behind them."""

import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsalias_operator.cli.printing.baseline import BaselineError, Fingerprint, Row, divide, read, text_of, write
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.model.names import Key
from tests.cli.conftest import CLEAN, INCIDENT, Invoke

severities = st.sampled_from(Severity)
keys = st.builds(Key, st.just("ServiceEntry"), st.sampled_from("ab"), st.text(max_size=3))
findings_lists = st.lists(
    st.builds(
        Finding,
        st.sampled_from(("DA001", "DA007")),
        severities,
        keys,
        st.sampled_from((None, 443)),
        st.text(max_size=3),
        st.just("mend it"),
    ),
    max_size=6,
)


def finding(code: str, severity: Severity) -> Finding:
    """A finding of one entry."""
    return Finding(code, severity, Key("ServiceEntry", "a", "b"), None, "message", "remedy")


def row(code: str, severity: Severity) -> Row:
    """A row that may accept it."""
    return Row(Fingerprint(code, "ServiceEntry", "a", "b", None), severity)


@pytest.fixture
def accepted(invoke: Invoke, incident: Path, tmp_path: Path) -> Path:
    """A baseline that accepts all of the incident."""
    path = tmp_path / "baseline.json"
    result = invoke("lint", "-f", incident, "--baseline", path, "--write-baseline")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == (
        f"{path}: 3 findings accepted, 3 new; from now on --baseline {path} shows only other findings\n"
    )
    return path


def test_accepted_findings_are_not_shown_and_do_not_count(invoke: Invoke, incident: Path, accepted: Path) -> None:
    """The run is green, says what it left out, and the JSON form has only what is new."""
    result = invoke("lint", "-f", incident, "--baseline", accepted)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == f"No findings and 3 accepted in {accepted}, in 5 objects."
    report = json.loads(invoke("lint", "-f", incident, "--baseline", accepted, "-o", "json").stdout)
    assert (report["findings"], report["summary"]["accepted"]) == ([], 3)


def test_rows_name_findings_by_what_stays(accepted: Path) -> None:
    """The file is for people and diffs: a line for each finding, sorted, without lines of files and messages."""
    lines = accepted.read_text().splitlines()
    assert lines[3] == (
        '    {"code": "DA001", "kind": "ServiceEntry", "namespace": "abc", "name": "traefik-cutom-name", '
        '"port": 443, "severity": "critical"},'
    )
    assert len(lines) == 2 + 3 + 3


def test_lines_that_move_stay_accepted(invoke: Invoke, accepted: Path) -> None:
    """The world moves down, and a message changes with a clusterIP: nothing of it is new."""
    moved = "# one\n# two\n" + INCIDENT.replace("clusterIP: 10.96.0.10", "clusterIP: 10.96.0.77")
    result = invoke("lint", "-f", "-", "--baseline", accepted, stdin=moved)
    assert (result.exit_code, result.stderr) == (0, "")


def test_what_is_new_is_shown_and_fails(invoke: Invoke, accepted: Path) -> None:
    """The same fault of another object is another finding."""
    second = INCIDENT.split("---")[1].replace("traefik-cutom-name", "twin").replace("traefik.cutom-name", "twin.other")
    result = invoke("lint", "-f", "-", "--baseline", accepted, stdin=f"{INCIDENT}---{second}")
    assert result.exit_code == 1
    assert "ServiceEntry abc/twin" in result.stdout
    assert "ServiceEntry abc/traefik-cutom-name\n" not in result.stdout


def test_rows_that_match_nothing_are_told(invoke: Invoke, accepted: Path) -> None:
    """Mended: each row is named on standard error, the run stays green, and writing anew removes them."""
    result = invoke("lint", "-f", "-", "--baseline", accepted, stdin=CLEAN)
    assert result.exit_code == 0
    told = result.stderr.splitlines()
    assert told[0] == (
        f"{accepted}: DA001 of ServiceEntry abc/traefik-cutom-name port 443 is no longer found; "
        "remove the row, or write the baseline again"
    )
    assert len(told) == 3
    anew = invoke("lint", "-f", "-", "--baseline", accepted, "--write-baseline", stdin=CLEAN)
    assert "0 findings accepted, 3 removed;" in anew.stderr
    assert json.loads(accepted.read_text()) == {"version": 1, "findings": []}


def test_a_wholly_stale_baseline_is_told_in_a_few_lines(invoke: Invoke, tmp_path: Path) -> None:
    """Ten rows by name, then how many more."""
    rows = [Row(Fingerprint("DA001", "ServiceEntry", "a", f"e{n}", 443), Severity.CRITICAL) for n in range(30)]
    path = tmp_path / "baseline.json"
    found = [Finding(r.fingerprint.code, r.severity, Key(*r.fingerprint[1:4]), 443, "", "") for r in rows]
    path.write_text(text_of(found, ()))
    told = invoke("lint", "-f", "-", "--baseline", path, stdin=CLEAN).stderr.splitlines()
    assert len(told) == 11
    assert "20 more rows no longer match" in told[-1]


def test_what_has_become_worse_is_new(invoke: Invoke, incident: Path, accepted: Path) -> None:
    """A row accepts its own severity and milder ones; that it was accepted as something milder is told."""
    accepted.write_text(accepted.read_text().replace('"critical"', '"warning"'))
    result = invoke("lint", "-f", incident, "--baseline", accepted)
    assert result.exit_code == 1
    assert "1 finding: 1 critical" in result.stdout
    assert "was accepted as warning and is now critical, so it is shown" in result.stderr


def test_notes_survive_writing_anew(invoke: Invoke, incident: Path, accepted: Path) -> None:
    """A person's word on a row is kept, in whatever script it is written."""
    document = json.loads(accepted.read_text())
    document["findings"][0]["note"] = "bis März, siehe Ticket 12"
    accepted.write_text(json.dumps(document))
    invoke("lint", "-f", incident, "--baseline", accepted, "--write-baseline")
    assert json.loads(accepted.read_text())["findings"][0]["note"] == "bis März, siehe Ticket 12"
    assert "März" in accepted.read_text()


def test_a_baseline_is_not_made_of_half_the_input(invoke: Invoke, incident: Path, accepted: Path) -> None:
    """With a file unread nothing is written: rows of what is in there would be lost."""
    before = accepted.read_text()
    flags = ("--baseline", accepted, "--write-baseline")
    result = invoke("lint", "-f", "/nowhere.yaml", "-f", incident, *flags)
    assert result.exit_code == 2
    assert "not written" in result.stderr
    assert accepted.read_text() == before


ROW = {"code": "DA001", "kind": "ServiceEntry", "namespace": "a", "name": "b", "port": 443, "severity": "critical"}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("", "expected JSON as --write-baseline writes it"),
        ("[" * 100_000, "expected JSON as --write-baseline writes it"),
        ("[]", "expected an object with a list `findings`"),
        ({"version": 1, "findings": {}}, "expected an object with a list `findings`"),
        ({"version": 2, "findings": []}, "version: expected 1, got 2"),
        ({"version": 1, "findings": ["x"]}, "findings[0]: expected an object, got 'x'"),
        ({"version": 1, "findings": [ROW, {**ROW, "name": 3}]}, "findings[1].name: expected text, got 3"),
        ({"version": 1, "findings": [{**ROW, "port": "443"}]}, "findings[0].port: expected a number"),
        ({"version": 1, "findings": [{**ROW, "port": True}]}, "findings[0].port: expected a number"),
        ({"version": 1, "findings": [{**ROW, "note": 1}]}, "findings[0].note: expected text, got 1"),
        (
            {"version": 1, "findings": [{**ROW, "severity": "bad"}]},
            "expected one of critical, warning, info, got 'bad'",
        ),
        ({"version": 1, "findings": [{**ROW, "severity": []}]}, "expected one of critical, warning, info, got []"),
        ({"version": 1, "findings": [{**ROW, "nmae": ""}]}, "findings[0].nmae: no such field; put your own comment"),
    ],
)
def test_a_file_that_is_no_baseline_is_bad_usage(
    invoke: Invoke, incident: Path, tmp_path: Path, document: object, told: str
) -> None:
    """File, row and field are named, nothing is linted, and the file is not overwritten either."""
    path = tmp_path / "baseline.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    before = path.read_text()
    for flags in ((), ("--write-baseline",)):
        result = invoke("lint", "-f", incident, "--baseline", path, *flags)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert str(path) in result.stderr
        assert told in result.stderr
        assert path.read_text() == before


def test_a_baseline_that_is_not_there_is_told(invoke: Invoke, incident: Path, tmp_path: Path) -> None:
    """With the way to make it; one that cannot be written is named as well."""
    missing = invoke("lint", "-f", incident, "--baseline", tmp_path / "none.json")
    assert missing.exit_code == 2
    assert "no such file; --write-baseline creates it" in missing.stderr
    unwritable = invoke("lint", "-f", incident, "--baseline", tmp_path / "a" / "b.json", "--write-baseline")
    assert unwritable.exit_code == 2
    assert str(tmp_path / "a" / "b.json") in unwritable.stderr
    folder = invoke("lint", "-f", incident, "--baseline", tmp_path)
    assert folder.exit_code == 2
    alone = invoke("lint", "-f", incident, "--write-baseline")
    assert alone.exit_code == 2
    assert "--write-baseline needs --baseline FILE" in alone.stderr


def test_each_row_accepts_one_finding() -> None:
    """A second finding with the same fingerprint is new; the gravest row goes to the gravest finding."""
    critical, warning = finding("DA007", Severity.CRITICAL), finding("DA007", Severity.WARNING)
    assert divide([critical, warning], [row("DA007", Severity.CRITICAL)]).new == (warning,)
    both = divide([critical, warning], [row("DA007", Severity.WARNING), row("DA007", Severity.CRITICAL)])
    assert (both.new, both.stale) == ((), ())


@given(findings_lists, findings_lists)
def test_a_baseline_accepts_exactly_what_it_was_made_of(findings: list[Finding], others: list[Finding]) -> None:
    """Whatever the findings: all of them are accepted, and of any others no more than there are rows."""
    ordered = sorted(findings, key=lambda f: f.order)
    rows = [Row(Fingerprint.of(f), f.severity) for f in ordered]
    assert divide(ordered, rows) == divide(ordered, rows[::-1])
    whole = divide(ordered, rows)
    assert (whole.new, whole.stale) == ((), ())
    divided = divide(sorted(others, key=lambda f: f.order), rows)
    assert len(divided.new) + len(divided.accepted) == len(others)
    assert len(divided.stale) + len(divided.accepted) == len(rows)
    assert all(row.accepts(f) and row.fingerprint == Fingerprint.of(f) for f, row in divided.accepted)


@given(findings=findings_lists, note=st.text(max_size=5))
def test_what_was_written_is_read_back(findings: list[Finding], note: str) -> None:
    """Any name and any note goes through the file, and writing is stable."""
    rows = [Row(Fingerprint.of(f), f.severity, note) for f in findings]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        write(str(path), findings, rows)
        back = read(str(path))
        assert Counter(back) == Counter(rows)
        before = path.read_bytes()
        write(str(path), findings, back)
        assert path.read_bytes() == before


def test_read_is_the_only_way_to_rows(tmp_path: Path) -> None:
    """A file that is missing is an error unless it is about to be made."""
    with pytest.raises(BaselineError):
        read(str(tmp_path / "none.json"))
    assert read(str(tmp_path / "none.json"), may_be_new=True) == ()
