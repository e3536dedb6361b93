"""Reading files, folders and standard input: places, Lists, namespaces, encodings."""

import json
from pathlib import Path

import pytest
import yaml

from dnsalias_operator.cli.reading.files import read_files
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.service import Service
from tests.cli.conftest import SERVICE, names, problems, read


def test_the_same_object_twice_names_both_places(tmp_path: Path) -> None:
    """Also where one leaves the namespace to the default; the first one counts."""
    inputs = read(tmp_path, f"{SERVICE % 'x'}---\n{SERVICE % 'x, namespace: default'}").as_one_world()
    assert names(inputs) == ["x"]
    (problem,) = inputs.problems
    assert problem.line == 5
    assert problem.message == f"Service default/x is given twice, first at {tmp_path}/a.yaml:1; this one is left out"


def test_another_groups_kind_of_the_same_name_is_carried_along(tmp_path: Path) -> None:
    """A Knative Service is no Service, and no second one of that name."""
    knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\n"
    inputs = read(tmp_path, f"{SERVICE % 'x'}---\n{knative}")
    assert not inputs.problems
    assert [item.key for item in inputs.items] == [Key("Service", "default", "x"), None]


def test_lists_give_each_item_its_own_line(tmp_path: Path) -> None:
    """In YAML and JSON, for List and typed lists, whose items leave out apiVersion and kind."""
    yaml = (
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntryList\nitems:\n"
        "- metadata: {name: a}\n  spec:\n    hosts: [a.b]\n- metadata:\n    name: b\n- &c {metadata: {name: c}}\n"
    )
    inputs = read(tmp_path, yaml)
    assert [(str(item.key), item.place.line) for item in inputs.items if item.place] == [
        ("ServiceEntry default/a", 4),
        ("ServiceEntry default/b", 7),
        ("ServiceEntry default/c", 9),
    ]
    services = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": n}} for n in "ab"]
    as_json = json.dumps({"apiVersion": "v1", "kind": "List", "items": services}, indent=1)
    inputs = read(tmp_path, as_json, "b.json")
    lines = [number for number, line in enumerate(as_json.splitlines(), 1) if line == "  {"]
    assert [item.place.line for item in inputs.items if item.place] == lines
    assert [item.key for item in inputs.items] == [Key("Service", "default", n) for n in "ab"]


PORTS = {"hosts": ["a.b"], "ports": [{"number": 80}, {"number": 443}]}
ENTRY = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "x"}, "spec": PORTS}


@pytest.mark.parametrize("indent", [1, 2, None])
@pytest.mark.parametrize("listed", [True, False])
def test_ports_have_lines_of_their_own(tmp_path: Path, indent: int | None, *, listed: bool) -> None:
    """In YAML and JSON, in a List and alone; the object's line stands for what is not there."""
    shown = {"apiVersion": "v1", "kind": "List", "items": [{}, ENTRY]} if listed else ENTRY
    as_json, as_yaml = json.dumps(shown, indent=indent), yaml.safe_dump(shown)
    for name, text in (("a.json", as_json), ("a.yaml", as_yaml)):
        item = read(tmp_path, text, name).items[-1]
        lines = text.splitlines()
        for port in (80, 443):
            place = item.place_of(port)
            assert place
            near = "".join(lines[place.line - 1 : place.line + 1])
            assert f'"number": {port}' in near or f"number: {port}" in near
        assert item.place_of(None) == item.place_of(81) == item.place


def test_ports_in_one_line_with_others_have_the_line_of_their_object(tmp_path: Path) -> None:
    """Where two objects begin in one line, nothing says whose ports stand where."""
    entry = json.dumps(ENTRY)[:-1]
    text = f"apiVersion: v1\nkind: List\nitems: [{entry}}}, {entry.replace('80', '90')},\n\n\n}}]\n"
    first, second = read(tmp_path, text).items
    assert first.place == first.place_of(443)
    assert second.place == second.place_of(443) == first.place


def test_lists_within_lists_are_read(tmp_path: Path) -> None:
    """A List of typed lists, as kubectl prints it for several resources."""
    inner = {"apiVersion": "v1", "kind": "ServiceList", "items": [{"metadata": {"name": "x"}}]}
    inputs = read(tmp_path, json.dumps({"apiVersion": "v1", "kind": "List", "items": [inner]}))
    assert [item.key for item in inputs.items] == [Key("Service", "default", "x")]


def test_folders_are_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    """Every .yaml, .yml and .json below, once, whatever number of paths lead to it."""
    for name in ("b/2.yml", "a.yaml", "b/1.json", ".git/x.yaml", ".y.yaml", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": path.stem}}
        path.write_text(json.dumps(manifest))
    inputs = read_files([str(tmp_path), str(tmp_path / "a.yaml")], "default")
    assert not inputs.problems
    assert names(inputs) == ["a", "1", "2"]
    assert [str(item.place) for item in inputs.items] == [
        f"{tmp_path}/{n}:1" for n in ("a.yaml", "b/1.json", "b/2.yml")
    ]


def test_a_file_that_is_read_for_something_else_is_none_of_a_folder(tmp_path: Path) -> None:
    """Unless it is named."""
    for name in ("a.yaml", "baseline.json"):
        (tmp_path / name).write_text(json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}))
    left_out = str(tmp_path / "baseline.json")
    assert len(read_files([str(tmp_path)], "default", [left_out]).items) == 1
    assert read_files([left_out], "default", [left_out]).items


@pytest.mark.parametrize(
    "content",
    [
        (SERVICE % "é").encode("utf-8-sig"),
        (SERVICE % "é").encode("utf-16"),
        (SERVICE % "é").replace("\n", "\r\n").encode(),
        ("# comment\n%YAML 1.1\n---\n" + SERVICE % "é").encode(),
        ("---\n---\n" + SERVICE % "é" + "---\n# nothing\n").encode(),
        b"{apiVersion: v1, kind: Service, metadata: {name: \xc3\xa9}}",
    ],
    ids=["bom", "utf-16", "crlf", "directive", "empty documents", "flow"],
)
def test_encodings_and_styles(tmp_path: Path, content: bytes) -> None:
    """Whatever editors and tools produce is read."""
    inputs = read(tmp_path, content)
    assert not inputs.problems
    assert names(inputs) == ["é"]


def test_a_directive_belongs_to_the_document_after_it(tmp_path: Path) -> None:
    """It does not break the document before it, and lines count on."""
    inputs = read(tmp_path, f"{SERVICE % 'a'}...\n%YAML 1.1\n---\n{SERVICE % 'b'}---\nx: [\n")
    assert names(inputs) == ["a", "b"]
    assert [item.place.line for item in inputs.items if item.place] == [1, 7]
    assert problems(inputs) == [(12, 1)]


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    """What people use YAML aliases for; a key of the mapping itself wins over a merged one."""
    content = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: x, labels: &labels {app: web, tier: '1'}}\n"
        "spec:\n  selector: {<<: *labels, tier: '2'}\n"
    )
    (item,) = read(tmp_path, content).items
    assert isinstance(item.typed, Service)
    assert item.typed.selector == {"app": "web", "tier": "2"}


def test_namespaces(tmp_path: Path) -> None:
    """The given namespace is for objects that name none, and not for cluster-scoped or unknown kinds."""
    content = "---\n".join(
        [
            SERVICE % "a",
            SERVICE % "b, namespace: own",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n",
        ]
    )
    inputs = read(tmp_path, content, namespace="team")
    assert [item.raw["metadata"].get("namespace") for item in inputs.items] == ["team", "own", None, None]
    assert [item.key for item in inputs.items] == [
        Key("Service", "team", "a"),
        Key("Service", "own", "b"),
        Key("Namespace", "", "c"),
        None,
    ]


def test_dates_are_read_as_dates_of_the_object(tmp_path: Path) -> None:
    """Quoted or not, a creationTimestamp is known to the core and stays text in the object."""
    for stamp in ("2026-01-01T00:00:00Z", '"2026-01-01T00:00:00Z"'):
        (item,) = read(tmp_path, SERVICE % f"x, creationTimestamp: {stamp}").items
        assert item.raw["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
        assert isinstance(item.typed, Service)
        assert item.typed.meta.created == 1767225600
