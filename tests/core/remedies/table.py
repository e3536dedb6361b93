"""Every remedy, with the edits that it asks for: one for each alternative that the text offers.

A text that matches no rule, or several, is a fault: a new remedy comes with its edit.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dnsalias_operator.core.outcome import Finding
from tests.core.remedies.of_aliases import OF_ALIASES
from tests.core.remedies.of_entries import OF_ENTRIES
from tests.core.remedies.of_findings import OF_FINDINGS
from tests.core.remedies.rule import Rule

EVERY: tuple[Rule, ...] = (*OF_FINDINGS, *OF_ENTRIES, *OF_ALIASES)
HANDED_ON = re.compile(r"(?P<reason>\w+): ServiceEntry (?P<entry>[\w-]+/[\w.-]+): (?P<rest>.*)")
"""The message of an alias that has its reason from the entry that serves it."""
BY_REASON = re.compile(r"make the edit that reason (?P<reason>\w+) asks for: (?P<rest>.*)")
DECISIONS = frozenset({"DA011", "DA014", "DA015", "DA016"})
"""Codes whose remedy is in the message."""


class Remedy(NamedTuple):
    """A remedy as it stands in the table; ``entry`` is the namespace and name of whom the text is about instead."""

    finding: Finding
    rule: Rule
    match: re.Match[str]
    entry: str = ""


def text_of(finding: Finding) -> str:
    """What is to be done: the remedy, or the message where that names it."""
    if finding.code in DECISIONS:
        return finding.message
    by_reason = BY_REASON.fullmatch(finding.remedy)
    return f"{by_reason['reason']}: {by_reason['rest']}" if by_reason else finding.remedy


def remedies(finding: Finding) -> Iterator[Remedy]:
    """What the table has for a finding; anything but one is a fault."""
    text, entry = text_of(finding), ""
    rules = OF_FINDINGS
    if finding.code in DECISIONS or BY_REASON.fullmatch(finding.remedy):
        rules = OF_ALIASES if finding.code == "DA014" else OF_ENTRIES
    if finding.code == "DA014" and (on := HANDED_ON.fullmatch(text)):
        text, rules, entry = f"{on['reason']}: {on['rest']}", OF_ENTRIES, on["entry"]
    for rule in rules:
        if match := rule.pattern.fullmatch(text):
            yield Remedy(finding, rule, match, entry)


def follows_as_asked(new: Finding, asked: Finding) -> bool:
    """Whether it is what somebody asked for who gives a host to an alias: others that claim it too stand behind."""
    given = asked.message.startswith(("HostHeld:", "HostNotAllowed:"))
    held = new.message.startswith("HostHeld:") and f" is held by {asked.key}," in new.message
    claimed = new.code == "DA007" and f" {asked.key.namespace}/{asked.key.name} too" in new.message
    return given and (held or claimed)
