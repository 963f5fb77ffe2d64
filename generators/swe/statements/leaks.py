"""Says why a statement gives away the fix: its code in any layout, the place, or the edit itself."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

TELLING = 12
"""Characters without blanks from which a line of the fix tells something; `return None` and `else:` are shorter."""
GRAM = 9
"""Tokens of a run that no sentence holds by chance."""
ALIKE = 12
"""Tokens from which a line with other names in it is still the same line."""

_PROMPT = re.compile(r"^[ \t]*(?:(?:>>>|\.\.\.|[>#*|]|[-+](?=[ \t])|\d+[.)])[ \t]*)+", re.M)
_HEAD = re.compile(r"^(?:if|elif|while|return|yield|assert|raise|for|with|except|await|\w[\w.]* [-+*/|&]?=(?!=)) ?")
_DIFF = re.compile(r"^\s*(?:diff --git |@@ -\d|(?:---|\+\+\+) [ab]/)", re.M)
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.M)
_PLACE = re.compile(r"\blines? +#?(\d+)|\.py:(\d+)", re.I)
_TALK = re.compile(
    r"\b(?:(?:the|a|my|suggested|proposed|possible) (?:fix|patch|solution) (?:is|would be|should|could)"
    r"|(?:can|could|should) be (?:fixed|replaced|changed|reverted) (?:by|with|to)|root cause|was (?:mutated|injected))",
    re.I,
)


def leak(
    statement: str,
    fix: str,
    bug_paths: Sequence[str],
    qualnames: Sequence[str],
    *,
    shown: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> str | None:
    """Why `statement` gives `fix` (a unified diff) away; None: no reason was found.

    `shown`: code of the failing tests: what stands there may be said. `changes`: the operators' descriptions. Public
    names among `qualnames` may be said, private ones may not. A paraphrase in words is not noticed.
    """
    told, open_code = _flat(statement), _flat("\n".join(shown))
    if _DIFF.search(statement):
        return "it holds a diff"
    for kind, line in _lines(fix):
        for part in {_flat(line), _flat(_HEAD.sub("", line.strip()).rstrip(":"))}:
            if len(part) >= TELLING and re.search(r"\W", part) and part in told and part not in open_code:
                return f"it holds {kind} line: {line.strip()[:100]}"
    return (
        _same_tokens(statement, fix, shown)
        or _place(statement, fix, bug_paths, qualnames, "\n".join(shown))
        or _edit(statement, changes, open_code)
    )


def _flat(text: str) -> str:
    """Without blanks, line breaks, Markdown and prompts; one kind of quotes."""
    return re.sub(r"[\s`\\]+", "", _PROMPT.sub("", text)).replace('"', "'")


def _tight(text: str) -> str:
    """Without blanks and backticks; one kind of quotes."""
    return re.sub(r"[\s`]+", "", text).replace('"', "'")


def _lines(fix: str) -> list[tuple[str, str]]:
    kinds = {"+": "a mended", "-": "the broken"}
    lines = [line for line in fix.splitlines() if not line.startswith(("+++ ", "--- "))]
    return [(kinds[line[0]], line[1:]) for line in lines if line[:1] in kinds and line[1:].strip()]


def _tokens(text: str) -> list[str]:
    """Tokens of Python, or of what is left of it."""
    try:
        kinds = (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING)
        return [t.string for t in tokenize.generate_tokens(io.StringIO(text.strip()).readline) if t.type in kinds]
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return re.findall(r"\w+|[^\w\s]", text)


def _same_tokens(statement: str, fix: str, shown: Sequence[str]) -> str | None:
    """Runs of the changed lines' tokens, and whole lines in which only the names differ."""
    said = _PROMPT.sub("", statement)
    grams = set(_runs(re.findall(r"\w+|[^\w\s]", said)))
    allowed = set(_runs(re.findall(r"\w+|[^\w\s]", "\n".join(shown))))
    alike = {_shape(line) for line in (*said.splitlines(), *re.findall(r"`([^`\n]+)`", statement))}
    alike -= {_shape(line) for text in shown for line in text.splitlines()}
    for kind, line in _lines(fix):
        found = set(_runs(re.findall(r"\w+|[^\w\s]", line))) & grams - allowed
        if found:
            return f"it holds a piece of {kind} line: {' '.join(min(found))}"
        if len(_tokens(line)) >= ALIKE and _shape(line) in alike:
            return f"it holds {kind} line with other names: {line.strip()[:100]}"
    return None


def _runs(tokens: list[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(tokens[n : n + GRAM]) for n in range(len(tokens) - GRAM + 1))


def _shape(line: str) -> tuple[str, ...]:
    """Tokens with names numbered in the order in which they come."""
    seen: dict[str, str] = {}
    return tuple(
        seen.setdefault(token, f"n{len(seen)}") if token.isidentifier() and not keyword.iskeyword(token) else token
        for token in _tokens(line)
    )


def _place(statement: str, fix: str, paths: Sequence[str], qualnames: Sequence[str], shown: str) -> str | None:
    for path in paths:
        pure = PurePosixPath(path)
        module = ".".join(part for part in pure.with_suffix("").parts if part not in ("src", "__init__"))
        for name in (path, pure.name, module if "." in module else ""):
            if name and name not in ("__init__.py",) and _word(name, statement) and not _word(name, shown):
                return f"it names the changed file: {name}"
    for name in {part for qualname in qualnames for part in qualname.split(".") if part != "<locals>"}:
        if name.startswith("_") and not name.endswith("__") and _word(name, statement) and not _word(name, shown):
            return f"it names what only the inside knows: {name}"
    spans = [range(int(a), int(a) + int(b or 1)) for hunk in _HUNK.findall(fix) for a, b in (hunk[:2], hunk[2:])]
    for found in _PLACE.finditer(statement):
        if any(int(found[1] or found[2]) in span for span in spans):
            return f"it names the changed line: {found[0]}"
    return None


def _word(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text.replace("/./", "/")) is not None


def _edit(statement: str, changes: Sequence[str], open_code: str) -> str | None:
    spans = {_tight(part) for part in re.findall(r"`([^`\n]+)`", statement)}
    said = _tight(statement.replace("->", "→"))
    for change in changes:
        before, arrow, after = (_tight(part) for part in change.partition("→"))
        if arrow and f"{before}{arrow}{after}" in said:
            return f"it holds the change: {change[:100]}"
        pair = {before, after} - {"", "∅"}
        code = [part for part in pair if re.search(r"[^\w']", part)]
        told = any(not re.search(r"\w", part) or part not in open_code for part in code)
        if arrow and len(pair) == 2 and told and pair <= spans:
            return f"it names both what was and what is: {change[:100]}"
    talk = _TALK.search(statement)
    return f"it speaks of the fix: {talk[0]}" if talk else None
