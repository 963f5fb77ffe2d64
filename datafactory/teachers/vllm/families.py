"""Which of vLLM's parsers reads a model's tool calls, and which its thoughts.

Only parsers of both vLLM 0.25 and 0.32 are named. `vllm serve` finds neither by itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Family:
    """Models that write tool calls and thoughts in one way."""

    pattern: str
    """A regular expression, found in the model's name in lower case."""
    tools: str = ""
    """For `--tool-call-parser`; empty: the family has no tool calls that vLLM reads."""
    reasoning: str = ""
    """For `--reasoning-parser`; empty: the family does not think, or not apart from its answer."""


FAMILIES = (
    Family(r"qwen-?3-?coder", "qwen3_coder"),
    Family(r"qwen3\.\d", "qwen3_coder", "qwen3"),
    Family(r"qwen3.*instruct", "hermes"),
    Family(r"qwen3", "hermes", "qwen3"),
    Family(r"qwq", "hermes", "deepseek_r1"),
    Family(r"qwen2|hermes-[234]", "hermes"),
    Family(r"gpt-oss", "openai", "openai_gptoss"),
    Family(r"deepseek-r1-distill", "", "deepseek_r1"),
    Family(r"deepseek-r1", "deepseek_v3", "deepseek_r1"),
    Family(r"deepseek-v3\.1", "deepseek_v31", "deepseek_v3"),
    Family(r"deepseek-v3\.2", "deepseek_v32", "deepseek_v3"),
    Family(r"deepseek-v3", "deepseek_v3"),
    Family(r"kimi-k2-thinking|kimi-k2\.\d", "kimi_k2", "kimi_k2"),
    Family(r"kimi-k2", "kimi_k2"),
    Family(r"glm-4\.[56]", "glm45", "glm45"),
    Family(r"glm-4\.7|glm-5", "glm47", "glm45"),
    Family(r"minimax-m2", "minimax_m2", "minimax_m2"),
    Family(r"nemotron-3", "qwen3_coder", "nemotron_v3"),
    Family(r"magistral", "mistral", "mistral"),
    Family(r"mistral|ministral|mixtral|devstral", "mistral"),
    Family(r"llama-?4", "llama4_pythonic"),
    Family(r"llama-?3\.[123]", "llama3_json"),
    Family(r"gemma-?4", "gemma4", "gemma4"),
    Family(r"granite-3", "granite"),
    Family(r"seed-oss", "seed_oss", "seed_oss"),
    Family(r"olmo-?3.*think", "olmo3", "olmo3"),
    Family(r"olmo-?3", "olmo3"),
    Family(r"hunyuan-a13b", "hunyuan_a13b", "hunyuan_a13b"),
    Family(r"ernie-4\.5.*thinking", "ernie45", "ernie45"),
    Family(r"phi-4-mini", "phi4_mini_json"),
    Family(r"xlam", "xlam"),
)
"""The first that fits counts."""

_WRITTEN = (
    ("<function=", "qwen3_coder"),
    ("[TOOL_CALLS]", "mistral"),
    ("<|python_tag|>", "llama3_json"),
    ("<tool_call>", "hermes"),
)
"""How a chat template writes earlier tool calls, and who reads them."""


def family(model: str) -> Family:
    """Of a model's name; of a folder, by its own name or, failing that, by how its chat template writes tool calls."""
    folder = Path(model).expanduser()
    name = (folder.resolve().name if folder.is_dir() else model).lower()
    found = next((family for family in FAMILIES if re.search(family.pattern, name)), None)
    if found is not None or not folder.is_dir():
        return found or Family("")
    template = _template(folder)
    tools = next((parser for sign, parser in _WRITTEN if sign in template), "")
    return Family("", tools, "qwen3" if "enable_thinking" in template else "")


def _template(folder: Path) -> str:
    """The chat template in a model's folder, as text."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    try:
        return str(json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template", ""))
    except (OSError, ValueError, AttributeError):
        return ""
