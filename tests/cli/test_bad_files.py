"""Every way in which input can be wrong: it is told where and what was expected, and the rest is still read."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.cli.reading.files import read_files
from tests.cli.conftest import SERVICE, names, problems, read

BAD_YAML = {
    "tab": ("a:\n\t- x\n", 2, 1, "no tab"),
    "colon": ("a: b: c\n", 1, 5, "quote text that contains ': '"),
    "indentation": ("a: b\n  c: d\n", 2, 4, "check the indentation"),
    "dash": ("- a\nb: c\n", 2, 1, "expected '-'"),
    "bracket": ("a: [1, 2\n", 2, 1, "expected ',' or ']'"),
    "quote": ("a: 'b\n", 2, 1, "expected a closing quote"),
    "at": ("a: @b\n", 1, 4, "quote text that starts with @"),
    "control": ("a: é\nb: \x01\n", 2, 4, "control characters are not allowed"),
    "alias": ("a: *b\n", 1, 4, "refers to no anchor"),
    "own anchor": ("a: &a [*a]\n", 1, 8, "inside its own anchor"),
    "tag": ("a: !env B\n", 1, 4, "tag !env"),
    "wrong tag": ("a: !!int b\n", 1, 4, "tag !!int does not fit"),
    "twice": ("a: 1\nb: 2\na: 3\n", 3, 1, "key 'a' is given twice"),
    "twice as text": ("80: 1\n'80': 2\n", 2, 1, "key '80' is given twice"),
    "key": ("? [a]\n: b\n", 1, 3, "expected a key, got a mapping"),
    "null key": ("~: b\n", 1, 1, "expected a key, got a mapping"),
    "merge": ("<<: 3\n", 1, 5, "<< merges a mapping"),
    "infinity": ("a: .inf\n", 1, 4, "JSON cannot express"),
    "deep": ("[" * 300 + "\n", 1, 101, "nested more than 100 levels"),
    "deep block": ("".join(f"{' ' * i}a:\n" for i in range(300)), 101, 101, "nested more than 100 levels"),
    "end": ("a: 1\n...\nb: 2\n", 3, 1, "expected '---'"),
}


@pytest.mark.parametrize(("content", "line", "column", "message"), BAD_YAML.values(), ids=BAD_YAML)
def test_bad_yaml_is_placed_and_the_rest_is_read(
    tmp_path: Path, content: str, line: int, column: int, message: str
) -> None:
    """Line and column count in the whole file, and the documents before and after the bad one are still read."""
    inputs = read(tmp_path, f"{SERVICE % 'first'}---\n{content}---\n{SERVICE % 'second'}")
    assert names(inputs) == ["first", "second"]
    (problem,) = inputs.problems
    assert (problem.line, problem.column) == (line + 4, column)
    assert message in problem.message


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        ('{"a": 1,\n "b" 2}', 2, 6, "expected ':'"),
        ('{"a": 1\n "b": 2}', 2, 2, "expected ','"),
        ('{"a": [1, 2', 1, 12, "expecting ',' delimiter"),
        ('{"a": 1', 1, 8, "expected ','"),
        ("{a: 1}", 1, 2, "expected a key in double quotes"),
        ('{"items": [{"a": }]}', 1, 18, "expecting value"),
        ('{"items": [\n{},\n{"a": 1, "a": 2}]}', 3, 0, "key 'a' is given twice"),
        ('{"a": 1, "a": 2}', 1, 0, "key 'a' is given twice"),
        ('{"a": NaN}', 1, 0, "JSON cannot express"),
        ('{"a": -1e999}', 1, 0, "JSON cannot express"),
        ('{"a": ' + "9" * 5000 + "}", 1, 0, "JSON cannot express"),
        ('{"a":\n' + "[" * 200 + "]" * 200 + "}", 2, 0, "nested more than 100 levels"),
        ('{"a":\n' + "[" * 200_000, 2, 0, "nested more than 100 levels"),
        ("", 0, 0, "no Kubernetes object"),
    ],
)
def test_bad_json_is_placed(tmp_path: Path, content: str, line: int, column: int, message: str) -> None:
    """A .json file is held to JSON, with the line, and the column where one is known."""
    (problem,) = read(tmp_path, content, "a.json").problems
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message


ALIAS = "apiVersion: dnsalias.io/v1alpha1\nkind: DnsAlias\nmetadata: {name: x}\nspec: %s\n"
ENTRY = "apiVersion: networking.istio.io/%s\nkind: ServiceEntry\nmetadata: {name: x}\nspec: %s\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("just text", "expected a Kubernetes object with apiVersion and kind, got the text 'just text'"),
        ("a: 1", "got a mapping with a"),
        ("- 1", "got a list"),
        ("apiVersion: v1\nkind: Service", "Service: metadata: required"),
        ("apiVersion: v1\nkind: Service\nmetadata: {}", "metadata.name: expected a name"),
        (SERVICE % "x, namespace: 3", "metadata.namespace: expected a name, got 3; put it in quotes"),
        (SERVICE % "x, namespace: no", "metadata.namespace: expected a name, got false; put it in quotes"),
        (SERVICE % "yes", "metadata.name: expected a name, got true; put it in quotes"),
        (SERVICE % "x, labels: {v: 1.10}", "metadata.labels.v: expected text, got 1.1; put it in quotes"),
        (SERVICE % "x, labels: [a]", "metadata.labels: expected a mapping, got a list"),
        (SERVICE % "x, annotations: {dnsalias.io/repair: false}", "dnsalias.io/repair: expected text, got false"),
        ("apiVersion: v1\nkind: List\nitems: [3]", "got 3"),
        ("apiVersion: v1\nkind: List\nitems: foo", "List: items: expected a list, got the text 'foo'"),
        (SERVICE % "x" + "spec: {ports: {port: 1}}", "Service default/x: spec.ports: expected a list, got a mapping"),
        (SERVICE % "x" + "spec: {clusterIP: 10}", "spec.clusterIP: expected an IP address or None, got 10"),
        (SERVICE % "x" + "spec: {clusterIPs: [10.0.0.1/x]}", "clusterIPs[0]: expected an IP address or None, got the"),
        (ENTRY % ("v1", "{exportTo: [~]}"), "spec.exportTo[0]: expected text, got null; put ~ in quotes"),
        (ENTRY % ("v1", "{endpoints: [null]}"), "spec.endpoints[0]: expected a mapping, got null"),
        (ENTRY % ("v1", "{hosts: a.b}"), "ServiceEntry default/x: spec.hosts: expected a list, got the text 'a.b'"),
        (ENTRY % ("v1", "[]"), "ServiceEntry default/x: spec: expected a mapping, got a list"),
        (ENTRY % ("v1", '{ports: [{number: "443"}]}'), "spec.ports[0].number: expected a number, got the text '443'"),
        (ENTRY % ("v1", "{ports: [{number: true}]}"), "spec.ports[0].number: expected a number, got true"),
        (ENTRY % ("v1", "{endpoints: [{ports: {a: b}}]}"), "spec.endpoints[0].ports.a: expected a number"),
        (ENTRY % ("v2", "{}"), "apiVersion: networking.istio.io has no v2; expected v1 or v1beta1 or v1alpha3"),
        ("apiVersion: dnsalias.io/v1\nkind: DnsAlias\nmetadata: {name: x}", "dnsalias.io has no v1; expected v1alpha1"),
        ("apiVersion: dnsalias.io/v1alpha1\nkind: DNSAlias", "kind: expected DnsAlias, got DNSAlias"),
        ("apiVersion: dnsalias.io/v1alpha1\nkind: Alias", "kind: dnsalias.io has no Alias, expected DnsAlias"),
        ("apiVersion: networking.istio.io/v1\nkind: Serviceentry", "kind: expected ServiceEntry, got Serviceentry"),
    ],
)
def test_what_the_api_server_would_refuse_is_a_problem(tmp_path: Path, content: str, message: str) -> None:
    """Silently taking a field for absent would call a broken manifest clean."""
    (problem,) = read(tmp_path, content).problems
    assert message in problem.message
    assert problem.line >= 1


@pytest.mark.parametrize(
    "content",
    [
        ENTRY % ("v1alpha3", "{hosts: [a.b], ports: null, endpoints: [{address: 1.2.3.4, ports: {a: 1}}], new: [1]}"),
        SERVICE % "x" + "spec: {ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8081}]}",
        "apiVersion: networking.istio.io/v1\nkind: EnvoyFilter\nmetadata: {name: x}\nspec: {ports: 3}",
        "apiVersion: acme.example/v1\nkind: Serviceentry\nmetadata: {name: x}\nspec: 3",
    ],
)
def test_what_the_api_server_takes_is_no_problem(tmp_path: Path, content: str) -> None:
    """Null is absent, unknown fields may have any shape, and other kinds are none of our business."""
    assert read(tmp_path, content).problems == ()


def test_python_is_not_spoken(tmp_path: Path) -> None:
    """A wrong type is named in the words of YAML, with what to do where YAML took a word for something else."""
    (problem,) = read(tmp_path, ALIAS % "{host: a.b, serviceRef: api, ports: 80}").problems
    assert "spec.serviceRef: expected a mapping (got 'api')" in problem.message
    assert "spec.ports: expected a list (got 80)" in problem.message
    (problem,) = read(tmp_path, ALIAS % "{host: null, serviceRef: {name: yes}}").problems
    assert "spec.host: expected text (got null)" in problem.message
    assert "spec.serviceRef.name: expected text (got true); put it in quotes" in problem.message


def test_an_invalid_alias_is_a_problem_that_names_its_field(tmp_path: Path) -> None:
    """The place and the field are told; the object is kept, so that what depends on it is not judged without it."""
    content = "---\napiVersion: dnsalias.io/v1alpha1\nkind: DnsAlias\nmetadata: {name: x}\nspec: {host: hello}\n"
    inputs = read(tmp_path, content)
    assert problems(inputs) == [(2, 0)]
    assert "DnsAlias default/x: spec.host:" in inputs.problems[0].message
    assert "spec.serviceRef: required" in inputs.problems[0].message
    assert names(inputs) == ["x"]


def test_a_file_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    """A missing path is a problem with the system's own word for it."""
    (tmp_path / "a.yaml").write_text(SERVICE % "x")
    inputs = read_files([str(tmp_path / "none.yaml"), str(tmp_path / "a.yaml")], "default")
    assert names(inputs) == ["x"]
    assert [str(problem) for problem in inputs.problems] == [f"{tmp_path}/none.yaml: No such file or directory"]


def test_nothing_at_all_is_a_problem(tmp_path: Path) -> None:
    """A mistyped folder must not pass for a clean one."""
    inputs = read_files([str(tmp_path)], "default")
    assert [str(problem) for problem in inputs.problems] == [f"{tmp_path}: no Kubernetes object found"]


def test_bytes_that_are_no_text_are_a_problem(tmp_path: Path) -> None:
    """The place of the first wrong byte is told."""
    (problem,) = read(tmp_path, b"a: 1\nb: \xff\n").problems
    assert (problem.line, problem.column) == (2, 4)
    assert "expected UTF-8 text, got the byte 0xff" in problem.message


def test_nested_aliases_are_stopped(tmp_path: Path) -> None:
    """A few lines that stand for a billion values take no time and no memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = read(tmp_path, "\n".join(lines)).problems
    assert "aliases expand to more than" in problem.message


def test_half_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    """JSON can say them and UTF-8 cannot; whole pairs stay what they are."""
    content = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\\ud800b\\ud83d\\ude00\\udfff"}}'
    assert names(read(tmp_path, content)) == ["a\ufffdb\U0001f600\ufffd"]


def test_json_and_yaml_agree_on_large_numbers(tmp_path: Path) -> None:
    """Neither keeps digits that the API server would lose."""
    for digits in (2**63, 2**64 - 1, 2**64, 10**30, -(2**63), -(2**63) - 1):
        content = f'{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "x"}}, "n": {digits}}}'
        (as_json,), (as_yaml,) = read(tmp_path, content, "a.json").items, read(tmp_path, f"---\n{content}").items
        assert as_json.raw == as_yaml.raw
        assert type(as_json.raw["n"]) is type(as_yaml.raw["n"])


MANIFEST = SERVICE % "x, labels: &a {b: c}" + "spec: {selector: *a}\n---\n{\"items\": [{}, 1], 'kind': List}\n"


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(MANIFEST)), st.integers(0, 9), st.binary(max_size=3)), max_size=6),
    st.sampled_from(["a.yaml", "a.json"]),
)
def test_no_damage_to_a_file_is_an_error_of_ours(edits: list[tuple[int, int, bytes]], name: str) -> None:
    """Whatever bytes a file has, reading it gives objects and problems with lines that the file has."""
    content = MANIFEST.encode()
    for start, length, replacement in edits:
        content = content[:start] + replacement + content[start + length :]
    with tempfile.TemporaryDirectory() as folder:
        inputs = read(Path(folder), content, name)
    assert inputs.items or inputs.problems
    last = content.count(b"\n") + content.count(b"\r") + 2
    assert all(0 <= problem.line <= last for problem in inputs.problems)
    assert all(item.place and 1 <= item.place.line <= last for item in inputs.items)
