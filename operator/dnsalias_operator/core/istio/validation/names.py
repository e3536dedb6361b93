"""The forms of hosts, addresses and labels that Istio takes. Each function says why one is refused, or ""."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

_LABEL = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_NAME = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DNS_LABEL = re.compile(_LABEL)
_FIRST_LABEL = re.compile(rf"\*|(?:\*|\*-)?{_LABEL}")
_LABEL_KEY = re.compile(rf"({_LABEL}(?:\.{_LABEL})*/)?({_NAME})")
_LABEL_VALUE = re.compile(rf"(?:{_NAME})?")
_MAX_LABEL, _MAX_DOMAIN, _MAX_PREFIX = 63, 255, 253
_INT64 = 2**63


def is_label(text: str) -> bool:
    """Whether it is a DNS label, in upper or lower case. Source: IsDNS1123Label in pkg/config/labels/instance.go."""
    return len(text) <= _MAX_LABEL and _DNS_LABEL.fullmatch(text) is not None


def domain(text: str) -> str:
    """Why it is no DNS name. Source: ValidateFQDN in pkg/config/validation/agent/validation.go at 1.31."""
    return _length(text) or _labels(text, text)


def wildcard_domain(text: str) -> str:
    """Why it is no DNS name, whose first label may be a wildcard or begin with one.

    Source: ValidateWildcardDomain in pkg/config/validation/agent/validation.go at 1.31.
    """
    if fault := _length(text):
        return fault
    first, dot, rest = text.partition(".")
    if len(first) > _MAX_LABEL or _FIRST_LABEL.fullmatch(first) is None:
        return f"{text!r} is no DNS name (label {first!r})"
    return _labels(rest, text) if dot else ""


def _length(text: str) -> str:
    if not text:
        return "it is empty"
    return f"longer than {_MAX_DOMAIN} characters" if len(text.encode(errors="surrogatepass")) > _MAX_DOMAIN else ""


def _labels(name: str, shown: str) -> str:
    *first, last = name.split(".")
    if re.fullmatch(r"[-+]?[0-9]+", last) and -_INT64 <= int(last[:25]) < _INT64:
        return f"{shown!r} ends with a number"
    # The last one may be empty: a name with a dot at its end.
    wrong = [label for label in (*first, *([last] if last else ())) if not is_label(label)]
    return f"{shown!r} is no DNS name (label {wrong[0]!r})" if wrong else ""


def is_address(text: str) -> bool:
    """Whether it is an IP address. Source: IsValidIPAddress in pkg/util/net/ip.go at 1.31."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def subnet(text: str) -> str:
    """Why it is neither an IP address nor a CIDR.

    Source: ValidateIPSubnet in pkg/config/validation/agent/validation.go at 1.31.
    """
    if text.count("/") != 1:
        return "" if is_address(text) else f"{text!r} is no IP address{_without_zeros(text)}"
    address, _, bits = text.partition("/")
    if "%" in address or not is_address(address) or not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits):
        return f"{text!r} is no CIDR"
    return "" if int(bits) <= ipaddress.ip_address(address).max_prefixlen else f"{text!r} is no CIDR"


def _without_zeros(text: str) -> str:
    """The address that may be meant, where numbers begin with a zero."""
    meant = re.sub(r"\b0+(?=[0-9])", "", text)
    return f" ({meant} is one)" if meant != text and is_address(meant) else ""


def unix_path(text: str) -> str:
    """Why it is no path of a socket. Source: ValidateUnixAddress in pkg/config/validation/validation.go at 1.31."""
    if not text:
        return "the path of the socket is empty"
    if text.startswith("@") or (text.startswith("/") and not text.endswith("/")):
        return ""
    return f"{text!r} is no absolute path of a file"


def labels(found: Mapping[str, str]) -> Iterator[str]:
    """Why these are no labels. Source: Validate in pkg/config/labels/instance.go at 1.31."""
    for key, value in found.items():
        match = _LABEL_KEY.fullmatch(key)
        if match is None or len(match[1] or "") > _MAX_PREFIX + 1 or len(match[2]) > _MAX_LABEL:
            yield f"{key!r} is no key of a label"
        if _LABEL_VALUE.fullmatch(value) is None:
            yield f"{value!r} is no value of a label"
