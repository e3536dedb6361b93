"""Settings: which source wins, and that a wrong one is refused with its name and what is legal."""

from pathlib import Path

import pytest

from dnsalias_operator.model.mesh import READ_ONLY, Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell reaches a test."""
    import os  # noqa: PLC0415 (only to look)

    for name in [n for n in os.environ if n.startswith("DNSALIAS_")]:
        monkeypatch.delenv(name)


def refused(flags: dict[str, object] | None = None, config: Path | None = None) -> list[str]:
    """The lines of the refusal."""
    with pytest.raises(SettingsError) as caught:
        load_settings(flags, config)
    return str(caught.value).splitlines()


def written(folder: Path, text: str) -> Path:
    """A configuration file with that text."""
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source counts only for what no stronger one gives; a flag that was not given is None."""
    config = written(tmp_path, "workers: 2\npage_size: 200\nresync_seconds: 20\n")
    monkeypatch.setenv("DNSALIAS_WORKERS", "3")
    monkeypatch.setenv("DNSALIAS_PAGE_SIZE", "300")
    settings = load_settings({"workers": 4, "http_port": None}, config)
    assert (settings.workers, settings.page_size, settings.resync_seconds) == (4, 300, 20)
    assert settings.http_port == Settings.model_fields["http_port"].default


def test_nothing_of_others_is_written_unless_somebody_says_so() -> None:
    """The operator observes by default, wherever its settings come from."""
    assert load_settings().foreign_entries == Rules().foreign_entries == "observe"
    assert not load_settings().rules.repairs


def test_what_is_assumed_counts_least(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the place of a default, and any source wins over it."""
    assumed = {"workers": 7}
    assert load_settings(assumed=assumed).workers == 7
    assert load_settings({"workers": None}, written(tmp_path, "workers: 2\n"), assumed).workers == 2
    monkeypatch.setenv("DNSALIAS_WORKERS", "3")
    assert load_settings(assumed=assumed).workers == 3


@pytest.mark.parametrize("model", [Rules, Mesh])
def test_every_input_of_the_core_is_a_setting_with_the_same_default(model: type[Rules | Mesh]) -> None:
    """A field that the core gains cannot be forgotten here."""
    for name, field in model.model_fields.items():
        if name not in ("mesh", "beside") and name not in READ_ONLY:
            assert name in Settings.model_fields
            assert Settings.model_fields[name].default == field.default
            assert Settings.model_fields[name].annotation == field.annotation


def test_the_core_gets_what_was_set() -> None:
    """Rules and Mesh are built from the flat settings."""
    rules = load_settings({"foreign_entries": "observe", "dns_capture": "true", "namespace": "abc"}).rules
    assert (rules.foreign_entries, rules.mesh.dns_capture, rules.namespace) == ("observe", True, "abc")


def test_lists_are_comma_separated_or_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing a list give the same."""
    monkeypatch.setenv("DNSALIAS_REPAIR_SKIP_NAMESPACES", "a, b,")
    assert load_settings().repair_skip_namespaces == ("a", "b")
    monkeypatch.delenv("DNSALIAS_REPAIR_SKIP_NAMESPACES")
    assert load_settings(config=written(tmp_path, "repair_skip_namespaces: [a, b]\n")).repair_skip_namespaces == (
        "a",
        "b",
    )


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("workers", "0", "expected a whole number at least 1, at most 64"),
        ("log_format", "xml", "expected one of json, console"),
        ("events", "perhaps", "expected true or false"),
        ("resync_seconds", "soon", "expected a number at least 1, at most 86400"),
        ("containment_range", "10.0.0.1/33", "expected an IPv4 CIDR such as 240.241.0.0/16"),
        ("repair_selector", "&&", "expected key=value, key!=value, key in (a,b), key or !key"),
        ("foreign_entries", "fix", "expected one of patch, observe"),
        ("cluster_domain", ".cluster.local", "expected a lower-case DNS name without a dot at either end"),
        ("cluster_domain", "Cluster.Local", "expected a lower-case DNS name without a dot at either end"),
        ("root_namespace", "", "expected a name of lower-case letters, digits and -"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_the_value_and_what_is_legal(name: str, value: str, legal: str) -> None:
    """One line a fault, made for the person who typed it."""
    (line,) = refused({name: value})
    assert line.startswith(f"{name} (flag): {value!r} is not legal: ")
    assert legal in line


def test_all_faults_are_listed_at_once_each_with_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to start three times to find three faults."""
    monkeypatch.setenv("DNSALIAS_LOG_LEVEL", "loud")
    lines = refused({"workers": "many"}, written(tmp_path, "page_size: 1\nforeignEntries: patch\n"))
    assert [line.split(" ")[0] for line in sorted(lines)] == ["foreignEntries", "log_level", "page_size", "workers"]
    assert any("(environment)" in line for line in lines)
    assert any("(file)" in line for line in lines)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("foreignEntries", "foreign_entries"), ("resync-seconds", "resync_seconds"), ("worker", "workers")],
)
def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_legal_name(
    tmp_path: Path, given: str, meant: str
) -> None:
    """A slip in a file never passes silently."""
    (line,) = refused(config=written(tmp_path, f"{given}: x\n"))
    assert line.endswith(f"no such setting; did you mean {meant}?")


def test_a_misspelt_variable_is_refused_and_those_of_kubernetes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Service called dnsalias-web puts DNSALIAS_WEB_PORT into every pod; that is nobody's setting."""
    monkeypatch.setenv("DNSALIAS_WEB_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("DNSALIAS_WEB_PORT", "tcp://10.0.0.1:80")
    load_settings()
    monkeypatch.setenv("DNSALIAS_WORKRS", "3")
    (line,) = refused()
    assert line.startswith("workrs (in the environment): no such setting; did you mean workers?")


TWICE = "foreign_entries: observe\nworkers: 2\nforeign_entries: patch\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "expected a mapping"),
        ("a: [1\n", "config"),
        ("workers: 2\nworkers 3\n", "config"),
        (TWICE, "is given twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Broken YAML and a file of another shape are told with the file's name."""
    (line,) = refused(config=written(tmp_path, text))
    assert message in line
    assert "config.yaml" in line


@pytest.mark.parametrize(
    ("text", "expected"), [("repair_selector:\n", "expected text"), ("host_rules:\n", "expected a list")]
)
def test_a_setting_without_a_value_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """What is left empty is told in the words of YAML."""
    (line,) = refused(config=written(tmp_path, text))
    assert line.endswith(f"(file): None is not legal: {expected}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A --config that does not exist is an error, not a default."""
    (line,) = refused(config=tmp_path / "none.yaml")
    assert "No such file" in line


def test_bounds_that_contradict_each_other_are_refused() -> None:
    """The longest pause cannot be shorter than the first, nor the Lease than what its holder needs to renew it."""
    (line,) = refused({"backoff_min_seconds": 10, "backoff_max_seconds": 5})
    assert line == "backoff_max_seconds is less than backoff_min_seconds"
    (line,) = refused({"lease_seconds": 10})
    assert line.startswith("lease_deadline_seconds is not between twice lease_retry_seconds and lease_seconds")
    (line,) = refused({"lease_retry_seconds": 5})
    assert line.endswith("(10 < 10 < 15)")


RULES = """\
host_default: deny
host_rules:
  - suffixes: [hello, extra.example]
    namespaces: ["*"]
  - suffixes: pay.hello
    namespaces: [payments]
    namespace_selector: team=payments
    export_to: [".", shop]
"""


def test_host_rules_are_read_from_a_file_and_from_one_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of rules reads the same in the file and as YAML text in the environment."""
    from_file = load_settings(config=written(tmp_path, RULES)).rules
    assert [rule.suffixes for rule in from_file.host_rules] == [("hello", "extra.example"), ("pay.hello",)]
    assert from_file.host_rules[1].export_to == (".", "shop")
    monkeypatch.setenv("DNSALIAS_HOST_DEFAULT", "deny")
    monkeypatch.setenv("DNSALIAS_HOST_RULES", RULES.partition("host_rules:\n")[2])
    assert load_settings().rules == from_file


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("{namespaces: [abc]}", "host_rules[0].suffixes (file): required, and not given"),
        ("{suffixes: [], namespaces: [abc]}", "host_rules[0].suffixes (file): Tuple should have at least 1 item"),
        (
            "{suffixes: [hello]}",
            "host_rules[0] (file): it gives these hosts to no namespace; set namespaces or",
        ),
        (
            "{suffixes: ['*.hello'], namespaces: [abc]}",
            "host_rules[0].suffixes (file): '*.hello': expected a lower-case DNS name such as hello or pay.hello",
        ),
        (
            "{suffixes: [hello], namespaces: [Abc]}",
            "host_rules[0].namespaces (file): 'Abc': expected the name of a namespace, or '*' for all",
        ),
        (
            "{suffixes: [hello], namespaceSelector: a=b}",
            "host_rules[0].namespaceSelector (file): no such field; legal: suffixes, namespaces, namespace_selector",
        ),
        (
            "{suffixes: [hello], namespace_selector: 'team = = x'}",
            "host_rules[0].namespace_selector (file): label selector: cannot read 'team = = x'",
        ),
        (
            "{suffixes: [hello], namespaces: [abc], export_to: ['~']}",
            "host_rules[0].export_to (file): '~': expected '*', '.' or the name of a namespace",
        ),
        (
            "{suffixes: [x.svc.cluster.local], namespaces: [abc]}",
            "host_rules[0].suffixes: cluster.local belongs to the cluster domain, and no rule can allow it",
        ),
        ("hello", "host_rules[0] (file): "),
    ],
)
def test_a_wrong_host_rule_is_refused_with_its_place(tmp_path: Path, rule: str, line: str) -> None:
    """The line says which rule and field it is and what is expected, in words for who wrote the file."""
    told = refused(config=written(tmp_path, f"host_rules: [{rule}]\n"))
    assert any(t.startswith(line) for t in told), told


def test_settings_cannot_be_changed() -> None:
    """What the operator was told stays what it was told."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings().workers = 9  # type: ignore[misc]
