"""`dnsalias verify`: which files it reads, what it says of others, and what it never shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnsalias_operator.core.istio.listeners import Row
from dnsalias_operator.core.istio.listeners.envoy import rows_of
from tests.cli import envoy_dumps
from tests.cli.conftest import Invoke, Write
from tests.cli.verify_worlds import NAMESPACE, OBJECTS, REAL, REAL_OBJECTS, leading_elsewhere, rows
from tools.dataplane.recorded import load

RECORDINGS = Path(__file__).parents[1] / "core" / "data"


@pytest.fixture
def objects(write: Write) -> Path:
    """The objects of the mesh."""
    return write("objects.yaml", yaml.safe_dump_all(OBJECTS))


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16", "compact", "stdin"])
def test_dumps_however_they_were_saved(invoke: Invoke, write: Write, objects: Path, form: str) -> None:
    """As kubectl and PowerShell save them, and on standard input."""
    made = envoy_dumps.dump(rows())
    text = json.dumps(made, indent=None if form == "compact" else 1)
    data = text.encode(form if form.startswith("utf") else "utf-8")
    result = invoke("verify", "-", "-f", objects, stdin=data) if form == "stdin" else None
    result = result or invoke("verify", write("dump.json", data), "-f", objects)
    assert result.exit_code == 0, result.output
    assert "4 of 4 ports agree." in result.stdout


def test_what_istioctl_prints_is_read(invoke: Invoke, write: Write, objects: Path) -> None:
    """A list of listeners says not whose it is: namespace and labels are given, or asked for."""
    path = write("listeners.json", envoy_dumps.as_istioctl(envoy_dumps.listeners_of(rows())))
    assert invoke("verify", path, "-f", objects, "--from", NAMESPACE, "--labels", "app=web").exit_code == 0
    result = invoke("verify", path, "-f", objects)
    assert result.exit_code == 2
    assert "give --from NAMESPACE" in result.stderr
    wide = invoke("verify", path, "-f", objects, "--from", NAMESPACE, "-o", "wide")
    assert "Note: its clusters are not in what was given" in wide.stdout


def test_a_dump_of_listeners_alone_is_read(invoke: Invoke, write: Write, objects: Path) -> None:
    """`config_dump?resource=dynamic_listeners` has them one level higher."""
    states = envoy_dumps.dump(rows())["configs"][1]["dynamic_listeners"]
    path = write("dump.json", {"configs": states})
    assert invoke("verify", path, "-f", objects, "--from", NAMESPACE).exit_code == 0


def _bad(made: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    text = json.dumps(made, indent=1)
    nobody = {"id": "test-id", "cluster": "envoy-gateway"}
    return {
        "a gateway": (envoy_dumps.dump([], envoy_dumps.node("router")), "the Envoy of a gateway (shop/web-0)"),
        "a waypoint": (envoy_dumps.dump([], envoy_dumps.node("waypoint")), "the Envoy of a waypoint (shop/web-0)"),
        "another Envoy": (
            envoy_dumps.dump([], nobody),
            "Istio did not configure (its node is 'test-id')",
        ),
        "a ztunnel": ({"config": {}, "services": [], "workloads": []}, "a ztunnel's configuration"),
        "cut off": (text[: len(text) // 2], "ends in the middle of the JSON"),
        "empty": ("", "ends in the middle of the JSON"),
        "no JSON": ("error: pod not found\n", "no JSON"),
        "objects": (OBJECTS[0], "Kubernetes objects: those go to -f"),
        "other JSON": ({"a": 1}, "no configuration of an Envoy (a)"),
        "clusters": ([{"name": "outbound|80||a", "type": "EDS"}], "a list of something else than listeners"),
        "one port": (envoy_dumps.listeners_of(rows())[:1], "virtualOutbound is not in it"),
        "nothing yet": ({"configs": made["configs"][:1]}, "it holds no listeners"),
        "too deep": ("[" * 5000, "nested more than 100 levels"),
    }


@pytest.mark.parametrize("what", list(_bad(envoy_dumps.dump([]))))
def test_other_files_are_said_what_they_are(invoke: Invoke, write: Write, objects: Path, what: str) -> None:
    """Nothing is compared with what is no sidecar's configuration; the message says what it is and what to take."""
    content, said = _bad(envoy_dumps.dump(rows()))[what]
    path = write("dump.json", content)
    result = invoke("verify", path, "-f", objects)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert str(path) in result.stderr
    assert "bug" not in result.stderr


def test_a_file_that_is_not_there(invoke: Invoke, tmp_path: Path) -> None:
    """It is named, in the system's words."""
    result = invoke("verify", tmp_path / "none.json", "-f", REAL_OBJECTS)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path / 'none.json'}: No such file or directory" in result.stderr


def test_the_dump_may_lie_beside_the_objects(invoke: Invoke, write: Write, objects: Path) -> None:
    """A folder of objects is read without the dump in it."""
    path = write("dump.json", envoy_dumps.dump(rows()))
    assert invoke("verify", path, "-f", objects.parent).exit_code == 0


@pytest.mark.parametrize("arguments", [(), ("a.json", "--pod", "a/b"), ("--pod", "a/b", "--all", "a"), ("--pod", "b")])
def test_one_sidecar_is_meant(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    """A file, a pod with its namespace, or a namespace."""
    result = invoke("verify", *arguments, "-f", REAL_OBJECTS)
    assert result.exit_code == 2
    assert "NS" in result.stderr or "NAMESPACE" in result.stderr


KEY = "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----"


@pytest.mark.parametrize("output", ["text", "wide", "json"])
def test_a_private_key_is_never_printed(
    invoke: Invoke, write: Write, objects: Path, tmp_path: Path, output: str
) -> None:
    """One that is not redacted is warned of; nothing that is printed or written has it."""
    made = envoy_dumps.dump(rows(dns_capture=True))
    secret = {"name": "default", "tls_certificate": {"private_key": {"inline_string": KEY}}}
    made["configs"].append({"dynamic_active_secrets": [{"name": "default", "secret": secret}]})
    report = tmp_path / "report.json"
    result = invoke("verify", write("dump.json", made), "-f", objects, "-o", output, "--report", report)
    assert "holds a private key that is not redacted" in result.stderr
    assert "c2VjcmV0" not in result.output + report.read_text()
    assert "holds a private key" not in invoke("verify", REAL, "-f", REAL_OBJECTS).stderr, "Envoy has redacted that one"


def test_a_report_names_nobody(invoke: Invoke, write: Write, objects: Path, tmp_path: Path) -> None:
    """No name and no address of the mesh is in it, and it is shown before it is written; the structure is kept."""
    changed = [leading_elsewhere(r) if r.cluster else r for r in rows()]
    report = tmp_path / "report.json"
    result = invoke("verify", write("dump.json", envoy_dumps.dump(changed)), "-f", objects, "--report", report)
    text = report.read_text()
    assert text in result.stderr
    names = ("shop", "web", "db", "far", "other", "legacy", "team", "caught", "wide", "named", "elsewhere")
    assert not [name for name in names if f'"{name}"' in text or f"{name}." in text or f"/{name}" in text]
    assert not [address for address in ("10.96.0", "240.240") if address in text]
    differences = {d["port"]: d for d in json.loads(text)["sidecars"][0]["differences"]}
    (caught,) = differences[9000]["claimedBy"]
    assert differences[9000]["predicted"][0]["cluster"] == f"outbound|9000||{caught['hosts'][0]}"
    assert differences[9000]["predicted"][0]["owner"] == caught["object"]
    assert (caught["protocols"], caught["resolution"], caught["addresses"]) == (["TCP"], "DNS", [])
    by_kind = {c["object"].split()[0]: c for c in differences[5432]["claimedBy"]}
    wide, service = by_kind["ServiceEntry"]["addresses"][0], by_kind["Service"]["addresses"][0]
    assert wide.endswith("/24")
    assert wide.rsplit(".", 1)[0] == service.rsplit(".", 1)[0], "the Service is within the entry's prefix, as it was"
    assert [by_kind[kind]["age"] for kind in ("Service", "ServiceEntry")] == [0, 1]


def test_a_report_overwrites_nothing(invoke: Invoke, write: Write, objects: Path) -> None:
    """A file that is there stays; where nothing differs there is nothing to write."""
    dump, there = write("dump.json", envoy_dumps.dump(rows(dns_capture=True))), write("report.json", "mine")
    result = invoke("verify", dump, "-f", objects, "--report", there)
    assert (result.exit_code, there.read_text()) == (2, "mine")
    assert "is there already" in result.stderr
    new = there.with_name("new.json")
    result = invoke("verify", dump, "-f", objects, "--dns-capture", "--report", new)
    assert (result.exit_code, new.exists()) == (0, False)


def test_objects_that_cannot_be_read_are_an_error(invoke: Invoke, write: Write) -> None:
    """What follows from half of the input is printed, and exit code 2 says that it is half."""
    dump = write("dump.json", envoy_dumps.dump(rows()))
    result = invoke("verify", dump, "-f", write("bad.yaml", yaml.safe_dump_all(OBJECTS) + "---\n{]"))
    assert result.exit_code == 2
    assert "4 of 4 ports agree" in result.stdout


@pytest.mark.parametrize("form", ["Envoy", "istioctl"])
def test_every_row_of_a_real_sidecar_survives_both_forms(form: str) -> None:
    """The rows of a recording, written as Envoy or istioctl write listeners, are read as the same rows."""
    recording = load(RECORDINGS / "listeners-101.json.gz")
    recorded = [row for view in recording.views for row in view.rows]
    listeners = envoy_dumps.listeners_of(dict.fromkeys(recorded))
    if form == "istioctl":
        listeners = json.loads(envoy_dumps.as_istioctl(listeners))
    assert {row for listener in listeners for row in rows_of(listener)} == set(recorded)


# Not ru_maxrss: a new program inherits the peak of the process that started it, here pytest's own.
MEASURED = """
import pathlib, re, sys
from dnsalias_operator.cli.main import program
try:
    program.main(sys.argv[1:])
except SystemExit as end:
    kibibytes = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]
    print(end.code, int(kibibytes) // 1024, file=sys.stderr)
"""


@pytest.mark.slow
def test_a_huge_dump_is_read_in_little_memory(objects: Path, tmp_path: Path) -> None:
    """100 MB, as of a sidecar with ten thousand listeners, take less than 300 MiB."""
    path = tmp_path / "huge.json"
    start, end = json.dumps(envoy_dumps.dump(rows()), indent=1).rsplit("]\n  }\n ]\n}", 1)
    log = [{"name": "envoy.access_loggers.file", "typed_config": {"format": "%RESPONSE_CODE% " * 8}}] * 50
    with path.open("w") as file:
        file.write(start)
        for number in range(10_000):
            listener = {**envoy_dumps.listeners_of([_row(number)])[0], "access_log": log}
            state = {"name": listener["name"], "active_state": {"listener": listener}}
            file.write(f",\n{json.dumps(state, indent=1)}")
        file.write(f"]}}]}}{end}")
    assert path.stat().st_size > 100_000_000
    command = [sys.executable, "-c", MEASURED, "verify", str(path), "-f", str(objects)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    code, mebibytes = map(int, done.stderr.split()[-2:])
    assert code == 1
    assert "4 of 10004 ports agree, 10000 differ." in done.stdout
    assert mebibytes < 300


def _row(number: int) -> Row:
    return Row(
        f"10.1.{number // 256}.{number % 256}", 20_000 + number, False, (), (), False, f"outbound|1||{number}", None
    )
