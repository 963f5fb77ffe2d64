"""Small line-by-line computations that programs are asked for: what to say, a model, a source, and bugs for it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

MAIN = """

if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as given:
        for line in given:
            print(convert(line.rstrip("\\n")))
"""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One computation from a line to a line."""

    name: str
    said: str
    """What the result of a line is, in words that leave nothing open."""
    model: Callable[[str], str]
    """The truth, written apart from `source`."""
    source: str
    """Body of a Python module with `convert(line)`."""
    bugs: tuple[tuple[str, str], ...]
    """Pieces of `source` and what a careless author writes instead."""
    draw: Callable[[random.Random], str]
    """A random input line."""

    def program(self) -> str:
        return f'"""{self.name.replace("_", " ").capitalize()}, line by line."""\n\nimport sys\n{self.source}{MAIN}'


def _numbers(low: int, high: int, most: int) -> Callable[[random.Random], str]:
    return lambda rng: " ".join(str(rng.randint(low, high)) for _ in range(rng.randint(1, most)))


def _letters(alphabet: str, most: int) -> Callable[[random.Random], str]:
    return lambda rng: "".join(rng.choice(alphabet) for _ in range(rng.randint(1, most)))


def _balance(line: str) -> str:
    while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", line)) != line:
        line = shorter
    return "no" if line else "yes"


def _merge(line: str) -> str:
    spans = [tuple(map(int, s.split(":"))) for s in line.split()]
    covered = {2 * p + d for a, b in spans for p in range(a, b + 1) for d in (0, 1) if d == 0 or p < b}
    runs, last = [], None
    for p in sorted(covered):
        if last is not None and p == last + 1:
            runs[-1][1] = p
        else:
            runs.append([p, p])
        last = p
    return " ".join(f"{a // 2}:{b // 2}" for a, b in runs)


def _spans(rng: random.Random) -> str:
    starts = [rng.randint(0, 40) for _ in range(rng.randint(1, 6))]
    return " ".join(f"{a}:{a + rng.randint(0, 9)}" for a in starts)


def _luhn(line: str) -> str:
    doubled = {str(d): sum(map(int, str(2 * d))) for d in range(10)}
    total = sum(doubled[c] if i % 2 == 0 else int(c) for i, c in enumerate(reversed(line)))
    return str((10 - total % 10) % 10)


def _clock(line: str) -> str:
    seconds = int(line)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _roman(line: str) -> str:
    n, tens = int(line), ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    hundreds = ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"]
    return "M" * (n // 1000) + hundreds[n // 100 % 10] + tens[n // 10 % 10] + ones[n % 10]


def _longest_rise(line: str) -> str:
    values = list(map(int, line.split()))
    return str(max(e - s for s in range(len(values)) for e in range(s + 1, len(values) + 1)
                   if all(a < b for a, b in zip(values[s:e], values[s + 1:e], strict=False))))  # fmt: skip


KERNELS = (
    Kernel(
        "run_lengths",
        "the line run-length encoded: each run of one character becomes its length (decimal, also 1) and the character",
        lambda line: "".join(f"{len(list(run))}{c}" for c, run in groupby(line)),
        "\n\ndef convert(line):\n    made, count = [], 1\n    for i in range(1, len(line) + 1):\n"
        "        if i < len(line) and line[i] == line[i - 1]:\n            count += 1\n        else:\n"
        '            made.append(f"{count}{line[i - 1]}")\n            count = 1\n    return "".join(made)\n',
        (("            count = 1\n", "            count = 0\n"), ("range(1, len(line) + 1)", "range(1, len(line))")),
        _letters("aabbcX", 18),
    ),
    Kernel(
        "brackets",
        "`yes` if all brackets `()[]{}` on the line are balanced and properly nested, otherwise `no` (there are no"
        " other characters)",
        _balance,
        '\nPAIRS = {")": "(", "]": "[", "}": "{"}\n\n\ndef convert(line):\n    stack = []\n    for c in line:\n'
        "        if c not in PAIRS:\n            stack.append(c)\n        elif not stack or stack.pop() != PAIRS[c]:\n"
        '            return "no"\n    return "no" if stack else "yes"\n',
        (('return "no" if stack else "yes"', 'return "yes"'), ("or stack.pop() != PAIRS[c]", "or not stack.pop()")),
        lambda rng: (
            rng.choice(["()", "([]{})", "([)]", "(((", "{[()]}()", "]["]) * rng.randint(1, 2)
            + rng.choice(["", "[]", "{", ")"])
        ),
    ),
    Kernel(
        "merge_ranges",
        "the closed integer ranges `a:b` of the line (separated by blanks, any order) merged where they overlap or"
        " share an end"
        " point, sorted by start, in the same notation and separated by one blank; ranges that merely stand next to"
        " each"
        " other, such as 1:2 and 3:4, stay apart",
        _merge,
        '\n\ndef convert(line):\n    made = []\n    for a, b in sorted(tuple(map(int, s.split(":"))) for s in'
        " line.split()):\n"
        "        if made and a <= made[-1][1]:\n            made[-1][1] = max(made[-1][1], b)\n        else:\n"
        '            made.append([a, b])\n    return " ".join(f"{a}:{b}" for a, b in made)\n',
        (("max(made[-1][1], b)", "b"), ("a <= made[-1][1]", "a < made[-1][1]"), ("in sorted(", "in list(")),
        _spans,
    ),
    Kernel(
        "luhn_digit",
        "the Luhn check digit for the digits of the line: from the right, double every other digit beginning with the"
        " last one"
        " (subtract 9 from what exceeds 9), add everything up, and give the digit that would complete the sum to a"
        " multiple"
        " of 10",
        _luhn,
        "\n\ndef convert(line):\n    total = 0\n    for place, digit in enumerate(map(int, reversed(line))):\n"
        "        if place % 2 == 0:\n            digit *= 2\n            if digit > 9:\n                digit -= 9\n"
        "        total += digit\n    return str(-total % 10)\n",
        (("place % 2 == 0", "place % 2 == 1"), ("digit > 9", "digit > 10"), ("-total % 10", "10 - total % 10")),
        _letters("0123456789", 14),
    ),
    Kernel(
        "clock_times",
        "the number of seconds on the line as `h:mm:ss`: hours without leading zeros and without limit, minutes and"
        " seconds with two"
        " digits",
        _clock,
        "\n\ndef convert(line):\n    minutes, seconds = divmod(int(line), 60)\n    hours, minutes = divmod(minutes,"
        " 60)\n"
        '    return f"{hours}:{minutes:02d}:{seconds:02d}"\n',
        (
            ("{seconds:02d}", "{seconds}"),
            ("divmod(minutes, 60)", "divmod(minutes, 24)"),
            ("{minutes:02d}", "{minutes:2d}"),
        ),
        lambda rng: str(rng.choice([0, 59, 60, 3599, 3600, 86400, rng.randint(0, 400000), rng.randint(0, 9000)])),
    ),
    Kernel(
        "roman_numerals",
        "the whole number on the line (1 to 3999) as a Roman numeral in capitals, in the usual subtractive form (4 is"
        " IV, 900 is CM)",
        _roman,
        '\nSIGNS = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),\n'
        '         (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]\n\n\ndef convert(line):\n    n, made ='
        ' int(line), ""\n'
        "    for value, sign in SIGNS:\n        while n >= value:\n            made += sign\n            n -= value\n"
        "    return made\n",
        (("while n >= value", "while n > value"), (' (9, "IX"),', ""), ('(400, "CD")', '(400, "DC")')),
        lambda rng: str(rng.choice([1, 4, 9, 40, 90, 400, 944, 3999, rng.randint(1, 3999), rng.randint(1, 3999)])),
    ),
    Kernel(
        "rising_run",
        "the length of the longest strictly rising run of neighbouring numbers on the line (whole numbers, separated"
        " by blanks)",
        _longest_rise,
        "\n\ndef convert(line):\n    values = [int(v) for v in line.split()]\n    best = length = 1\n"
        "    for a, b in zip(values, values[1:]):\n        length = length + 1 if b > a else 1\n"
        "        best = max(best, length)\n    return str(best)\n",
        (
            ("b > a else 1", "b >= a else 1"),
            ("b > a else 1", "b > a else 0"),
            ("best = max(best, length)", "best = length"),
        ),
        _numbers(-6, 12, 12),
    ),
    Kernel(
        "median_values",
        "the median of the whole numbers on the line (separated by blanks) with exactly one decimal place; for an"
        " even count the mean"
        " of the two in the middle",
        lambda line: (lambda v: f"{(v[(len(v) - 1) // 2] + v[len(v) // 2]) / 2:.1f}")(sorted(map(int, line.split()))),
        "\n\ndef convert(line):\n    values = sorted(int(v) for v in line.split())\n    middle = len(values) // 2\n"
        "    if len(values) % 2:\n        found = values[middle]\n    else:\n"
        '        found = (values[middle - 1] + values[middle]) / 2\n    return f"{found:.1f}"\n',
        (
            ("sorted(int(v) for v in line.split())", "sorted(line.split())"),
            ("values[middle - 1] +", "values[middle] +"),
        ),
        _numbers(-40, 120, 9),
    ),
    Kernel(
        "longest_word",
        "the longest of the words (separated by blanks) on the line; of several equally long ones the first",
        lambda line: max(line.split(), key=len),
        '\n\ndef convert(line):\n    best = ""\n    for word in line.split():\n        if len(word) > len(best):\n'
        "            best = word\n    return best\n",
        (("len(word) > len(best)", "len(word) >= len(best)"), ("len(word) > len(best)", "word > best")),
        lambda rng: " ".join(_letters("abcdeé", 7)(rng) for _ in range(rng.randint(1, 7))),
    ),
    Kernel(
        "binary_gaps",
        "the length of the longest run of zeros that has a one on both sides in the binary form of the positive whole"
        " number on the"
        " line; 0 if there is none",
        lambda line: str(max(map(len, f"{int(line):b}".strip("0").split("1")))),
        "\n\ndef convert(line):\n    best, run, n = 0, None, int(line)\n    while n:\n        if n & 1:\n"
        "            best, run = max(best, run or 0), 0\n        elif run is not None:\n            run += 1\n"
        "        n >>= 1\n    return str(best)\n",
        (("best, run, n = 0, None", "best, run, n = 0, 0"), ("max(best, run or 0), 0", "max(best, run or 0), 1")),
        lambda rng: str(rng.choice([1, 8, 9, 20, 1041, 65536, rng.randint(1, 99999), rng.randint(1, 999)])),
    ),
    Kernel(
        "digit_groups",
        "the whole number on the line (it may be negative) with an underscore between groups of three digits, counted"
        " from the right",
        lambda line: f"{int(line):_}",
        '\n\ndef convert(line):\n    sign, digits = ("-", line[1:]) if line.startswith("-") else ("", line)\n   '
        " groups = []\n"
        "    while digits:\n        groups.insert(0, digits[-3:])\n        digits = digits[:-3]\n"
        '    return sign + "_".join(groups)\n',
        (
            ("groups.insert(0, digits[-3:])", "groups.append(digits[-3:])"),
            ("return sign +", "return"),
            ('("-", line[1:]) if line.startswith("-") else ("", line)', '("", line)'),
        ),
        lambda rng: str(
            rng.choice([1, -1]) * rng.choice([0, 7, 999, 1000, -100, rng.randint(0, 10**9), rng.randint(0, 10**5)])
        ),
    ),
    Kernel(
        "caesar_shift",
        "the line with each of the letters A-Z and a-z moved 5 places forward in the alphabet (from the end it goes"
        " on at the"
        " beginning), its case kept; all other characters stay",
        lambda line: line.translate(
            str.maketrans(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                "fghijklmnopqrstuvwxyzabcdeFGHIJKLMNOPQRSTUVWXYZABCDE",
            )
        ),
        '\n\ndef convert(line):\n    made = ""\n    for c in line:\n        if "a" <= c <= "z" or "A" <= c <= "Z":\n'
        '            first = ord("a") if c >= "a" else ord("A")\n            c = chr((ord(c) - first + 5) % 26 +'
        " first)\n"
        "        made += c\n    return made\n",
        ((" % 26 + first", " + first"), ("% 26", "% 25"), ('"a" <= c <= "z" or "A" <= c <= "Z"', '"a" <= c <= "z"')),
        lambda rng: " ".join(_letters("amzAMZvwxyé-3", 8)(rng) for _ in range(rng.randint(1, 4))),
    ),
)
