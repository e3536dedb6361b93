"""The types of the fields of a spec, as the table of kinds states them."""

from typing import Any, Final

Shape = Any
"""Types of a scalar, [the shape of each item], or the shapes of keys ("*": of every key). Keys not named may be any."""

TEXT, NUMBER, TEXT_OR_NUMBER = (str,), (int,), (str, int)
CLUSTER_IP: Final = "clusterIP"
"""An IP address, "None" or ""."""
TEXTS = [TEXT]
LABELS = {"*": TEXT}
SELECTOR = {"labels": LABELS}
