"""One thing that is refused: where it is, why, and by whom."""

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """Who refuses it.

    FORM: whoever reads it at all. `kubectl` and `istioctl validate` refuse it, and no API server can have it.
    ISTIOD: istiod's webhook, and `istioctl validate`, which applies the same rules.
    API_SERVER: the API server alone, by Istio's CRD; `istioctl validate` accepts it.
    """

    FORM = "it is no ServiceEntry"
    ISTIOD = "istiod refuses it"
    API_SERVER = "the API server refuses it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is refused. ``path`` is the field, such as ``spec.ports[0].protocol``; ``why`` names its value."""

    path: str
    why: str
    by: By = By.ISTIOD

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"
