"""One record of a run as a person reads it; nothing in it may steer the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

from datafactory.cli.finding import Found
from datafactory.cli.printing import excerpt, shorten, size, words
from datafactory.cli.speaking import answer
from datafactory.types import File

SHORT = 6
"""Lines of each message that are shown; `datafactory replay` shows them whole."""

OUTCOMES = {"passed": "green", "failed": "red", "crashed": "magenta", "timeout": "yellow"}


def describe(found: Found, asked: dict[str, Any] | None = None) -> RenderableType:
    """A task, trajectory or reject, readable at 80 columns; `asked`: the question that a trajectory answers."""
    if found.kind == "trajectory":
        parts = _trajectory(found.row, asked)
    else:
        parts = {"task": _task, "reject": _reject}[found.kind](found.row)
    return Group(words(f"{found.kind} {found.id}", "bold"), words(f"in {found.stage.path}", "dim"), *parts)


def facts(pairs: Iterable[tuple[str, Any]]) -> Table:
    """Names and values in two columns; empty values are left out."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", (), [], {}):
            table.add_row(name, words(value))
    return table


def headed(title: str, body: RenderableType) -> Iterator[RenderableType]:
    """A body under a ruled title."""
    yield Rule(words(title, "bold"), align="left", style="dim")
    yield body


def checks(verdict: dict[str, Any], *, logs: int = 8) -> RenderableType:
    """What each check found; the log of one that did not pass, `logs` lines of it."""
    parts: list[RenderableType] = []
    for check in verdict.get("checks", ()):
        line = words("  ")
        line.append_text(words(f"{check['outcome']:<8}", OUTCOMES.get(check["outcome"], "")))
        line.append_text(words(f" {check['score']:.2f} × {check.get('weight', 1):g}  {check['name']}"))
        parts.append(line)
        if check["outcome"] != "passed" and check.get("log") and logs:
            parts.append(Padding(words(excerpt(check["log"], logs), "dim"), (0, 0, 0, 4), expand=False))
    return Group(*parts)


def reward(verdict: dict[str, Any] | None) -> str:
    """The verdict in a word."""
    if verdict is None:
        return "not judged"
    return "solved (reward 1)" if verdict["reward"] == 1.0 else f"not solved (reward {verdict['reward']:g})"


def answered(row: dict[str, Any], asked: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values that tell an attempt's answer, what would have been right, and what was read."""
    yield "answered", row.get("answer") or "(nothing)"
    yield "right", rightly(asked)
    read, evidence = row.get("visited", ()), {hop["url"] for hop in asked.get("hops", ())}
    yield "pages found", f"{len(row.get('found', ())):,}"
    also = f", {len(evidence & set(read))} of the {len(evidence)} that support the answer" if evidence else ""
    yield "pages opened", f"{len(read):,}{also}"


def rightly(asked: dict[str, Any]) -> str:
    """What counts as right."""
    return " | ".join(asked.get("answers", ())) or "nothing: the corpus has no answer, and saying so is right"


def _task(row: dict[str, Any]) -> Iterator[RenderableType]:
    yield from _draft(row)
    yield facts([("digest", row.get("digest"))])


def _draft(row: dict[str, Any]) -> Iterator[RenderableType]:
    source, asked = row.get("source") or {}, row.get("question")
    box = [(key, row.get(key)) for key in ("image", "workdir")]
    box.append(("artifacts", ", ".join(row.get("artifacts", ()))))
    yield facts(
        [
            ("domain", row.get("domain")),
            ("difficulty", row.get("difficulty")),
            ("skills", ", ".join(row.get("skills", ()))),
            *(box if asked is None else [("corpus", asked.get("corpus"))]),
            ("generator", source.get("generator")),
            ("made from", source.get("item")),
            ("licence", source.get("license")),
            ("written by", source.get("model")),
            ("facts", shorten(source["facts"], 300) if source.get("facts") else ""),
        ]
    )
    if asked is None or asked.get("text") != row.get("prompt"):
        yield from headed("prompt", words(str(row.get("prompt", "")).rstrip("\n")))
    if asked is not None:
        yield from _question(asked)
    if row.get("files"):
        yield from headed("files", _files(row["files"]))
    if asked is None:
        yield from headed("checks", _check_list(row.get("checks", ())))
    if row.get("solution"):
        yield from headed("solution", Group(*_steps(row["solution"])))


def _question(asked: dict[str, Any]) -> Iterator[RenderableType]:
    yield from headed("question", words(asked["text"]))
    if asked.get("plain") and asked["plain"] != asked["text"]:
        yield from headed("with nothing blurred", words(asked["plain"], "dim"))
    yield from headed("answer", words(rightly(asked)))
    if asked.get("hops"):
        yield from headed("hops", Group(*_hops(asked["hops"])))
    if asked.get("history"):
        yield from headed("how it came to be", Group(*_edits(asked["history"])))
    if asked.get("facts"):
        yield from headed("facts", words(shorten(asked["facts"], 600), "dim"))


def _hops(hops: Iterable[dict[str, Any]]) -> Iterator[RenderableType]:
    for number, hop in enumerate(hops, 1):
        finds = f"  → {hop['finds']}" if hop.get("finds") else ""
        yield words(f"{number}. {hop['url']}{finds}")
        yield Padding(words(hop["statement"], "dim"), (0, 0, 0, 3), expand=False)
        for query in hop.get("queries", ()):
            yield Padding(words(f"search: {query}", "cyan"), (0, 0, 0, 3), expand=False)


def _edits(history: Iterable[dict[str, Any]]) -> Iterator[RenderableType]:
    for edit in history:
        asked = edit.get("correct") is not None
        closed = f"  (without a search {edit['correct']} of {edit.get('samples')} were right)" if asked else ""
        yield words(f"{edit['action']}: {edit['question']}  → {edit['answer']}{closed}")
        if edit.get("note"):
            yield Padding(words(edit["note"], "dim"), (0, 0, 0, 3), expand=False)


def _files(files: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for path, value in files.items():
        file = File.model_validate(value)
        what = f"→ {file.link}" if file.link is not None else ("executable" if file.mode & 0o111 else "")
        table.add_row("link" if file.link is not None else size(len(file.data)), words(f"{path}  {what}".rstrip()))
    return table


def _check_list(made: Iterable[dict[str, Any]]) -> RenderableType:
    made = list(made)
    total = sum(check.get("weight", 1.0) for check in made) or 1.0
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for check in made:
        share = f"{100 * check.get('weight', 1.0) / total:.0f} %"
        table.add_row(share, words(f"{check['name']}: {shorten(' '.join(check['argv']), 160)}"))
    return table


def _steps(steps: Iterable[dict[str, Any]]) -> Iterator[RenderableType]:
    for number, step in enumerate(steps, 1):
        if step.get("thought"):
            yield words(f"{number}. {step['thought']}", "dim")
        yield Padding(words(excerpt(step["command"], 40)), (0, 0, 0, 3), expand=False)


def _trajectory(row: dict[str, Any], asked: dict[str, Any] | None) -> Iterator[RenderableType]:
    usage = row.get("usage") or {}
    turns = sum(message["role"] == "assistant" for message in row["messages"])
    tokens = f"{usage.get('prompt_tokens', 0):,} read, {usage.get('completion_tokens', 0):,} written"
    yield facts(
        [
            ("verdict", reward(row.get("verdict"))),
            *(answered(row, asked) if asked is not None else ()),
            ("ended", row["stop"]),
            ("turns", turns),
            ("seconds", f"{row.get('seconds', 0):.1f}"),
            ("tokens", tokens if any(usage.values()) else "none counted"),
            ("teacher", row.get("teacher")),
            ("agent", row.get("agent")),
            ("domain", row.get("domain")),
            ("skills", ", ".join(row.get("skills", ()))),
            ("generator", row.get("generator")),
            ("tools", ", ".join(str(tool.get("function", tool).get("name")) for tool in row.get("tools", ()))),
            ("artifacts", ", ".join(row.get("artifacts", ()))),
            ("left out", row.get("artifacts_note")),
        ]
    )
    if row.get("verdict"):
        yield from headed("checks", checks(row["verdict"]))
    agent = row.get("agent", "")
    yield from headed("lineage", facts((row.get("lineage") or {}).items()))
    yield from headed("messages", Group(*(_message(message, agent) for message in row["messages"])))


def _message(message: dict[str, Any], agent: str) -> RenderableType:
    if message["role"] == "assistant":
        parts = list(answer(message, agent, SHORT)) or [words("(says nothing)", "dim")]
        return Group(words("assistant", "bold"), Padding(Group(*parts), (0, 0, 0, 2), expand=False))
    body = excerpt(message.get("content", "").strip("\n"), SHORT, 300)
    return Group(words(message["role"], "bold"), Padding(words(body, "dim"), (0, 0, 0, 2), expand=False))


def _reject(row: dict[str, Any]) -> Iterator[RenderableType]:
    yield facts([("reason", row.get("reason")), ("generator", row.get("generator"))])
    if row.get("detail"):
        yield from headed("what was seen", words(excerpt(row["detail"], 60)))
    what = row.get("what")
    if not what:
        yield words("nothing of it was kept", "dim")
    elif "prompt" in what and "checks" in what:
        yield from headed("the draft", Group(*_draft(what)))
    else:
        yield from headed("what it was", facts((key, shorten(value, 500)) for key, value in what.items()))
