"""Every reason word that the program can give, read out of its source: what the documents have to explain."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "operator" / "dnsalias_operator"
DECIDING = (
    "core/aliases/refusals.py",
    "core/hosts/holders.py",
    "core/aliases/case.py",
    "core/aliases/decide.py",
    "core/entries/decide.py",
    "core/entries/repair.py",
    "core/entries/destination.py",
    "core/entries/stands_for.py",
    "core/entries/unfixed.py",
    "core/entries/observe.py",
    "core/changes.py",
    "core/advice/adoptable.py",
    "core/advice/adopt.py",
    "shell/working/verdicts.py",
)
WORD = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-zA-Z]+)*")
NO_REASONS = frozenset({"DnsAlias", "Service", "ServiceEntry", "ExternalName", "Lacks", "And"}) | frozenset(
    {"Generated", "Patched", "True", "False", "Unknown", "Apply"}
)
"""Kinds, types of Services, parts of a word that is put together, modes, statuses, an operation of managedFields.

Generated is a reason as well: see GIVEN.
"""
GIVEN = frozenset({"Generated", "LacksAddresses", "LacksEndpoints", "LacksAddressesAndEndpoints"})
"""Reasons that are put together, or that share their word with a mode."""


def reasons() -> frozenset[str]:
    """Every reason of a condition, of an unfixed entry, or of a write."""
    return reasons_in(*DECIDING) | GIVEN


def reasons_in(*paths: str) -> frozenset[str]:
    """The reasons that these modules give, as far as they stand there in one piece."""
    return frozenset(word for path in paths for word in _words(PACKAGE / path)) - NO_REASONS


def _words(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = set(_prose(ast.walk(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from WORD.findall(node.value) if WORD.fullmatch(node.value) else ()


def _prose(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """Identities of the constants inside of f-strings: sentences for people."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)
