"""Where the traffic of one port goes, as boxes and arrows: wide for a desk, narrow for a phone. Geometry only."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from dnsalias_operator.cli.printing.report import words
from dnsalias_operator.cli.printing.report.ports import Port, View
from dnsalias_operator.cli.printing.report.words import Hosts, Label
from dnsalias_operator.cli.terminal import count

MOST_OWN = 3
"""Most single-address listeners that are drawn one by one; the others are counted."""
MOST_WAITING = 3
"""Most waiting catch-alls that are drawn one by one; the others are counted."""
ROW, GAP = 54, 12
"""Height of a box and space between two, in units of the drawing (CSS pixels at full width)."""
_TITLE_UNIT, _NOTE_UNIT, _PADDING = 7.9, 6.4, 12
"""Widest character of the two lines' fonts, and the space on both sides of them."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with two lines; ``kind`` is a CSS class, ``full`` what did not fit."""

    x: int
    y: int
    width: int
    kind: str
    title: str
    note: str
    full: str
    height: int = ROW

    @property
    def middle(self) -> float:
        """Height at which arrows meet it."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line with a head; ``path`` and ``head`` (the corners of a triangle) are SVG's, ``kind`` a CSS class."""

    kind: str
    path: str
    head: str


@dataclass(slots=True)
class Drawing:
    """Boxes and arrows on ``width`` by ``height`` units, and the same as a sentence for screen readers."""

    width: int
    alt: str
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def box(self, x: int, y: int, width: int, kind: str, label: Label) -> Box:
        """Add a box; text that is too long for it is shortened in the middle."""
        title, note = fitted(label.title, width, _TITLE_UNIT), fitted(label.note, width, _NOTE_UNIT)
        full = "" if (title, note) == (label.title, label.note) else f"{label.title}: {label.note}"
        box = Box(x, y, width, kind, title, note, full)
        self.boxes.append(box)
        self.height = max(self.height, y + ROW + 2)
        return box

    def across(self, start: Box, end: Box, kind: str) -> None:
        """An arrow from the right side of a box to the left side of another."""
        x1, x2 = start.x + start.width, end.x - 9
        bend = (x1 + x2) / 2
        curve = f"M{x1} {start.middle:g} C{bend:g} {start.middle:g} {bend:g} {end.middle:g} {x2} {end.middle:g}"
        self.arrows.append(Arrow(kind, curve, _right(end.x, end.middle)))

    def down(self, start: Box, end: Box, kind: str) -> None:
        """An arrow from the bottom of a box to the top of another."""
        x = start.x + start.width / 2
        y = end.y
        head = f"{x - 7:g},{y - 10} {x + 7:g},{y - 10} {x:g},{y - 1}"
        self.arrows.append(Arrow(kind, f"M{x:g} {start.y + start.height} V{y - 9}", head))

    def behind(self, first: Box, waiter: Box) -> None:
        """A dashed arrow from a box to one further below and to the right."""
        x = (first.x + waiter.x) / 2
        path = f"M{x:g} {first.y + first.height} V{waiter.middle:g} H{waiter.x - 9}"
        self.arrows.append(Arrow("waits", path, _right(waiter.x, waiter.middle)))


def _right(x: float, y: float) -> str:
    """An arrow's head that points to the right, just short of ``x``."""
    return f"{x - 10},{y - 7:g} {x - 10},{y + 7:g} {x - 1},{y:g}"


@dataclass(frozen=True, slots=True)
class _Flow:
    meant: Label
    ends: Label
    kind: str
    rest: bool


def drawings(port: Port, hosts: Hosts, *, then: bool) -> tuple[Drawing, Drawing]:
    """The wide and the narrow drawing of a port, now or after the plan (``then``)."""
    alt = sentence(port, hosts, then=then)
    return _wide(port, hosts, alt, then=then), _narrow(port, hosts, alt, then=then)


def sentence(port: Port, hosts: Hosts, *, then: bool) -> str:
    """What the drawing shows, in words."""
    parts = []
    for view in port.views:
        flows = _flows(view, hosts, then=then)
        wrong = [flow for flow in flows if flow.kind == "taken"] or flows[:1]
        parts += [
            f"From {view.pods}, a connection to {f.meant.title} ends: {f.ends.note} {f.ends.title}." for f in wrong
        ]
    return " ".join(parts)


def _wide(port: Port, hosts: Hosts, alt: str, *, then: bool) -> Drawing:
    made, y, last = Drawing(900, alt), 1, len(port.views) - 1
    for index, view in enumerate(port.views):
        pods = made.box(1, y, 179, "pods", Label("any pod in", view.pods))
        for flow in _flows(view, hosts, then=then):
            left = made.box(250, y, 270, f"meant {flow.kind}", flow.meant)
            right = made.box(600, y, 299, f"end {flow.kind}", flow.ends)
            made.across(pods, left, flow.kind)
            made.across(left, right, flow.kind)
            y += ROW + GAP
            for label in _waiting(port, flow, then=then):
                made.behind(right, made.box(640, y, 259, "end waits", label))
                y += ROW + GAP
        y += 2 * GAP if index < last else 0
    return made


def _narrow(port: Port, hosts: Hosts, alt: str, *, then: bool) -> Drawing:
    """Only what is not as it should be, or any other address where everything is; the rest in one box."""
    made, y, step = Drawing(330, alt), 1, ROW + 26
    for view in port.views:
        flows = _flows(view, hosts, then=then)
        above = made.box(1, y, 328, "pods", Label("any pod in", view.pods))
        for flow in [flow for flow in flows if flow.kind == "taken"] or flows[:1]:
            left = made.box(1, y + step, 328, f"meant {flow.kind}", flow.meant)
            right = made.box(1, y + 2 * step, 328, f"end {flow.kind}", flow.ends)
            made.down(above, left, flow.kind)
            made.down(left, right, flow.kind)
            y += 2 * step
            for label in _waiting(port, flow, then=then):
                y += ROW + GAP
                made.behind(right, made.box(41, y, 288, "end waits", label))
            above = right
        own = sum(words.kind(match) == "own" for match in view.matches(then=then))
        if own:
            y += ROW + GAP
            made.box(1, y, 328, "end own", _others(own, port.number))
        y += ROW + 2 * GAP
    return made


def _flows(view: View, hosts: Hosts, *, then: bool) -> list[_Flow]:
    """What is drawn of a view: all that is taken, any other address, and a few of the rest."""
    matches = view.matches(then=then)
    always = [match for match in matches if match.taken or match.rest]
    own = [match for match in matches if match not in always]
    drawn = [*always, *own[:MOST_OWN]]
    flows = [_Flow(words.meant(match), words.ends(match, hosts), words.kind(match), match.rest) for match in drawn]
    if len(own) > MOST_OWN:
        rest = _others(len(own) - MOST_OWN, own[0].row.port)
        flows.append(_Flow(rest, Label("each to its owner", "as it should be"), "own", rest=False))
    return flows


def _others(number: int, port: int) -> Label:
    return Label(f"{count(number, 'other', 'others')} on port {port}", "by names or addresses of their own")


def _waiting(port: Port, flow: _Flow, *, then: bool) -> Iterable[Label]:
    if then or not flow.rest or flow.kind != "taken":
        return []
    waiting = [Label(f"{key.namespace}/{key.name}", "next in line") for key in port.waiting[:MOST_WAITING]]
    more = len(port.waiting) - MOST_WAITING
    return [*waiting, Label(f"{more} more", "in line behind these")] if more > 0 else waiting


def fitted(text: str, width: int, unit: float) -> str:
    """``text``, or as much of both its ends as fits into a box of ``width`` with characters ``unit`` wide."""
    room = int((width - 2 * _PADDING) / unit)
    if cells(text) <= room:
        return text
    half = (room - 1) // 2
    head, tail = _cut(text, half), _cut(text[::-1], half)[::-1]
    return f"{head}…{tail}"


def _cut(text: str, room: int) -> str:
    taken = ""
    for char in text:
        if cells(taken + char) > room:
            break
        taken += char
    return taken


def cells(text: str) -> int:
    """Width in columns of a fixed-width font: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
