"""Turns one row into token ids, and says of each whether it carries loss."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from datafactory.errors import DataError
from sft.rendering.literal import Literal
from sft.rendering.template import Template, Wire

if TYPE_CHECKING:
    import numpy as np

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as tokens, cut after the last one that carries loss: what follows teaches nothing."""

    ids: np.ndarray[Any, Any]
    """Token ids, int32, shape (length,)."""
    trained: np.ndarray[Any, Any]
    """Whether each carries loss, bool, the same shape."""
    turns: int
    """Answers that carry loss."""
    cut_turns: int
    """Answers that would, and lie past the length that the student is trained on."""

    @property
    def trainable(self) -> int:
        """Tokens that carry loss."""
        return int(self.trained.sum())


class Renderer:
    """Renders rows for one student.

    The text is tokenized in pieces that begin and end where an answer does, as a server that is given the prompt and
    writes the answer would: no token reaches over that edge. Loss is on the answers that `train_turns` marks, each
    whole, with its end-of-turn token (SWE-HERO, arXiv 2604.01496, section 2.2: tool outputs are masked).
    """

    def __init__(self, tokenizer: Any, *, template: Template | None = None, max_length: int | None = None) -> None:
        self.template = template or Template(tokenizer, training_template(tokenizer))
        self.max_length = max_length
        self._tokenizer = tokenizer
        self._literal = Literal(str(token) for token in tokenizer.all_special_tokens)
        self._splits = _splits(tokenizer)

    def render(self, row: Mapping[str, Any]) -> Rendered:
        """The tokens of a row (`messages`, `tools`, `train_turns`; JSON decoded). Raises DataError where the template
        cannot show it, or nothing of it would be trained within `max_length` tokens."""
        messages: Sequence[Wire] = row["messages"]
        wanted = _wanted(messages, row.get("train_turns") or ())
        mark, (told, tools) = self._literal.marked(list(messages), list(row.get("tools") or ()))
        shown = self.template.show(told, tools)
        ids, trained, ends = self._tokens(_LONE_SURROGATE.sub("\ufffd", shown.text), shown.turns, wanted, mark)
        fits = [end for end in ends if self.max_length is None or end <= self.max_length]
        if not fits:
            past = f" within {self.max_length:,} tokens: the first ends at {ends[0]:,}" if ends else ""
            raise DataError(f"no answer of the row carries loss{past}")
        return Rendered(ids[: fits[-1]], trained[: fits[-1]], len(fits), len(ends) - len(fits))

    def _tokens(
        self, text: str, turns: Sequence[tuple[int, int]], wanted: Sequence[bool], mark: str
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[int]]:
        """Ids, whether each is trained, and the lengths at which trained turns end."""
        import numpy as np

        pieces = list(_pieces(text, turns, wanted))
        encoded = self._apart(pieces, mark) if self._splits else self._whole(text, pieces, mark)
        ids = np.concatenate([np.asarray(each, dtype=np.int32) for each in encoded])
        lengths = [len(each) for each in encoded]
        trained = np.repeat(np.asarray([learned for _, learned in pieces]), lengths)
        ends = np.cumsum(lengths)
        return ids, trained, [int(end) for end, (_, learned) in zip(ends, pieces, strict=True) if learned]

    def _apart(self, pieces: Sequence[tuple[str, bool]], mark: str) -> list[list[int]]:
        # A template that escapes all but ASCII shows the mark by its number.
        parts = [re.split(rf"{mark}|\\u{ord(mark):04x}", text) if mark else [text] for text, _ in pieces]
        return [[token for part in each if part for token in self._encode(part)] for each in parts]

    def _whole(self, text: str, pieces: Sequence[tuple[str, bool]], mark: str) -> list[list[int]]:
        """By the places of tokens in the whole text, for tokenizers that put a blank before whatever they are given."""
        if mark:
            raise DataError("a control token stands in the row's own text, which this tokenizer cannot tell apart")
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        made: list[list[int]] = [[] for _ in pieces]
        edges = list(accumulate(len(piece) for piece, _ in pieces))
        for token, (start, _) in zip(found["input_ids"], found["offset_mapping"], strict=True):
            made[bisect_right(edges, start)].append(token)
        return made

    def _encode(self, text: str) -> list[int]:
        made: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return made


def _splits(tokenizer: Any) -> bool:
    """Whether a text may be tokenized in pieces: they come back as they were, with nothing put before them."""
    parts = ("zebra", " asks", "\n", "\n  what", "?")
    ids = [token for part in parts for token in tokenizer.encode(part, add_special_tokens=False)]
    return bool(tokenizer.decode(ids, clean_up_tokenization_spaces=False) == "".join(parts))


def training_template(tokenizer: Any) -> str | None:
    """TRL's training variant of a known family's template, which keeps earlier turns as they were and marks answers;
    None: the tokenizer's own will do, or the family is not known."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        return get_training_chat_template(tokenizer)
    except ValueError:
        return None


def _wanted(messages: Sequence[Wire], train_turns: Sequence[bool]) -> list[bool]:
    """For each answer, whether it carries loss; all do where the row does not say."""
    if train_turns and len(train_turns) != len(messages):
        raise DataError(f"train_turns has {len(train_turns)} values for {len(messages)} messages")
    marked = train_turns or [True] * len(messages)
    return [bool(on) for message, on in zip(messages, marked, strict=True) if message["role"] == "assistant"]


def _pieces(text: str, turns: Sequence[tuple[int, int]], wanted: Sequence[bool]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, with whether each carries loss; none is empty."""
    at = 0
    for (start, end), learned in zip(turns, wanted, strict=True):
        if start > at:
            yield text[at:start], False
        if end > start:
            yield text[start:end], learned
        at = end
    if at < len(text):
        yield text[at:], False
