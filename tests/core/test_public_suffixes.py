"""The Public Suffix List as it is read here, which is faster than the library's own reading, says the same."""

from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList, encode_idn

from dnsalias_operator.core.hosts.names import public_suffix


def test_every_rule_says_what_the_library_says() -> None:
    """For names at, under and above each rule, as written and in IDNA form."""
    library = PublicSuffixList(accept_unknown=False)
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    rules = [line.strip().lstrip("!") for line in lines if line.strip() and not line.startswith("//")]
    assert len(rules) > 9000
    assert any(not rule.isascii() for rule in rules)
    for rule in rules:
        name = rule.replace("*", "any")
        for host in (name, f"a.{name}", f"b.a.{name}", name.partition(".")[2]):
            for form in {host, encode_idn(host)} if host else ():
                assert public_suffix(form) == (library.publicsuffix(form) or ""), form


def test_a_name_that_the_list_does_not_know_has_none() -> None:
    """These are what aliases are for."""
    assert public_suffix("api.hello") == ""
    assert public_suffix("") == ""
