"""Which releases are tried to explain a difference."""

import re
from pathlib import Path

from dnsalias_operator import core
from dnsalias_operator.core.advice.verify.settings import RELEASES
from dnsalias_operator.model.release import Release

SINCE = re.compile(r"since\(1, (\d+)(?:, (\d+))?\)")


def test_a_release_on_each_side_of_every_rule_is_tried() -> None:
    """A rule that holds since some patch needs an earlier patch of that minor in the list, and a later one."""
    sources = (path.read_text() for path in Path(core.__path__[0]).rglob("*.py"))
    rules = {(int(minor), int(patch or 0)) for text in sources for minor, patch in SINCE.findall(text)}
    tried = [Release.parse(release) for release in RELEASES]
    assert len(rules) > 5
    for minor, patch in (rule for rule in rules if rule[0] > 20):
        assert any((r.minor, r.patch) >= (minor, patch) and r.minor == minor for r in tried), (minor, patch)
        assert any((minor - 1, 0) <= (r.minor, r.patch) < (minor, patch) for r in tried), (minor, patch)
        assert not patch or any(r.minor == minor and r.patch < patch for r in tried), (minor, patch)
