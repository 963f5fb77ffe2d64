"""Which texts are personal data: addresses and numbers that could be somebody's, and those that are nobody's."""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

Kind = Literal["email", "phone", "card", "iban", "ip"]

_EXAMPLES = Path(__file__).with_name("personal_examples.json")

SCREEN: dict[Kind, str] = {
    "email": r"[\w+-]@[A-Za-z0-9-]+\.[A-Za-z]",
    "phone": r"\+[1-9][0-9 ()./-]{6}",
    "card": r"(?:\b|[A-Za-z])[2-6][0-9]{3}(?:[0-9]{9}|[ -][0-9]{4}[ -][0-9]{4}[ -]|[ -][0-9]{6}[ -])",
    "iban": r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2}",
    "ip": r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
}
"""Patterns of Rust's kind, which find all that the rules find, and more; JSON's escapes may stand before it."""
NATIONAL = r"[0-9][0-9 ()./-]{5}[0-9]"
"""The same for phone numbers without a country's code."""

_EMAIL = re.compile(
    r"(?<![\w.+@/:-])([A-Za-z0-9][\w.+-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+([A-Za-z]{2,24}))(?![\w(@-]|\.\w)"
)
_NOBODY = re.compile(
    r"(?:^|\.)(?:example\.\w+|example|test|invalid|localhost|local|internal|lan)$|^(?:users\.)?noreply\.github\.com$"
    r"|^(?:test|(?:your|my)?domain|email|mail|(?:your)?company|acme|foo|bar|foobar|host|server|site|website|corp|a|b|x|y)"
    r"\.(?:com|org|net|io|co)$"
)
_CARD = re.compile(
    r"(?<![\w.+-])(?:[2-6]\d{12,18}|[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([ -])\d{6}\2\d{5})(?![\w.-]|,\d)"
)
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35\d{14}"
)
"""Visa, Mastercard, American Express, Discover, JCB, by their first digits."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
_IP = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")


_LONGEST = 32
"""Characters of the longest phone number, with its spaces and brackets, and a little more."""
_COUNTED = ("1234567", "2345678", "3456789", "4567890")


@functools.cache
def _nobodys(what: str) -> frozenset[str]:
    return frozenset(json.loads(_EXAMPLES.read_text(encoding="utf-8"))[what]["values"])


def personal_in(text: str, kinds: tuple[Kind, ...], region: str | None) -> Iterator[tuple[Kind, str]]:
    """Kind and value of each find in a text, in one form whatever the way of writing; repeated finds are repeated.

    `region`: two letters of the country whose numbers are written without a code; None: only numbers with `+`."""
    for kind in kinds:
        for value in _FINDERS[kind](text, region):
            yield kind, value


def _emails(text: str, _: str | None) -> Iterator[str]:
    for match in _EMAIL.finditer(text) if "@" in text else ():
        name, domain, last = match[1].lower(), match[2].lower(), match[3].lower()
        if (
            (len(last) == 2 or last in _nobodys("top_level_domains"))
            and name not in _nobodys("mailboxes")
            and not _NOBODY.search(domain)
        ):
            yield f"{name}@{domain}"


def _phones(text: str, region: str | None) -> Iterator[str]:
    from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, format_number

    # reading on from each + is quick; the reading of a whole text is not
    starts = [match.start() for match in re.finditer(r"\+[1-9(]", text)]
    parts = [text] if region is not None else [text[max(0, start - 2) : start + _LONGEST] for start in starts]
    for match in (match for part in parts for match in PhoneNumberMatcher(part, region)):
        value = format_number(match.number, PhoneNumberFormat.E164)
        # 555-01xx is what the North American plan keeps for fiction
        if not re.fullmatch(r"\+1\d{3}55501\d\d", value) and len(set(value[-7:])) > 2 and value[-7:] not in _COUNTED:
            yield value


def _cards(text: str, _: str | None) -> Iterator[str]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        value = re.sub("[ -]", "", match[0])
        if _ISSUED.fullmatch(value) and value not in _nobodys("cards") and len(set(value)) > 3 and luhn.is_valid(value):
            yield value


def _ibans(text: str, _: str | None) -> Iterator[str]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        value = match[0].replace(" ", "")
        if value not in _nobodys("ibans") and iban.is_valid(value):
            yield value


def _ips(text: str, _: str | None) -> Iterator[str]:
    for match in _IP.finditer(text):
        try:
            address = ipaddress.IPv4Address(match[0])
        except ValueError:
            continue
        if address.is_global and not address.is_multicast and match[0] not in _nobodys("ips"):
            yield match[0]


_FINDERS: dict[Kind, Callable[[str, str | None], Iterator[str]]] = {
    "email": _emails,
    "phone": _phones,
    "card": _cards,
    "iban": _ibans,
    "ip": _ips,
}
