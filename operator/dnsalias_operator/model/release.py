"""A release of Istio: what predictions depend on that no object states, in the order in which releases were made."""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

MODELLED = "1.11, or 1.20 to 1.32"
"""The releases whose rules the model knows: 1.11 is the incident's, 1.32 what its branch holds now."""
RELEASE_PATTERN = r"^1\.(11|2[0-9]|3[0-2])(\.(0|[1-9][0-9]{0,4}))?([-+][-+.0-9A-Za-z]+)?$"
"""Of a release that the model knows, such as 1.28, 1.28.10, 1.31.0-rc.0; what follows the patch plays no part."""
MEASURED = "1.31"
"""The release that the model was measured on last; what is assumed where none is given."""
NEWEST = sys.maxsize
"""The patch of a release that is given without one."""


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """The release 1.``minor``.``patch``. Without a patch it is the newest of its minor."""

    minor: int
    patch: int = NEWEST

    def __str__(self) -> str:
        return f"1.{self.minor}" + ("" if self.patch == NEWEST else f".{self.patch}")

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Self:
        """Read a release that the model knows.

        Raises:
            ValueError: it is none; the message names what was given and what is legal.
        """
        match = re.fullmatch(RELEASE_PATTERN, text)
        if match is None:
            raise ValueError(f"{text!r} is no release of Istio that is modelled: give {MODELLED}, such as 1.28.10")
        minor, patch = match[1], match[3]
        return cls(int(minor), NEWEST if patch is None else int(patch))

    def since(self, major: int, minor: int, patch: int = 0) -> bool:
        """Whether it has what Istio has had since the release ``major``.``minor``.``patch``."""
        return (1, self.minor, self.patch) >= (major, minor, patch)
