"""The machine that figures come from, and what else it had to do meanwhile."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

GIB = 1024**3


def describe() -> dict[str, str]:
    """Processor, memory, kernel, versions and load, each as text."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Processor": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, shared by everything here",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / GIB:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, Kopf {version('kopf')}, aiohttp {version('aiohttp')}",
        "Load when it began": f"{os.getloadavg()[0]:.1f} (1 min), {os.getloadavg()[1]:.1f} (5 min)",
    }


def _field(path: str, name: str) -> str:
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown")
