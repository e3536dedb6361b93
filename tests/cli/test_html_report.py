"""`dnsalias lint -o html` without a browser: what the page says, and that nothing on it comes from elsewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dnsalias_operator.cli.printing.report.drawing import cells, drawings, fitted, sentence
from dnsalias_operator.cli.printing.report.ports import MOST_CLASSES, Port, World, ports
from dnsalias_operator.core.findings.catalog import CATCH_ALL
from dnsalias_operator.core.outcome import Severity
from dnsalias_operator.core.plan import lint, plan
from dnsalias_operator.core.traffic.catch_all import catches_now
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.meta import Raw
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.cli.conftest import CLEAN, INCIDENT, Invoke
from tests.core import plan_worlds
from tests.core.listener_worlds import PORT, VIP, entry, service, sidecar
from tools import make

EXAMPLE = Path(__file__).parents[2] / "examples" / "incident"
RULES = make.rules()
TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a header main footer section article nav h1 h2 h3 h4 p dl dt dd div span b "
        "strong code pre ul li figure figcaption svg g rect path polygon text "
        "details summary table thead tbody tr th td",
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"[\w-]+",
        "lang charset name content http-equiv class href id aria-label aria-labelledby role viewbox d points x y rx "
        "width height open tabindex scope data-label",
    )
)


class Page(HTMLParser):
    """A page taken apart: tags, attributes, text."""

    def __init__(self, html: str) -> None:
        """Read it all."""
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.add(tag)
        self.style = tag == "style"
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Note it, unless it is the style sheet."""
        if not self.style and data.strip():
            self.text.append(" ".join(data.split()))
        self.style = False

    def said(self, name: str) -> list[str]:
        """Values of an attribute."""
        return [value for found, value in self.attributes if found == name]


def page(invoke: Invoke, *arguments: str | Path, stdin: str = "") -> Page:
    """The page of a run."""
    html = invoke("lint", "-o", "html", *arguments, stdin=stdin).stdout
    assert html.startswith("<!doctype html>")
    assert html.isascii()
    return Page(html)


def test_the_first_line_says_how_bad_it_is(invoke: Invoke) -> None:
    """Ports, what becomes of the connections, what the plan does, and the numbers now and after it."""
    text = page(invoke, "-f", EXAMPLE).text
    assert "Traffic on ports 443 and 3306 goes to the wrong destination" in text
    (lead,) = [line for line in text if line.startswith("Connections go to entries")]
    assert lead.endswith("The operator's plan fixes this with 5 writes and leaves 1 finding to you.")
    told = " ".join(text)
    assert "critical 4 0 after the plan warning 8 1 after the plan info 0 planned 5 writes read 10 objects" in told


def test_every_catch_all_is_drawn(invoke: Invoke) -> None:
    """The one that takes traffic now, from whom, and those that wait; after the plan it passes through."""
    shown = page(invoke, "-f", EXAMPLE)
    said = shown.said("aria-label")
    anything = "From every namespace, a connection to any other address"
    catching = "ServiceEntry for traefik.cutom-name abc/traefik-cutom-name"
    # Each twice: the wide drawing and the narrow one.
    assert said.count(f"{anything}:443 ends: {catching}.") == 2
    assert said.count(f"{anything}:443 ends: passes through the sidecar where it was sent.") == 2
    assert said.count(f"{anything}:3306 ends: ServiceEntry for mysql.cutom-name data/mysql-cutom-name.") == 2
    assert shown.text.count("next in line") == 4
    found = json.loads(invoke("lint", "-f", EXAMPLE, "-o", "json").stdout)["findings"]
    caught = {f"{f['namespace']}/{f['name']}" for f in found if f["code"] == "DA001"}
    assert caught <= set(shown.text)


def test_listeners_are_set_side_by_side(invoke: Invoke) -> None:
    """What the plan changes comes first, what it leaves is counted."""
    told = " ".join(page(invoke, "-f", EXAMPLE).text)
    assert (
        "0.0.0.0 anything else abc/traefik-cutom-name ServiceEntry for traefik.cutom-name where it was sent passes "
        "through the sidecar" in told
    )
    assert "everything no such match shop/checkout-cutom-name" in told
    assert "2 more do not change." in told


def test_it_says_from_where_and_when_it_is(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths, or the context, and the time of SOURCE_DATE_EPOCH; what is no such time is ignored."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    told = " ".join(page(invoke, "-f", EXAMPLE).text)
    assert f"dnsalias lint of {EXAMPLE}, 2026-01-01 00:00 UTC" in told
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "9" * 40)
    assert "00:00 UTC 2026-01-01" not in " ".join(page(invoke, "-f", EXAMPLE).text)


def test_the_same_input_gives_the_same_bytes(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock but that of SOURCE_DATE_EPOCH, no order of hashes."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    first, second = (invoke("lint", "-f", EXAMPLE, "-o", "html").stdout for _ in range(2))
    assert first == second


def test_nothing_on_the_page_comes_from_elsewhere(invoke: Invoke) -> None:
    """No script, no address but those of the page itself, and a policy that would let none of it load."""
    html = invoke("lint", "-f", EXAMPLE, "-o", "html").stdout
    shown = Page(html)
    assert shown.tags <= TAGS
    assert {name for name, _ in shown.attributes} <= ATTRIBUTES
    assert all(href.startswith("#") for href in shown.said("href"))
    assert {href[1:] for href in shown.said("href")} <= set(shown.said("id"))
    assert len(set(shown.said("id"))) == len(shown.said("id"))
    assert not re.search(r"url\(|@import|https?:", html)
    assert any(policy.startswith("default-src 'none'") for policy in shown.said("content"))


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '\\" onload=\\"alert(1)',
        "</style></title></svg><img src=x onerror=alert(1)>",
        "{{ 7*7 }}{% raw %}",
        "javascript:alert(1)",
        "x\\e[31m\\u202egnp.exe",
        "&lt;b&gt;",
        "x" * 5000,
    ],
)
def test_hostile_input_stays_text(invoke: Invoke, hostile: str) -> None:
    """In names, hosts, endpoints and labels: the page has the same elements as ever, and shows what was written."""
    world = INCIDENT.replace("name: traefik-cutom-name", f'name: "{hostile}"')
    world = world.replace(
        "hosts: [traefik.cutom-name]", f'hosts: ["{hostile}"]\n  endpoints: [{{address: "{hostile}"}}]'
    )
    world = world.replace("host: service-api.hello", f'host: "{hostile}"')
    shown = page(invoke, "-f", "-", stdin=world)
    assert shown.tags <= TAGS
    assert {name for name, _ in shown.attributes} <= ATTRIBUTES
    assert all(href.startswith("#") for href in shown.said("href"))
    told = "".join(shown.text)
    plain = hostile.replace('\\"', '"').replace("\\e", "\\x1b").replace("\\u202e", "\\x202e")
    assert "".join(plain.split()) in "".join(told.split())
    assert not {char for char in told if not char.isprintable()}


def test_a_clean_world_is_said_to_be_one(invoke: Invoke) -> None:
    """Short and green."""
    shown = page(invoke, "-f", "-", stdin=CLEAN)
    assert "Nothing found" in shown.text
    assert "good" in shown.said("class")
    assert "svg" not in shown.tags


def test_unread_input_is_told_at_the_top(invoke: Invoke) -> None:
    """A page about half the input must not pass for one about all of it."""
    result = invoke("lint", "-f", "/nowhere.yaml", "-o", "html")
    assert result.exit_code == 2
    shown = Page(result.stdout)
    assert "Part of the input could not be read." in shown.text
    assert "/nowhere.yaml: No such file or directory" in shown.text
    assert "Nothing found in what was read" in shown.text
    assert "good" not in shown.said("class")


def test_several_worlds_have_their_findings_on_one_page(invoke: Invoke, tmp_path: Path) -> None:
    """Each with its file and world; plan and drawings are of one world, and the page says so."""
    for name in ("dev", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text("resources: [all.yaml]\n")
        (tmp_path / name / "all.yaml").write_text(INCIDENT)
    shown = page(invoke, "-f", tmp_path)
    told = " ".join(shown.text)
    for name in ("dev", "prod"):
        assert f"{tmp_path}/{name}/all.yaml:16 in {tmp_path}/{name}" in " ".join(told.split())
    assert "There are several worlds" in told
    assert "svg" not in shown.tags


def test_accepted_findings_are_counted_and_not_shown(invoke: Invoke, tmp_path: Path) -> None:
    """Nor are they counted as something that the plan leaves; what it turns them into is new, and is."""
    baseline = tmp_path / "baseline.json"
    invoke("lint", "-f", EXAMPLE, "--baseline", baseline, "--write-baseline")
    shown = page(invoke, "-f", EXAMPLE, "--baseline", baseline)
    told = " ".join(shown.text)
    assert f"No entry and no alias has a finding beyond what {baseline} accepts." in told
    assert "critical 0 warning 0 1 after the plan info 0" in told
    assert "12 more findings accepted in" in told


def test_what_is_only_observed_is_told_as_such(invoke: Invoke) -> None:
    """Nothing is said to be mended that nobody would write."""
    shown = page(invoke, "-f", EXAMPLE, "--foreign-entries", "observe")
    told = " ".join(shown.text)
    assert "fixed by the plan" not in told
    assert "What it only observes not written: repair ServiceEntry abc/traefik-cutom-name" in told
    assert "leaves 11 findings to you, 4 of them critical" in told


def test_a_blocked_port_is_not_said_to_pass_through(invoke: Invoke) -> None:
    """Under REGISTRY_ONLY what nobody takes ends nowhere."""
    shown = page(invoke, "-f", EXAMPLE, "--outbound-traffic-policy", "REGISTRY_ONLY")
    assert "nowhere" in shown.text
    assert "where it was sent" not in shown.text


def test_an_entry_that_takes_a_services_address_is_drawn(invoke: Invoke) -> None:
    """Not only catch-alls: who takes a Service's clusterIP is red as well."""
    world = INCIDENT.replace(
        "  resolution: DNS\n  hosts: [traefik", "  addresses: [10.96.0.10]\n  resolution: DNS\n  hosts: [traefik"
    )
    shown = page(invoke, "-f", "-", stdin=world.replace("name: https, port: 443", "name: http, port: 443"))
    assert "Traffic on port 443 goes to the wrong destination" in shown.text
    assert "box end taken" in shown.said("class")
    (told, *_) = [alt for alt in shown.said("aria-label") if "10.96.0.10:443" in alt]
    assert told.endswith("ends: ServiceEntry for traefik.cutom-name abc/traefik-cutom-name.")


def test_pods_that_get_different_listeners_are_drawn_apart() -> None:
    """A catch-all that only its own namespace sees takes what begins there, and another one the rest."""
    mine = entry("mine", namespace="own", hosts=("b.hello",), protocol="TCP", addresses=(), export_to=["."])
    all_s = entry("all-s", hosts=("a.hello",), protocol="TCP", addresses=())
    (port,) = shown_of(Snapshot([mine, all_s, sidecar("./*", namespace="calm")]))
    assert [view.pods for view in port.views] == ["every namespace but calm, own", "namespace own"]
    told = sentence(port, lambda _: "", then=False)
    anything = "a connection to any other address:443 ends: ServiceEntry"
    assert told == f"From every namespace but calm, own, {anything} abc/all-s. From namespace own, {anything} own/mine."


def test_a_catch_all_by_its_range_is_drawn_as_one() -> None:
    """A range as wide as everything makes a chain of its own before the default one, which then gets nothing."""
    wide = entry("wide", hosts=("a.hello",), protocol="TCP", resolution="NONE", addresses=("0.0.0.0/1", "10.96.0.1"))
    (port,) = shown_of(Snapshot([wide]))
    assert port.taking == (wide.key,)
    assert "ends: ServiceEntry abc/wide." in sentence(port, lambda _: "", then=False)


def test_catch_alls_with_routes_of_one_name_are_told_apart() -> None:
    """HTTP_PROXY ports have the port's number for a route, whoever they belong to."""
    proxies = [
        entry("proxy", namespace=name, hosts=(f"{name}.hello",), protocol="HTTP_PROXY", port=80, export_to=["."])
        for name in ("ours", "theirs")
    ]
    (port,) = shown_of(Snapshot(proxies))
    assert port.taking == tuple(proxy.key for proxy in proxies)
    assert [view.pods for view in port.views] == [
        "namespace ours",
        "namespace theirs",
        "every namespace but ours, theirs",
    ]


def test_a_mesh_of_many_sidecars_is_cut_short() -> None:
    """The page says how many classes of pods it left out, and does not look at all of them."""
    catcher = entry("catcher", hosts=("a.hello",), protocol="TCP", addresses=())
    apart = [sidecar("abc/*", f"n{n:03}/*", namespace=f"n{n:03}") for n in range(MOST_CLASSES + 20)]
    own = [service(f"s{n:03}", namespace=f"n{n:03}", ips=(f"10.96.1.{n}",)) for n in range(MOST_CLASSES + 20)]
    (port,) = shown_of(Snapshot([catcher, *apart, *own]))
    assert port.unseen >= 20
    assert sum(len(view.lines) > 0 for view in port.views) <= MOST_CLASSES


def shown_of(world: Snapshot, rules: Rules = RULES) -> list[Port]:
    """The ports that a page about this world would show."""
    decided = plan(world, rules)
    now = World(world, rules.mesh, lint(world, rules))
    then = World(decided.after, rules.mesh, lint(decided.after, rules))
    return ports(now, then, [change.key for change in decided.changes])


def test_an_address_that_nobody_loses_is_not_taken() -> None:
    """Of two catch-alls the second waits, though it lists a clusterIP whose Service has no such port."""
    first = entry("db", created=2)
    second = entry("web", created=3, addresses=("0.0.0.0", VIP))  # noqa: S104 (what it listens on)
    (port,) = shown_of(Snapshot([service("api", port=PORT + 1, created=1), first, second]))
    assert (port.taking, port.waiting) == ((first.key,), (second.key,))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(raws=plan_worlds.worlds(), rules=plan_worlds.rules)
def test_the_page_says_what_the_model_says(raws: list[Raw], rules: Rules) -> None:
    """Whatever the world: every catch-all is on the page, told to take or to wait as the guard says, and drawn red."""
    world = Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)
    shown = {port.number: port for port in shown_of(world, rules)}
    found = lint(world, rules)
    for finding in found:
        if finding.code == CATCH_ALL.code and finding.severity is Severity.CRITICAL:
            entry_ = world.entry(finding.key.namespace, finding.key.name)
            assert entry_ is not None
            assert finding.port is not None
            port = shown[finding.port]
            catches = catches_now(world, entry_, rules.mesh, finding.port)
            # One that waits here may take a Service's address on the same port.
            others = [f for f in found if (f.key, f.port) == (finding.key, finding.port) and f is not finding]
            assert (finding.key in port.taking) >= bool(catches)
            assert (finding.key in port.taking) == bool(catches) or others
            assert (finding.key in port.waiting) is not (finding.key in port.taking)
    for port in shown.values():
        for then in (False, True):
            for drawing in drawings(port, lambda _: "", then=then):
                assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in drawing.boxes)
                assert all(box.y + box.height <= drawing.height for box in drawing.boxes)
                red = [box for box in drawing.boxes if "taken" in box.kind]
                assert bool(red) is any(m.taken for view in port.views for m in view.matches(then=then))


@pytest.mark.parametrize("text", ["", "short", "x" * 400, "\u6771\u4eac" * 40, "a" + "\u6771" * 300])
def test_text_is_cut_to_its_box(text: str) -> None:
    """By columns, not characters: what is left fits, begins and ends as the text does."""
    kept = fitted(text, 200, 8)
    assert cells(kept) <= (200 - 24) // 8
    assert kept == text or (kept[0], kept[-1], "\u2026" in kept) == (text[0], text[-1], True)
