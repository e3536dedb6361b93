"""Ask `istioctl validate` about the corpus, and write what it says into verdicts.json.

python -m tests.validation.record
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.validation.corpus import Raw, corpus
from tools.controlplane import build
from tools.dataplane.validate import invalid

VERDICTS = Path(__file__).parent / "verdicts.json"


def asked(objects: list[Raw]) -> dict[str, Any]:
    """What istioctl says: its release, which corpus it was asked about, and what it refuses, by name."""
    faults = invalid(objects)
    return {
        "istio": build.required_version("istio", build.ISTIO_MODULE),
        "corpus": digest(objects),
        "refused": {label.rpartition("/")[2]: message for label, message in sorted(faults.items())},
    }


def digest(objects: list[Raw]) -> str:
    """What tells one corpus from another."""
    return hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()


def recorded() -> Mapping[str, Any]:
    """What is in the file."""
    found: Mapping[str, Any] = json.loads(VERDICTS.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Write the file."""
    said = asked(corpus())
    VERDICTS.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(said['refused'])} of {len(corpus())} refused\n")


if __name__ == "__main__":
    main()
