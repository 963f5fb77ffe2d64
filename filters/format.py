"""Keeps conversations that are well formed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from datafactory.types import Stop
from datafactory.types.messages import MALFORMED

if TYPE_CHECKING:
    import polars as pl


class Format(Spec):
    """Keeps conversations that end, that answer every tool call, and whose teacher mostly spoke the dialect.

    For scale: 64 % of the rows of Nemotron-Terminal-Corpus hold at least one turn that could not be parsed.
    """

    use_name = "format"
    rowwise: ClassVar[bool] = True

    max_fault_share: float = Field(default=0.5, ge=0, le=1)
    """Largest share of the teacher's turns that may be errors (unparsed, unknown tool)."""
    stops: tuple[Stop, ...] = ("submitted", "turn_limit", "token_limit", "time_limit")
    """Reasons of ending that stay; an attempt whose last answer was cut off, or that outgrew a context, does not."""
    ends_with_answer: bool = False
    """Whether a conversation must end with an answer of the teacher, or the results of its last tool calls."""
    empty: bool = False
    """Whether messages without content and tool calls stay (an empty tool result always does)."""
    loose_tools: bool = False
    """Whether tool results without a call, and tool calls without a result, stay; the last turn's calls need none."""
    broken_calls: bool = True
    """Whether calls stay that no tool could take: arguments that are no JSON object, or a tool that is not on offer.
    Such turns carry no loss, and `max_fault_share` bounds them."""
    half_said: bool = False
    """Whether a last answer stays that breaks off in a code block or in a JSON object."""
    untrainable: bool = False
    """Whether conversations without a turn that carries loss stay."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `stop`, `n_turns`, `n_faults`, `messages`, `tools` and `train_turns`."""
        import polars as pl

        messages = pl.col("messages").list.eval(pl.element().str.json_decode(_shape()))
        reasons = [self._stop(), pl.when(pl.col("n_turns") == 0).then(pl.lit("format: no answer")), self._faults()]
        if self.ends_with_answer:
            reasons.append(_unfinished(messages))
        if not self.empty:
            reasons.append(_empty(messages))
        if not self.loose_tools:
            reasons += [_orphans(messages), _unanswered(messages)]
        if not self.broken_calls:
            reasons += [_malformed(), _unknown(messages)]
        if not self.half_said:
            reasons.append(_half_said(messages))
        if not self.untrainable:
            none = ~pl.col("train_turns").list.any().fill_null(False)
            reasons.append(pl.when(none).then(pl.lit("format: no turn carries loss")))
        return pl.coalesce(reasons)

    def _stop(self) -> pl.Expr:
        import polars as pl

        return pl.when(~pl.col("stop").is_in(self.stops)).then(pl.format("format: stopped by {}", pl.col("stop")))

    def _faults(self) -> pl.Expr:
        import polars as pl

        faults, turns = pl.col("n_faults"), pl.col("n_turns")
        limit = f"format: {{}} of {{}} turns are errors > {self.max_fault_share:g}"
        return pl.when(faults > turns * self.max_fault_share).then(pl.format(limit, faults, turns))


def _shape() -> pl.Struct:
    import polars as pl

    call = pl.Struct({"id": pl.String, "function": pl.Struct({"name": pl.String})})
    text = ("role", "content", "tool_call_id")
    return pl.Struct({**dict.fromkeys(text, pl.String), "tool_calls": pl.List(call)})


def _field(name: str) -> pl.Expr:
    """A field of each message, inside `list.eval`."""
    import polars as pl

    return pl.element().struct.field(name)


def _turn() -> pl.Expr:
    """For each message, the number of the teacher's latest turn; 0 before the first."""
    return (_field("role") == "assistant").cum_sum()


def _ids() -> pl.Expr:
    """For each message, the ids of the calls that it makes."""
    import polars as pl

    found = _field("tool_calls").list.eval(pl.element().struct.field("id"))
    return pl.when(_field("role") == "assistant").then(found).fill_null(pl.lit([], dtype=pl.List(pl.String)))


def _calls(messages: pl.Expr, *, last_turn: bool) -> pl.Expr:
    """Tool calls as `<turn>/<call id>`, as some servers number the calls of each turn anew."""
    import polars as pl

    ids = (
        _ids() if last_turn else pl.when(_turn() < _turn().max()).then(_ids()).otherwise(pl.lit([], pl.List(pl.String)))
    )
    turns = _turn().repeat_by(ids.list.len()).explode()
    return messages.list.eval(pl.concat_str([turns, ids.explode()], separator="/").drop_nulls())


def _results(messages: pl.Expr) -> pl.Expr:
    """Tool results as `<turn>/<call id>`; one that names no call can answer none."""
    import polars as pl

    named = pl.concat_str([_turn(), _field("tool_call_id").fill_null("(none)")], separator="/")
    return messages.list.eval(pl.when(_field("role") == "tool").then(named).drop_nulls())


def _orphans(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    count = _results(messages).list.set_difference(_calls(messages, last_turn=True)).list.len()
    return pl.when(count > 0).then(pl.format("format: {} tool results without a call", count))


def _unanswered(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    count = _calls(messages, last_turn=False).list.set_difference(_results(messages)).list.len()
    return pl.when(count > 0).then(pl.format("format: {} tool calls without a result", count))


def _malformed() -> pl.Expr:
    import polars as pl

    # a key, and not part of a text, whose quotes are escaped
    count = pl.col("messages").list.eval(pl.element().str.contains(rf'[^\\]"{MALFORMED}"\s*:')).list.sum()
    return pl.when(count > 0).then(pl.format("format: {} turns with arguments that are no JSON object", count))


def _unknown(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    names = pl.element().struct.field("function").struct.field("name")
    called = messages.list.eval(_field("tool_calls").list.eval(names).explode().drop_nulls())
    unknown = called.list.set_difference(pl.col("tools").list.eval(pl.element().str.json_path_match("$.function.name")))
    shown = pl.format(
        "format: calls of {} tools that are not on offer, such as {}", unknown.list.len(), unknown.list.min()
    )
    return pl.when(unknown.list.len() > 0).then(shown)


def _half_said(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    last = messages.list.eval(_field("content").filter(_field("role") == "assistant").fill_null("")).list.last()
    text = last.str.strip_chars()
    fences = text.str.count_matches(r"(?m)^[ \t]*(?:```|~~~)")
    more = text.str.count_matches("{", literal=True) > text.str.count_matches("}", literal=True)
    opened = text.str.starts_with("{") & ~text.str.ends_with("}") & more
    return (
        pl.when(opened)
        .then(pl.lit("format: the last answer breaks off in a JSON object"))
        .when(fences % 2 == 1)
        .then(pl.lit("format: the last answer breaks off in a code block"))
    )


def _empty(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    blank = _field("content").fill_null("").str.strip_chars() == ""
    hollow = blank & (_field("role") != "tool") & (_ids().list.len() == 0)
    count = messages.list.eval(hollow).list.sum()
    return pl.when(count > 0).then(pl.format("format: {} empty messages", count))


def _unfinished(messages: pl.Expr) -> pl.Expr:
    import polars as pl

    last = messages.list.last().struct.field("role")
    return pl.when(~last.is_in(["assistant", "tool"])).then(pl.format("format: ends with a {} message", last))
