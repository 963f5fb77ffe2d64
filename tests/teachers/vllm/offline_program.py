"""A script that uses the teacher vllm_offline as a stage would, run by a Python that has vllm; prints lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from datafactory.errors import ConfigError, FactoryError
from datafactory.protocols import Episode
from datafactory.teachers.vllm.offline import VLLMOfflineTeacher
from datafactory.teachers.vllm.offline_chat import OfflineChat
from datafactory.teachers.vllm.offline_engine import Engine
from datafactory.types import Message, Reply

CONTEXT = 512
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% if think %}<think>\n{% endif %}{% endif %}"
)
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 99}, "yes": {"type": "boolean"}},
    "required": ["n", "yes"],
    "additionalProperties": False,
}


def make(folder: Path) -> None:
    """A Qwen3 of four layers with random weights, whose tokens are bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    words = {byte: number for number, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    raw = Tokenizer(models.BPE(vocab=words, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(["<|end|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|end|>", chat_template=TEMPLATE)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 4, "max_position_embeddings": CONTEXT}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 64}
    end = tokenizer.eos_token_id
    config = Qwen3Config(vocab_size=len(tokenizer), eos_token_id=end, bos_token_id=None, **shape, **heads)
    Qwen3ForCausalLM(config).save_pretrained(folder)


def teacher(folder: Path, **fields: Any) -> VLLMOfflineTeacher:
    return VLLMOfflineTeacher(model=str(folder), temperature=1.0, engine={"enforce_eager": True}, **fields)


def ask(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


def say(name: str, value: Any) -> None:
    print(json.dumps({name: value}), flush=True)


def told(reply: Reply) -> dict[str, Any]:
    return reply.model_dump(mode="json")


def cores() -> list[int]:
    """The engine cores of this process: its children with a session of their own."""
    found = set()
    for thread in Path("/proc/self/task").iterdir():
        # A thread of the engine, or a child of it, may end between being listed and being asked.
        with suppress(FileNotFoundError, ProcessLookupError):
            children = [int(number) for number in (thread / "children").read_text().split()]
            found |= {pid for pid in children if leads(pid)}
    return sorted(found)


def leads(pid: int) -> bool:
    """Whether process pid leads a session; one that is gone does not."""
    with suppress(ProcessLookupError):
        return os.getsid(pid) == pid
    return False


async def answers(folder: Path) -> None:
    """Every kind of answer, an engine that is killed, and an end."""
    # Little more than one prompt at a time: where prompts may be taken in by parts, some are.
    spec = teacher(folder, max_tokens=24, tuning={"max_num_batched_tokens": CONTEXT})
    async with Engine(spec.arguments()) as engine:
        await questions(folder, engine)
        chat = OfflineChat(spec, engine)
        say("gpus", engine.gpus)
        say("waves", await waves(chat, engine))
        chat.close()
        say("core", cores())
        say("log", str(engine._lifeline.log if engine._lifeline else ""))
    say("left", cores())
    await mistakes(folder)


async def questions(folder: Path, engine: Engine) -> None:
    def chat(**fields: Any) -> OfflineChat:
        return OfflineChat(teacher(folder, **fields), engine)

    plain = chat(max_tokens=24, seed=5)
    first = await plain.reply(ask("one"), episode=Episode("a", 1))
    say("text", told(first))
    say("again", told(await plain.reply(ask("one"), episode=Episode("a", 1))))
    say("other", told(await plain.reply(ask("one"), episode=Episode("a", 2))))
    crowd = [plain.reply(ask(letter * 400), episode=Episode(letter, 1)) for letter in LETTERS]
    say("crowd", [told(reply) for reply in await asyncio.gather(*crowd)])
    long = "the same beginning, " * 18
    say("prefix", [told(await plain.reply(ask(long + end))) for end in ("one", "two")])
    say("overflow", told(await plain.reply(ask("x" * CONTEXT))))
    say("full", told(await plain.reply(ask("x" * (CONTEXT - 40)))))
    say("schema", [told(r) for r in await every(chat(max_tokens=200, extra={"min_p": 0.0}), schema=SCHEMA)])
    mark = first.message.content.rstrip()[-1]
    say("stopped", told(await chat(max_tokens=24, seed=5, stop=(mark,)).reply(ask("one"), episode=Episode("a", 1))))
    say("logprobs", told(await chat(max_tokens=8, logprobs=True, top_logprobs=3).reply(ask("one"))))
    thinking = chat(max_tokens=200, think_tags=("<think>", "e"), chat_template_kwargs={"think": True})
    say("thinking", [told(r) for r in await every(thinking)])
    for name, doing in (
        ("tools", plain.reply(ask("one"), tools=[{"type": "function", "function": {"name": "bash"}}])),
        ("schema_refused", plain.reply(ask("one"), schema={"type": "no such type"})),
    ):
        try:
            await doing
        except FactoryError as error:
            say(name, [type(error).__name__, str(error)])
    try:
        chat(extra={"min_pp": 1})
    except ConfigError as error:
        say("extra", str(error))


async def mistakes(folder: Path) -> None:
    """Specs that cannot be opened."""
    (hollow := folder / "hollow").mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (hollow / name).write_bytes((folder / name).read_bytes())
    for name, spec in (
        ("no_model", teacher(folder / "gone")),
        ("no_argument", VLLMOfflineTeacher(model=str(folder), engine={"enforce_eagre": True})),
        ("too_long", teacher(folder, max_model_len=10 * CONTEXT)),
        ("no_weights", teacher(hollow)),
    ):
        try:
            async with spec.open():
                say(name, "it opened")
        except FactoryError as error:
            say(name, [type(error).__name__, str(error)])


async def every(chat: OfflineChat, **more: Any) -> Sequence[Reply]:
    return await asyncio.gather(*(chat.reply(ask(letter), **more) for letter in LETTERS[:8]))


async def waves(chat: OfflineChat, engine: Engine) -> dict[str, Any]:
    """400 calls at once, the core killed among them; those that failed are asked again."""
    (core,) = cores()
    asked = [asyncio.ensure_future(chat.reply(ask(f"call {number}"))) for number in range(400)]
    while not any(call.done() for call in asked):
        await asyncio.sleep(0.01)
    os.kill(core, signal.SIGKILL)
    done = await asyncio.gather(*asked, return_exceptions=True)
    failed = [number for number, found in enumerate(done) if not isinstance(found, Reply)]
    kinds = sorted({type(done[number]).__name__ for number in failed})
    again = await asyncio.gather(*(chat.reply(ask(f"call {number}")) for number in failed))
    return {
        "answered": len(done) - len(failed),
        "failed": kinds,
        "said": str(done[failed[-1]]) if failed else "",
        "again": len(again),
        "lengths": sorted({reply.usage.completion_tokens for reply in again}),
        "new_core": cores() != [core],
    }


async def hold(folder: Path) -> None:
    """Open a chat and wait; an interruption ends it in order."""
    waiting = asyncio.create_task(announce())
    try:
        async with teacher(folder).open():
            say("up", cores())
            await asyncio.sleep(600)
    finally:
        waiting.cancel()
        say("left", cores())


async def announce() -> None:
    """Say that the core has begun, long before it is up."""
    while not cores():
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    say("begun", cores())


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        make(place)
    else:
        asyncio.run({"answers": answers, "hold": hold}[what](place))
