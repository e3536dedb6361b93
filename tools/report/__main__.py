"""`make report`: the incident's report, and pictures of it, in build/report."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser

from tools.report import pages
from tools.report.browser import NoBrowserError, browser


class Size(NamedTuple):
    """A window, and what its user prefers."""

    width: int
    height: int
    scheme: Literal["light", "dark"]
    whole: bool
    """Whether the picture is of the whole page, or of what the window shows."""


SIZES: Mapping[str, Size] = {
    "light": Size(1280, 900, "light", whole=True),
    "dark": Size(1280, 900, "dark", whole=True),
    "first-screen": Size(1280, 900, "light", whole=False),
    "phone": Size(360, 780, "light", whole=True),
}


def main() -> int:
    """Write the report and its pictures; 1 where there is no browser to take them with."""
    pages.ARTEFACTS.mkdir(parents=True, exist_ok=True)
    html = pages.incident()
    report = pages.ARTEFACTS / "incident.html"
    report.write_text(html)
    print(_relative(report))  # noqa: T201 (the command's answer)
    try:
        with browser() as running:
            for path in shoot(running, html):
                print(_relative(path))  # noqa: T201 (the command's answer)
    except NoBrowserError as error:
        print(f"error: no pictures: {error}", file=sys.stderr)  # noqa: T201 (the command's answer)
        return 1
    return 0


def shoot(running: Browser, html: str) -> list[Path]:
    """Pictures of a page in every size, kept in build/report."""
    pages.ARTEFACTS.mkdir(parents=True, exist_ok=True)
    made = []
    for name, size in SIZES.items():
        window = {"width": size.width, "height": size.height}
        context = running.new_context(viewport=window, color_scheme=size.scheme, java_script_enabled=False)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_content(html)
        path = pages.ARTEFACTS / f"incident-{name}.png"
        page.screenshot(path=path, full_page=size.whole)
        context.close()
        made.append(path)
    return made


def _relative(path: Path) -> Path:
    return path.relative_to(pages.REPOSITORY)


if __name__ == "__main__":
    sys.exit(main())
