"""`datafactory corpora build, list, remove`: which corpora this machine has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory import corpora, registry
from datafactory.cli.printing import clean, console, say_json, size, words
from datafactory.corpora import Corpus, CorpusSpec
from datafactory.errors import ConfigError, DataError, RunError

if TYPE_CHECKING:
    from datafactory.pipeline.document import Document

_NOT_ONE = "it is no subclass of datafactory.corpora.CorpusSpec"


def build(source: str, use: str | None, name: str | None, options: list[str], *, as_json: bool) -> None:
    """Store the corpora of a file, or the one of the options. Raises ConfigError, DataError, StorageError."""
    made = _given(source, use, name, options) if use is not None else _in_file(Path(source), name, options)
    stored = [corpora.stock(each, tell=_progress(each.called())) for each in made]
    if as_json:
        say_json([_row(each.name, each) for each in stored])
        return
    for corpus in stored:
        _say(corpus)


def list_corpora(*, check: bool, as_json: bool) -> None:
    """Print them all, damaged ones too; exit status 1 where `check` finds one."""
    rows = [_looked_at(name, check) for name in corpora.every()]
    if as_json:
        say_json(rows)
    else:
        _table(rows)
    if check and any(row["problem"] for row in rows):
        sys.exit(1)


def remove(names: list[str], *, yes: bool) -> None:
    """Delete them all, or none. Raises ConfigError for a name that is not there, or where nobody can be asked."""
    full = [name if name.startswith(corpora.PREFIX) else f"{corpora.PREFIX}{name}" for name in names]
    missing = [name for name in full if not corpora.home(name).is_dir()]
    if missing:
        raise ConfigError([f"no {name} on this machine{registry.suggest(name, corpora.every())}" for name in missing])
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("nobody can be asked here: say --yes")
        print(f"Delete {', '.join(full)}? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise RunError("nothing was deleted")
    freed = sum(_size(corpora.home(name)) for name in full)
    for name in full:
        corpora.remove(name)
    print(f"freed {size(freed)}")


def _given(source: str, use: str, name: str | None, options: list[str]) -> list[CorpusSpec]:
    import yaml

    kind = registry.find("corpus", use)
    if not issubclass(kind, CorpusSpec):
        raise ConfigError(f"--use {use}: {_NOT_ONE}")
    value: dict[str, Any] = {"use": use}
    if kind.place_key:
        value[kind.place_key] = [source] if kind.place_key == "files" else source
    for option in options:
        key, given, text = option.partition("=")
        if not given:
            raise ConfigError(f"--set {option!r}: write KEY=VALUE; `datafactory explain corpus {use}` has the keys")
        try:
            value[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {option!r}: not good YAML after '='") from error
    if name is not None:
        value["name"] = name
    problems: list[registry.Problem] = []
    made = registry.build("corpus", value, (), problems)
    if problems or not isinstance(made, CorpusSpec):
        raise ConfigError([str(problem) for problem in problems])
    return [made]


def _in_file(path: Path, name: str | None, options: list[str]) -> list[CorpusSpec]:
    """Those that a file names: itself, under `corpora`, or anywhere in a pipeline under `corpus`."""
    from datafactory.pipeline.document import read

    if name is not None or options:
        raise ConfigError("--name and --set go with --use; a file has them as keys")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: say what to read in it, such as --use html")
    doc = read(path)
    problems: list[registry.Problem] = []
    made: dict[str, CorpusSpec] = {}
    for place, value in _found(doc.value, ()):
        spec = registry.build("corpus", value, place, problems)
        if isinstance(spec, CorpusSpec):
            made.setdefault(str(spec.describe()), spec)
        elif spec is not None:
            problems.append(registry.Problem(place, _NOT_ONE))
    if problems:
        raise ConfigError([_at(doc, problem) for problem in problems])
    if not made:
        raise ConfigError(f"{path}: names no corpus, such as `corpus: {{use: html, folder: docs}}`")
    return list(made.values())


def _found(value: Any, place: registry.Path) -> Iterator[tuple[registry.Path, Any]]:
    if isinstance(value, dict) and "use" in value and not place:
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "corpus":
                yield (*place, key), item
            elif key == "corpora" and isinstance(item, list):
                yield from (((*place, key, number), each) for number, each in enumerate(item))
            else:
                yield from _found(item, (*place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _found(item, (*place, number))


def _at(doc: Document, problem: registry.Problem) -> str:
    return f"{doc.path}:{doc.line(problem.path)}: {problem}"


def _progress(called: str) -> Any:
    """A line on a terminal that counts; nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    return lambda pages: print(f"\r{called}: {pages:,} pages", end="\r", file=sys.stderr, flush=True)


def _say(corpus: Corpus) -> None:
    found = corpus.manifest
    out = console()
    out.print(words(corpus.name, "bold"))
    passages = f"{found.passages:,} passages, {found.links:,} links between pages, {found.aliases:,} other names"
    out.print(words(f"  {found.pages:,} pages, {passages}, {size(_size(corpus.folder))}"))
    if found.rejects:
        said = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.rejects.items()))
        out.print(words(f"  not taken: {said}; each is in {corpus.folder / 'rejects.jsonl'}", "yellow"))


def _looked_at(name: str, check: bool) -> dict[str, Any]:
    try:
        corpus = corpora.find(name)
        if check:
            corpus.check()
    except (DataError, ConfigError) as error:
        return _row(name, None) | {"problem": str(error)}
    return _row(name, corpus)


def _row(name: str, corpus: Corpus | None) -> dict[str, Any]:
    found = corpus.manifest if corpus else None
    folder = corpora.home(name)
    return {
        "name": name,
        "title": found.title if found else None,
        "digest": found.digest if found else None,
        "pages": found.pages if found else None,
        "passages": found.passages if found else None,
        "links": found.links if found else None,
        "aliases": found.aliases if found else None,
        "dropped_links": found.dropped_links if found else None,
        "rejects": found.rejects if found else None,
        "made": found.made if found else None,
        "size": _size(folder),
        "folder": str(folder),
        "problem": None,
    }


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("corpus", overflow="fold")
    for column in ("pages", "passages", "links", "disk"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        counts = ("-" if row[key] is None else f"{row[key]:,}" for key in ("pages", "passages", "links"))
        table.add_row(words(row["name"]), *counts, size(row["size"]))
    if rows:
        out.print(table)
    for row in rows:
        if row["problem"]:
            out.print(words(clean(row["problem"]), "yellow"))
    total = size(sum(row["size"] for row in rows))
    out.print(words(f"{len(rows)} {'corpus' if len(rows) == 1 else 'corpora'}, {total} on disk"))


def _size(folder: Path) -> int:
    """Bytes on disk, indexes too."""
    found = 0
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            if path.exists():
                found += 512 * path.stat().st_blocks
    return found
