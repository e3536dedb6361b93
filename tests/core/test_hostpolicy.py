"""Who may have a host: the longest suffix decides, and a refusal says by which rule and what to do."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.entries.serves_alias import generated_entry
from dnsalias_operator.core.hosts.names import under_suffix
from dnsalias_operator.core.hosts.rules import ruling
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.plan import decide_alias, plan
from dnsalias_operator.model.hostrules import HostRule
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.core import plan_worlds
from tests.core.plan_worlds import Raw
from tools import make

PAY = {"kind": "Namespace", "metadata": {"name": "pay", "labels": {"team": "payments"}}}


def rules(*given: dict[str, Any], default: str = "deny") -> Rules:
    """Rules of these host rules."""
    return Rules.model_validate({"host_rules": given, "host_default": default})


def world(*raws: dict[str, Any]) -> Snapshot:
    """A snapshot of these objects."""
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


def fault(of: Rules, host: str, namespace: str, *raws: dict[str, Any]) -> str:
    """Why the namespace may not have the host, "" where it may."""
    return ruling(world(*raws), of, host, namespace).fault


TEAMS = {"suffixes": ["hello", "extra"], "namespaces": ["abc"]}
PAYMENTS = {"suffixes": ["pay.hello"], "namespace_selector": "team=payments"}


@pytest.mark.parametrize(
    ("host", "namespace", "message"),
    [
        ("web.hello", "abc", ""),
        ("a.b.c.hello", "abc", ""),
        ("web.pay.hello", "pay", ""),
        ("pay.hello", "pay", ""),
        (
            "web.pay.hello",
            "abc",
            (
                "host web.pay.hello is not for namespace abc: host_rules[1] (suffix pay.hello) gives it to namespaces "
                "labelled team=payments (the labels of namespace abc are not known here: its Namespace was not read); "
                "choose one under hello, extra, or have the settings give it to namespace abc"
            ),
        ),
        (
            "web.hello",
            "pay",
            (
                "host web.hello is not for namespace pay: host_rules[0] (suffix hello) gives it to namespace abc; "
                "choose one under pay.hello, or have the settings give it to namespace pay"
            ),
        ),
        (
            "web.other",
            "shop",
            (
                "host web.other is under no suffix of host_rules, and host_default is deny; choose another host, or "
                "have the settings give it to namespace shop"
            ),
        ),
        ("webpay.hello", "abc", ""),
        ("xhello.x", "abc", "host xhello.x is under no suffix"),
    ],
)
def test_the_longest_suffix_decides(host: str, namespace: str, message: str) -> None:
    """A refusal names host, namespace, rule and suffix, who has it, and which suffixes are open to the namespace."""
    found = fault(rules(TEAMS, PAYMENTS), host, namespace, PAY)
    assert found == message or (message.endswith("no suffix") and found.startswith(message))


def test_rules_of_one_suffix_add_up() -> None:
    """Two rules for one suffix let in whom either names; the first that does sets the ceiling."""
    both = rules(
        {"suffixes": ["hello"], "namespaces": ["abc"], "export_to": ["."]},
        {"suffixes": ["hello"], "namespaces": ["abc", "shop"]},
    )
    assert ruling(world(), both, "web.hello", "shop").name == "host_rules[1] (suffix hello)"
    first = ruling(world(), both, "web.hello", "abc")
    assert first.rule is not None
    assert first.rule.export_to == (".",)
    assert "gives it to namespace abc and namespace abc, shop" in fault(both, "web.hello", "data")


def test_a_rule_for_nobody_closes_a_suffix() -> None:
    """An explicitly empty list of namespaces gives the names under it to nobody."""
    closed = rules({"suffixes": ["hello"], "namespaces": ["*"]}, {"suffixes": ["old.hello"], "namespaces": []})
    assert fault(closed, "web.hello", "abc") == ""
    assert "(suffix old.hello) gives it to nobody" in fault(closed, "web.old.hello", "abc")


def test_without_rules_every_host_is_allowed() -> None:
    """The default is what was before there were rules."""
    assert fault(Rules(), "web.hello", "abc") == ""


def test_a_long_list_of_namespaces_is_cut_in_messages() -> None:
    """A rule with a thousand namespaces makes no message of a thousand names."""
    many = rules({"suffixes": ["hello"], "namespaces": [f"n-{n}" for n in range(1000)]})
    assert "gives it to namespace n-0, n-1, n-2, n-3, n-4, …;" in fault(many, "web.hello", "abc")


@pytest.mark.parametrize(
    ("export_to", "expected"),
    [
        (None, "the alias is accepted; host_rules[0] (suffix hello) limits exportTo to ., shop"),
        (["shop"], "the alias is accepted"),
        (["*"], "the alias is accepted; host_rules[0] (suffix hello) limits exportTo to ., shop"),
    ],
)
def test_a_narrowed_alias_says_so(export_to: list[str] | None, expected: str) -> None:
    """Whoever is seen in fewer namespaces than asked for reads which rule it was."""
    ports = [make.port(80, "http")]
    service = make.service("web", ports=ports, ip="10.96.0.1", namespace="abc", selector={"app": "web"})
    exported: dict[str, Any] = {"exportTo": export_to} if export_to else {}
    alias = make.alias("web", "web.hello", "web", namespace="abc", **exported)
    near = rules({"suffixes": ["hello"], "namespaces": ["abc"], "export_to": [".", "shop"]})
    decided = decide_alias(world(service, alias), Key("DnsAlias", "abc", "web"), near)
    assert decided is not None
    assert decided.conditions[0].message == expected


labels = st.sampled_from(["hello", "pay", "a", "b"])
names = st.lists(labels, min_size=1, max_size=4).map(".".join)
namespaces = st.sampled_from(["abc", "pay", "shop"])
host_rules = st.builds(
    HostRule,
    suffixes=st.lists(names, min_size=1, max_size=3).map(tuple),
    namespaces=st.lists(namespaces, max_size=2).map(tuple),
    namespace_selector=st.sampled_from(["", "team=payments", "team!=payments"]),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(given=st.lists(host_rules, max_size=4), host=names, namespace=namespaces, data=st.data())
def test_it_is_allowed_where_a_rule_of_the_longest_suffix_names_the_namespace(
    given: list[HostRule], host: str, namespace: str, data: st.DataObject
) -> None:
    """Whatever the rules and their order: the answer is that of the definition."""
    of = Rules(host_rules=tuple(data.draw(st.permutations(given))), host_default="deny")
    covering = [s for rule in given for s in rule.suffixes if under_suffix(host, s)]
    longest = [rule for rule in given if covering and max(covering, key=len) in rule.suffixes]
    labelled = {"pay": {"team=payments"}, "abc": {"team!=payments"}}
    allowed = any(
        namespace in rule.namespaces or rule.namespace_selector in labelled.get(namespace, set()) for rule in longest
    )
    plain = {"kind": "Namespace", "metadata": {"name": "abc"}}
    assert (fault(of, host, namespace, PAY, plain) == "") is allowed


teams = st.sampled_from(
    (
        (HostRule(suffixes=("hello",), namespaces=("abc",)),),
        (HostRule(suffixes=("api.hello",), namespaces=("*",), export_to=(".", "data")),),
        (
            HostRule(suffixes=("hello",), namespaces=("*",)),
            HostRule(suffixes=("db.hello",), namespaces=("data",), export_to=(".",)),
        ),
    )
)


@settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(raws=plan_worlds.worlds(), host_rules=teams, default=st.sampled_from(("allow", "deny")))
def test_a_plan_keeps_to_the_host_rules(raws: list[Raw], host_rules: tuple[HostRule, ...], default: str) -> None:
    """No entry is generated for a host that its namespace may not have, nor seen further than the rule lets it."""
    of = Rules.model_validate({"host_rules": host_rules, "host_default": default})
    before = world(*raws)
    decided = plan(before, of)
    assert plan(decided.after, of).changes == ()
    for alias in decided.after.aliases():
        entry = generated_entry(decided.after, alias)
        found = ruling(before, of, alias.spec.host if alias.spec else "", alias.meta.namespace)
        if entry is not None:
            assert found.fault == ""
            ceiling = Scope.of(found.rule.export_to if found.rule else ("*",), alias.meta.namespace, ())
            seen = Scope.of(entry.export_to, alias.meta.namespace, ())
            assert seen.narrowed(ceiling) == seen
