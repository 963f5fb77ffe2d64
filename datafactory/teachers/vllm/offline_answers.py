"""What vLLM's engine gave back, as our reply. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafactory.errors import TeacherError
from datafactory.teachers.openai_wire import log_probability
from datafactory.types import Finish, Logprobs, Message, Reply, Usage

if TYPE_CHECKING:
    from vllm import RequestOutput
    from vllm.logprobs import Logprob


def reply(
    output: RequestOutput,
    tokenizer: Any,
    *,
    model: str,
    opened: bool,
    tags: tuple[str, str],
    capped: bool,
    top: int = 0,
) -> Reply:
    """Our reply. `opened`: the prompt itself began the model's thoughts; `capped`: the context left less room than
    the answer was allowed; `top`: how many likely tokens were asked for at each place. Raises TeacherError where
    vLLM gave the answer up."""
    (said,) = output.outputs
    finish = _finish(said.finish_reason, capped)
    stopped_by = said.stop_reason if isinstance(said.stop_reason, str) else ""
    ids = list(said.token_ids)
    # With a stop text vLLM has decoded, and cut the text there; else the last token of an answer that ended by
    # itself is the model's mark of an end.
    text = said.text if stopped_by else _text(tokenizer, ids[:-1] if finish == "stop" else ids)
    reasoning, content = part(text, opened=opened, tags=tags)
    message = Message(
        role="assistant",
        content=content,
        reasoning_content=reasoning,
        logprobs=None if said.logprobs is None else logprobs(ids, said.logprobs, tokenizer, top),
    )
    usage = Usage(
        prompt_tokens=len(output.prompt_token_ids or ()),
        completion_tokens=len(ids),
        cached_tokens=output.num_cached_tokens or 0,
    )
    return Reply(message=message, finish=finish, stopped_by=stopped_by, usage=usage, model=model)


def _text(tokenizer: Any, ids: Sequence[int], *, special: bool = False) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=not special, clean_up_tokenization_spaces=False)
    return text


def _finish(reason: str | None, capped: bool) -> Finish:
    if reason == "stop":
        return "stop"
    if reason == "length":
        return "context" if capped else "length"
    raise TeacherError(f"vLLM gave the answer up ({reason})")


def part(text: str, *, opened: bool, tags: tuple[str, str]) -> tuple[str | None, str]:
    """Thoughts and answer. Thoughts that were cut off before their end leave no answer."""
    start, end = tags
    bare = text.lstrip()
    if not opened and not bare.startswith(start):
        return None, text
    thought, _, answer = bare.removeprefix(start).partition(end)
    return thought.strip() or None, answer.lstrip("\n")


def logprobs(
    ids: Sequence[int],
    places: Sequence[Mapping[int, Logprob] | None],
    tokenizer: Any,
    top: int,
) -> Logprobs:
    """Of each token, the mark of the end included; a token that is half a letter reads as `�`, and its id tells it."""
    known: dict[int, str] = {}

    def text(token: int) -> str:
        if token not in known:
            known[token] = _text(tokenizer, [token], special=True)
        return known[token]

    chosen, likely = [], []
    for token, place in zip(ids, places, strict=True):
        assert place is not None  # only a prompt's first token has none
        chosen.append(log_probability(place[token].logprob))
        ranked: dict[str, float] = {}
        # The chosen token is in a place even where it is none of the likeliest.
        for other, said in sorted(place.items(), key=lambda item: item[1].rank or 0):
            if (said.rank or 0) <= top:
                ranked.setdefault(text(other), log_probability(said.logprob))
        likely.append(ranked)
    return Logprobs(
        tokens=tuple(map(text, ids)), ids=tuple(ids), chosen=tuple(chosen), top=tuple(likely) if top else ()
    )
