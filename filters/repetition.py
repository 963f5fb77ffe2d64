"""Drops attempts that go round in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

PERIOD = 32
"""Words of the longest pattern that is looked for in one answer."""
SHORT = 8
"""Turns of the shortest attempt whose share of repeated turns counts."""
_CALLS = r'("tool_calls"\s*:\s*\[.*)$'
_IDS = r'"id"\s*:\s*"[^"]*"\s*,\s*"type"\s*:\s*"function"'
_KEYS = r'"keystrokes"\s*:\s*"(?:[^"\\]|\\.)*"'
_WAIT = r'"keystrokes"\s*:\s*""\n?'


class Repetition(Spec):
    """Drops attempts whose turns, or the words of whose answers, come again and again.

    A turn is what it does: its tool calls, the keystrokes that a text dialect sends, or else what it says; thoughts
    do not count. Waiting (no keystrokes) is no turn."""

    use_name = "repetition"
    rowwise: ClassVar[bool] = True

    max_run: int | None = Field(default=3, ge=1)
    """Equal turns in a row; OpenHands' detector takes four for stuck."""
    max_cycles: int | None = Field(default=2, ge=1)
    """How often a pattern of two or three turns may come one after another; OpenHands' takes three rounds of two
    for stuck, where results are equal too."""
    max_turn_share: float | None = Field(default=0.5, ge=0, le=1)
    """Largest share of turns that are equal to an earlier one, in attempts of eight turns and more."""
    ngram: int = Field(default=10, ge=2)
    """Words of the runs that are looked for in each answer; the longest for which Gopher has a limit."""
    max_ngram_share: float | None = Field(default=0.5, ge=0, le=1)
    """Largest share of an answer's words that stand in a run said before in it. Gopher (arXiv 2112.11446, table A1) has
    0.1 for web pages; programs, and thoughts that quote them, repeat more."""
    min_words: int = Field(default=200, ge=1)
    """Words of the shortest answer whose share counts."""
    max_stretch: int | None = Field(default=200, ge=1)
    """Longest stretch of an answer, in words, in which up to 32 words come again and again, four times at least."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`."""
        import polars as pl

        return pl.col("messages").map_batches(self._reasons, return_dtype=pl.String, is_elementwise=True)

    def _reasons(self, messages: pl.Series) -> pl.Series:
        import polars as pl

        places = pl.DataFrame({"row": pl.int_range(len(messages), dtype=pl.Int64, eager=True), "text": messages})
        number = pl.int_ranges(1, pl.col("text").list.len() + 1).alias("number")
        each = places.with_columns(number).filter(pl.col("text").list.len() > 0).explode("text", "number")
        spoken = each.filter(pl.col("text").str.contains(r'"role"\s*:\s*"assistant"'))
        reasons = places.select("row")
        for part in (self._turns(spoken), self._words(spoken)):
            reasons = reasons.join(part.unique("row", keep="first", maintain_order=True), on="row", how="left")
        kept = reasons.sort("row").select(pl.coalesce("reason", "reason_right").alias(messages.name))
        return kept[messages.name]

    def _turns(self, spoken: pl.DataFrame) -> pl.DataFrame:
        """`row` and `reason` of the rows whose turns come again."""
        import numpy as np
        import polars as pl

        from filters.repetition_kernels import repeated_turns

        rows = spoken.group_by("row", maintain_order=True).len()
        bounds = np.concatenate([[0], np.cumsum(rows["len"].to_numpy(), dtype=np.int64)])
        out = np.zeros((rows.height, 4), np.int64)
        repeated_turns(_deeds(spoken).to_numpy(), bounds, out)
        found = rows.with_columns(
            count=pl.Series(out[:, 0]),
            again=pl.Series(out[:, 1]),
            run=pl.Series(out[:, 2]),
            cycles=pl.Series(out[:, 3]),
        )
        reasons = [pl.lit(None, pl.String)]
        if self.max_run is not None:
            text = f"repetition: the same turn {{}} times in a row > {self.max_run}"
            reasons.append(pl.when(pl.col("run") > self.max_run).then(pl.format(text, "run")))
        if self.max_cycles is not None:
            text = f"repetition: the same two or three turns {{}} times > {self.max_cycles}"
            reasons.append(pl.when(pl.col("cycles") > self.max_cycles).then(pl.format(text, "cycles")))
        if self.max_turn_share is not None:
            text = f"repetition: {{}} of {{}} turns repeat an earlier one > {self.max_turn_share:g}"
            high = (pl.col("count") >= SHORT) & (pl.col("again") > pl.col("count") * self.max_turn_share)
            reasons.append(pl.when(high).then(pl.format(text, "again", "count")))
        return found.select("row", reason=pl.coalesce(reasons)).drop_nulls("reason")

    def _words(self, spoken: pl.DataFrame) -> pl.DataFrame:
        """`row` and `reason` of the answers whose words come again."""
        import numpy as np
        import polars as pl

        from filters.repetition_kernels import repeated_words
        from filters.shingles import said, shingles

        words = said(spoken.select(pl.col("text").reshape((-1, 1)).arr.to_list())["text"], ("assistant",))
        runs = shingles(words, self.ngram)
        out = np.zeros((spoken.height, 2), np.int64)
        repeated_words(words.values, words.bounds, runs.values, runs.bounds, self.ngram, PERIOD, out)
        found = spoken.select("row", "number").with_columns(
            words=pl.Series(np.diff(words.bounds)), again=pl.Series(out[:, 0]), stretch=pl.Series(out[:, 1])
        )
        reasons = [pl.lit(None, pl.String)]
        if self.max_stretch is not None:
            text = f"repetition: a pattern goes on for {{}} words > {self.max_stretch} (message {{}})"
            reasons.append(pl.when(pl.col("stretch") > self.max_stretch).then(pl.format(text, "stretch", "number")))
        if self.max_ngram_share is not None:
            limit = f"{self.ngram}-grams > {self.max_ngram_share:g}"
            text = f"repetition: {{}} of {{}} words stand in repeated {limit} (message {{}})"
            high = (pl.col("words") >= self.min_words) & (pl.col("again") > pl.col("words") * self.max_ngram_share)
            reasons.append(pl.when(high).then(pl.format(text, "again", "words", "number")))
        return found.select("row", reason=pl.coalesce(reasons)).drop_nulls("reason")


def _deeds(spoken: pl.DataFrame) -> pl.Series:
    """For each turn (JSON in `text`) a hash of what it does, uint64; 0: nothing."""
    import polars as pl

    text = pl.col("text")
    called = text.str.contains('"tool_calls"', literal=True)
    calls = pl.when(called).then(text).str.extract(_CALLS).str.replace_all(_IDS, "")
    said = spoken.select(calls.alias("calls"), text.str.json_path_match("$.content").alias("content"))
    content = pl.col("content")
    typed = pl.when(content.str.contains('"keystrokes"', literal=True)).then(content)
    keys = typed.str.extract_all(_KEYS).list.join("\n")
    waits = keys.str.replace_all(_WAIT, "") == ""
    deed = pl.coalesce("calls", pl.when(keys != "").then(keys), content)
    idle = deed.is_null() | (deed == "") | (pl.col("calls").is_null() & (keys != "") & waits)
    return said.select(pl.when(idle.fill_null(False)).then(pl.lit(0, pl.UInt64)).otherwise(deed.hash()))[:, 0]
