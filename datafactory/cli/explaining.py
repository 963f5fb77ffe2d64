"""`datafactory explain`: what components there are, what each does and every key that it takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table

from datafactory import registry
from datafactory.cli.keys import Key, example, inline, keys, paragraph
from datafactory.cli.printing import clean, console, say_json, words
from datafactory.errors import ConfigError
from datafactory.spec import Spec

if TYPE_CHECKING:
    from rich.console import Console

TOP = "pipeline"
"""What the top of a pipeline file is called here; it is no component, but it has keys."""


def explain(kind: str | None, name: str | None, *, as_json: bool) -> None:
    """Print the kinds, the components of a kind, or one component. Raises ConfigError for an unknown one."""
    known = [TOP, *registry.KINDS]
    if kind is not None and kind not in known:
        raise ConfigError(f"unknown kind {clean(kind)!r}{registry.suggest(kind, known)}")
    if kind == TOP:
        from datafactory.pipeline.pipeline import PipelineFile

        _explain_one(TOP, TOP, PipelineFile, as_json=as_json)
    elif kind is not None and name is not None:
        _explain_one(kind, name, registry.find(kind, name), as_json=as_json)
    else:
        _list([kind] if kind else list(registry.KINDS), as_json=as_json)


def _list(kinds: list[str], *, as_json: bool) -> None:
    made = {kind: {name: _first(kind, name) for name in registry.table(kind)} for kind in kinds}
    if as_json:
        say_json(made)
        return
    out = console()
    for kind, names in made.items():
        out.print(words(kind, "bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, said in names.items():
            table.add_row(words(f"  {name}"), words(said))
        out.print(table)
        if not names:
            out.print(words("  none in this version; a class of your own is written package.module:Class", "dim"))
        out.print()
    where = f"datafactory explain {kinds[0]} NAME" if len(kinds) == 1 else "datafactory explain KIND NAME"
    out.print(words(f"every key of one: {where}; of the top of the file: datafactory explain {TOP}", "dim"))


def _first(kind: str, name: str) -> str:
    """What a component does, in a sentence; a component that this machine cannot load says why."""
    try:
        return paragraph(registry.find(kind, name)).partition(". ")[0].rstrip(".")
    except (ConfigError, ImportError) as error:
        return f"(cannot be loaded: {clean(error, one_line=True)})"


def _explain_one(kind: str, name: str, cls: type[Spec], *, as_json: bool) -> None:
    snippet = example(kind, name, cls)
    place = f"{cls.__module__}:{cls.__qualname__}"
    if as_json:
        say_json(
            {
                "kind": kind,
                "name": name,
                "class": place,
                "doc": paragraph(cls),
                "keys": [asdict(key) for key in keys(cls)],
                "example": snippet,
            }
        )
        return
    out = console()
    out.print(
        words(f"{kind} {name}" if kind != TOP else "the top of a pipeline file", "bold").append(f"  {place}", "dim")
    )
    out.print(words(paragraph(cls)))
    out.print()
    for key in keys(cls):
        _print_key(key, out)
    if not cls.model_fields:
        out.print(words("It takes no keys.", "dim"))
    out.print()
    out.print(words("in a pipeline file", "dim"))
    out.print(words(snippet), soft_wrap=True)


def _print_key(key: Key, out: Console) -> None:
    state = "required" if key.required else f"default {'none' if key.default is None else inline(key.default)}"
    out.print(words(f"  {key.key}", "bold").append_text(words(f"   {key.type}; {state}", "not bold")))
    said = [key.doc] if key.doc else []
    if key.component:
        said.append(f"See: datafactory explain {key.component}.")
    if key.speed:
        said.append("(A knob of speed: it does not change the data.)")
    if said:
        out.print(Padding(words(" ".join(said), "dim"), (0, 0, 0, 6), expand=False))
