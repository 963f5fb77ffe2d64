"""`datafactory show`: the funnel of a run, or one of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.cli.funnel import STEPS, Funnel, StageTally, count
from datafactory.cli.printing import bar, console, say_json, shorten, words
from datafactory.storage import open_run

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

REASONS = 8
"""Reasons of a stage that are printed; `--json` has them all."""
KINDS = 2
"""Kinds of a filter's reasons that are printed under it."""


def show(run: str, id: str | None, runs: Path, *, as_json: bool) -> None:
    """Print the funnel of a run, or the record whose id is `id` or begins so. Raises DataError."""
    folder = open_run(run, runs)
    if id is None:
        funnel = count(folder)
        if as_json:
            from datafactory.cli.topics import topics_in

            say_json(funnel.as_json() | {"topics": topics_in(funnel.dataset)})
        else:
            _print(funnel, console())
        return
    from datafactory.cli.finding import dropped_by, find, question_of

    found = find(folder, id)
    dropped = dropped_by(folder, found.id) if found.kind == "trajectory" else None
    if as_json:
        by = None if dropped is None else {"filter": dropped[0], "reason": dropped[1]}
        say_json(
            {"kind": found.kind, "id": found.id, "stage": str(found.stage.path), "dropped": by, "record": found.row}
        )
        return
    from datafactory.cli.describing import describe

    out = console()
    out.print(describe(found, question_of(folder, found.row) if found.kind == "trajectory" else None))
    if dropped is not None:
        out.print(words(f"not kept: {dropped[1]} (filter {dropped[0]})", "yellow"))


def _print(funnel: Funnel, out: Console) -> None:
    out.print(words(f"{funnel.name}  seed {funnel.seed}  {funnel.path}", "bold"))
    out.print()
    out.print(_stages(funnel))
    out.print()
    if funnel.generators:
        out.print(_generators(funnel))
    else:
        out.print(words("nothing was made yet", "dim"))
    if funnel.held_out:
        out.print()
        out.print(words(_held_out(funnel.held_out)))
    _print_reasons(funnel, out)
    _print_attempts(funnel, out)
    _print_topics(funnel, out)
    _print_scores(funnel, out)
    _print_costs(funnel, out)
    out.print()
    if funnel.dataset is not None:
        out.print(words(f"dataset: {funnel.rows:,} rows in {funnel.dataset}"), soft_wrap=True)
    else:
        out.print(words("dataset: none yet; the stages select and arrange write it", "dim"))


def _stages(funnel: Funnel) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("stage", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for column in ("records", "rejected", "lost"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("folder", overflow="fold")
    for stage in funnel.stages:
        cells = [f"{stage.records:,}", f"{stage.rejected.total():,}", f"{stage.lost.total():,}"]
        blank = ["", "", ""] if stage.state == "new" else cells
        table.add_row(words(stage.stage), stage.state, *blank, words(Path(stage.folder).name))
    return table


def _generators(funnel: Funnel) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("generator", max_width=30, overflow="fold")
    for step in STEPS:
        table.add_column(step, justify="right", no_wrap=True)
    for name, counts in sorted(funnel.generators.items()):
        table.add_row(words(name), *(f"{counts[step]:,}" if step in funnel.reached else "-" for step in STEPS))
    if len(funnel.generators) > 1:
        totals = [funnel.total(step) for step in STEPS]
        table.add_row("all", *("-" if t is None else f"{t:,}" for t in totals), style="bold")
    table.add_row("came through", *_shares(funnel), style="dim")
    return table


def _held_out(counts: Counter[str]) -> str:
    said = f"held out for evaluation: {counts.total():,} tasks"
    return f"{said}, {counts['combination']:,} with their combination of skills and {counts['task']:,} alone"


def _shares(funnel: Funnel) -> list[str]:
    """What of a step came through, under it: sound of the drafts, solved of the judged, kept of the tried."""
    of = {"sound": funnel.total("made"), "solved": funnel.judged, "kept": funnel.total("tried")}
    shares = []
    for step in STEPS:
        whole, part = of.get(step), funnel.total(step)
        shares.append(f"{100 * part / whole:.1f} %" if whole and part is not None else "")
    return shares


def _print_reasons(funnel: Funnel, out: Console) -> None:
    for stage in funnel.stages:
        if stage.rejected:
            out.print()
            seen = stage.records + stage.rejected.total()
            out.print(words(f"rejected by {stage.stage}, of {seen:,}"))
            _print_rejected(stage, seen, out)
        if stage.gathered:
            out.print()
            out.print(words(f"sources of {stage.stage}"))
            for source in stage.gathered:
                out.print(words(f"  {source['rows']:>7,}  {_source(source)}"), soft_wrap=True)
        for name, said in stage.measured.items():
            out.print(words(f"  {shorten(name, 40)}, held against verdicts: {measured(said)}"), soft_wrap=True)
        if stage.lost:
            out.print()
            out.print(words(f"lost to the infrastructure in {stage.stage}, with the last error of each kind"))
            for what, number in stage.lost.most_common(REASONS):
                out.print(words(f"  {number:>7,}  {shorten(what, 68)}"))
                out.print(words(f"           {shorten(stage.errors[what], 200)}", "dim"))


def measured(said: Mapping[str, Any]) -> str:
    """A filter's precision and recall in words, with their intervals."""

    def share(name: str) -> str:
        if said[name] is None:
            return f"{name} unknown"
        value, low, high = said[name]
        return f"{name} {value:.3f} [{low:.3f}, {high:.3f}]"

    return f"{share('precision')}, {share('recall')} ({said['verified']:,} rows, {said['solved']:,} solved)"


def _print_rejected(stage: StageTally, seen: int, out: Console) -> None:
    counts = stage.rejected
    for reason, number in counts.most_common(REASONS):
        share = number / seen
        out.print(words(f"  {number:>7,}  {100 * share:>5.1f} %  {bar(share)}  {shorten(reason, 48)}"))
        for kind in stage.reasons.get(reason, [])[:KINDS]:
            more = f" (and {kind['rows'] - 1:,} like it)" if kind["rows"] > 1 else ""
            out.print(words(f"{'':29}{shorten(kind['reason'], 50 - len(more))}{more}", "dim"))
    if len(counts) > REASONS:
        rest = sum(number for _, number in counts.most_common()[REASONS:])
        out.print(words(f"  {rest:>7,}  for {len(counts) - REASONS} other reasons (--json has them all)", "dim"))


def _source(source: Mapping[str, Any]) -> str:
    """One source of `gather` in words."""
    said = [f"{source['name']}, from {source['at']}"]
    said += [f"{source['ids_told_apart']:,} ids told apart"] if source["ids_told_apart"] else []
    said += [f"{source['unreadable']:,} rows unreadable"] if source["unreadable"] else []
    dropped = source["columns_dropped"]
    said += [f"columns dropped: {shorten(', '.join(dropped), 60)}"] if dropped else []
    return "; ".join(said)


def _print_attempts(funnel: Funnel, out: Console) -> None:
    if not funnel.stops:
        return
    out.print()
    out.print(words(f"attempts by {_listed(funnel.teachers)}"))
    models = Counter({model: number for model, number in funnel.models.items() if model})
    if models.keys() - funnel.teachers.keys():  # the oracle names itself
        out.print(words(f"  models: {_listed(models)}"))
    out.print(words(f"  ended: {_listed(funnel.stops)}"))
    numbers = [f"mean turns {funnel.mean_turns:.1f}"] if funnel.mean_turns is not None else []
    if funnel.mean_reward is not None:
        numbers.append(f"mean reward {funnel.mean_reward:.3f} over {funnel.judged:,} judged")
    out.print(words(f"  {', '.join(numbers)}"))


def _print_topics(funnel: Funnel, out: Console) -> None:
    if funnel.dataset is None:
        return
    from datafactory.cli.topics import drawn, topics_in

    if topics := topics_in(funnel.dataset):
        out.print()
        out.print(drawn(topics))


def _print_scores(funnel: Funnel, out: Console) -> None:
    if not any(stage.stage == "evaluate" and stage.records for stage in funnel.stages):
        return
    from datafactory.cli.scoring import evaluation_in, in_short

    out.print()
    out.print(words(f"students: {in_short(evaluation_in(open_run(funnel.path))[0])}"), soft_wrap=True)
    out.print(words(f"  more: datafactory scores {funnel.name}", "dim"))


def _print_costs(funnel: Funnel, out: Console) -> None:
    costs = funnel.costs
    if not costs.known:
        return
    out.print()
    out.print(costs.table())
    if said := costs.outcome():
        out.print(words(said))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{shorten(name, 40)} {number:,}" for name, number in counts.most_common())
