"""Turns a chain into the instruction that an agent reads; its layouts are the files in `layouts`."""

from __future__ import annotations

import re

import jinja2

from generators.prompts import layouts
from generators.terminal_skills.bench import words
from generators.terminal_skills.compose import Chain

OPENINGS = {"letter": "letter_openings", "plain": "footers"}
"""Where a layout speaks in another voice than the usual."""


def _layouts() -> dict[str, jinja2.Template]:
    return layouts(__package__)


def instruction(chain: Chain) -> tuple[str, str]:
    """The text, and the name of the layout drawn for it."""
    bench, world = chain.bench, words("world")
    layout = bench.pick(list(_layouts()))
    sector = world["sectors"][bench.pick(bench.theme["sectors"])]
    org = f"{bench.pick(world['org_first'])} {bench.pick(sector['orgs'])}"
    persona = bench.pick(bench.pick([sector["personas"], world["personas"]]))
    number = f"{bench.slug().upper()}-{bench.rng.randint(100, 9999)}"
    opening = bench.pick(world[OPENINGS.get(layout, "openings")]).format(org=org, persona=persona, number=number)
    opening = re.sub(r"\b([Aa]) (?=[aeioI])", r"\1n ", opening)
    text = _layouts()[layout].render(
        opening=opening[0].upper() + opening[1:],
        inputs=[chain.stock.description, *(note for _, move in chain.links for note in move.inputs)],
        requirements=[move.text for _, move in chain.links],
        notes=_notes(chain),
        signature=f"{persona}, {org}",
    )
    return text.strip() + "\n", layout


def _notes(chain: Chain) -> list[str]:
    """What holds for the whole task."""
    bench, world = chain.bench, words("world")
    kinds = {p.kind for _, move in chain.links for p in move.products if p.judged}
    body = " ".join(move.text for _, move in chain.links)
    notes = []
    if "table" in kinds:
        notes.append(bench.pick(world["csv_notes"]))
    if "byte order" in body or "bytes" in body:
        notes.append(bench.pick(world["byte_notes"]))
    if kinds & {"lines", "edges", "series", "solution", "table"}:
        notes.append(bench.pick(world["newline_notes"]))
    if "in place" not in body and "Fix the file itself" not in body:
        notes.append(bench.pick(world["keep"]))
    notes.append(bench.pick(world["closings"]))
    bench.rng.shuffle(notes)
    return notes
