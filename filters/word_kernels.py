"""The inner loops that cut texts into words and hash them, compiled by numba; none holds the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

PLANES = 0x20000
"""Code points that the table of letters holds; the two planes above are ideographs."""
ALONE = 1 << 31
"""Bit of a letter that is a word of its own."""
SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x100000001B3)
"""FNV-1a, taken over folded code points and mixed at the end of each word."""
BASE = np.uint64(0x9E3779B97F4A7C15)
"""An odd number: a run's hash is a polynomial in it, modulo 2**64, of its words' hashes."""
BACKSLASH = 92
KEY = 7
"""Bytes of a key that are looked at: enough to tell apart those before text in a message."""
_ROLE, _ID, _CALL, _TYPE = (int.from_bytes(key[:KEY], "big") for key in (b"role", b"id", b"tool_call_id", b"type"))

_compiled = numba.njit(nogil=True, cache=True, boundscheck=False)


@_compiled
def mixed(h: Any) -> Any:
    """The finalizer of MurmurHash3: every bit depends on every other."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@_compiled
def _hex(data: Array, at: int) -> int:
    """The number of four hex digits."""
    code = 0
    for i in range(at, min(at + 4, len(data))):
        byte = data[i]
        code = code * 16 + (byte - 48 if byte < 58 else (byte | 32) - 87)
    return code & 0xFFFF


@_compiled
def _is_hex(data: Array, at: int, end: int) -> bool:
    """Whether four hex digits stand at a byte."""
    for i in range(at, at + 4):
        byte = data[i] if i < end else 0
        if not (48 <= byte <= 57 or 97 <= (byte | 32) <= 102):
            return False
    return True


@_compiled
def _decoded(data: Array, at: int, escaped: bool) -> Any:
    """The code point at a byte, and where the next begins; with `escaped`, of what stands inside a JSON string."""
    byte = np.int64(data[at])
    if byte < 0x80:
        if not escaped or byte != BACKSLASH or at + 1 >= len(data):
            return byte, at + 1
        letter = data[at + 1]
        if letter == 117:  # u
            return np.int64(_hex(data, at + 2)), at + 6
        return (byte, at + 2) if letter == BACKSLASH else (np.int64(10), at + 2)
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (data[at + 1] & 0x3F), at + 2
    if byte < 0xF0:
        return (byte & 0xF) << 12 | np.int64(data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F), at + 3
    high = (byte & 7) << 18 | np.int64(data[at + 1] & 0x3F) << 12
    return high | np.int64(data[at + 2] & 0x3F) << 6 | (data[at + 3] & 0x3F), at + 4


@_compiled
def _letter(code: Any, letters: Array) -> Any:
    if code < PLANES:
        return letters[code]
    return np.uint32(code | ALONE) if code < 0x40000 else np.uint32(0)


@_compiled
def _string(data: Array, at: int, end: int, escaped: bool, letters: Array, out: Any, n: int) -> int:
    """Put the words between two bytes at `n`, and say where the next goes."""
    values, starts, zero = out
    h, grown, slash, begin = SEED, False, False, at
    while at < end:
        here, code = at, np.int64(data[at])
        if code < 0x80 and not (escaped and code == BACKSLASH):
            at += 1
        else:
            code, at = _decoded(data, at, escaped)
        if code == BACKSLASH and at < end and data[at] == 117 and _is_hex(data, at + 1, end):
            code, at = np.int64(_hex(data, at + 1)), at + 5  # an escape of JSON that is a string in JSON
        letter = _letter(code, letters)
        if slash and (code == 110 or code == 116 or code == 114):  # n, t, r
            letter = np.uint32(0)
        slash = code == BACKSLASH
        if letter != 0 and letter < ALONE:
            if not grown:
                begin = here
            h, grown = (h ^ np.uint64(letter)) * PRIME, True
            continue
        if grown:
            values[n] = mixed(h)
            if len(starts):
                starts[n] = begin - zero
            h, grown, n = SEED, False, n + 1
        if letter != 0:
            values[n] = mixed((SEED ^ np.uint64(letter)) * PRIME)
            if len(starts):
                starts[n] = here - zero
            n += 1
    if grown:
        values[n] = mixed(h)
        if len(starts):
            starts[n] = begin - zero
        n += 1
    return n


@_compiled
def _key(data: Array, at: int, end: int) -> Any:
    """The first bytes of a key as one number."""
    made = np.int64(0)
    for i in range(at, min(end, at + KEY)):
        made = made << 8 | np.int64(data[i])
    return made


@_compiled
def _message(data: Array, at: int, end: int, mask: int, letters: Array, out: Any, n: int) -> int:
    """Put the words of one message in JSON at `n`, unless it is of a role that is not in `mask`."""
    first, depth, key = n, 0, np.int64(0)
    while at < end:
        byte = data[at]
        if byte == 123 or byte == 91:  # { [
            depth, key = depth + 1, np.int64(0)
        elif byte == 125 or byte == 93:  # } ]
            depth -= 1
        elif byte == 34:  # "
            begin = at + 1
            at = begin
            while at < end and data[at] != 34:
                at += 2 if data[at] == BACKSLASH else 1
            stop, after = min(at, end), at + 1
            while after < end and data[after] <= 32:
                after += 1
            if after < end and data[after] == 58:  # :
                key, at = _key(data, begin, stop), after
            elif depth == 1 and key == _ROLE and stop > begin:
                role = data[begin]
                bit = 1 if role == 115 else 2 if role == 117 else 4 if role == 97 else 8  # s, u, a, else t
                if not mask & bit:
                    return first
            elif not (depth <= 3 and key in (_ID, _CALL, _TYPE)):
                n = _string(data, begin, stop, True, letters, out, n)
        elif byte >= 48 and byte < 58:
            begin = at
            while at + 1 < end and data[at + 1] >= 48 and data[at + 1] < 58:
                at += 1
            n = _string(data, begin, at + 1, False, letters, out, n)
        at += 1
    return n


@_compiled
def words_of(
    data: Array, bounds: Array, groups: Array, mask: int, letters: Array, values: Array, counted: Array, starts: Array
) -> int:
    """Fill `values` (and `starts`) with the words of all groups of texts, `counted` with where each group's end; how
    many there are. With a `mask` of roles the texts are messages in JSON, else plain."""
    n = 0
    for group in range(len(groups) - 1):
        for text in range(groups[group], groups[group + 1]):
            at, end = bounds[text], bounds[text + 1]
            out = (values, starts, at)
            if mask:
                n = _message(data, at, end, mask, letters, out, n)
            else:
                n = _string(data, at, end, False, letters, out, n)
        counted[group + 1] = n
    return n


@_compiled
def roll(values: Array, bounds: Array, length: int, out: Array) -> None:
    """Fill `out` with the hashes of all runs."""
    leaving = np.uint64(1)
    for _ in range(length):
        leaving *= BASE
    n = 0
    for text in range(len(bounds) - 1):
        h, first = np.uint64(0), bounds[text]
        for at in range(first, bounds[text + 1]):
            h = h * BASE + values[at]
            if at - first >= length:
                h -= leaving * values[at - length]
            if at - first >= length - 1:
                out[n] = mixed(h)
                n += 1
        if 0 < bounds[text + 1] - first < length:
            out[n] = mixed(h + np.uint64(bounds[text + 1] - first))
            n += 1
