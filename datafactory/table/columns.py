"""The columns of the dataset, and their types in Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["string", "int64", "float64", "bool", "json", "strings", "bools", "jsons", "checks", "scores"]
"""`json` is any JSON value, which lies in Parquet as JSON text; a plural is a list."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what a cell is, and what it says."""

    name: str
    kind: Kind
    about: str


COLUMNS: tuple[Column, ...] = (
    Column("id", "string", "`<task_id>/<attempt>`, unique in the dataset"),
    Column("task_id", "string", "the task that was attempted"),
    Column("attempt", "int64", "number of the attempt at that task, from 0"),
    Column("instruction", "string", "the task's prompt"),
    Column("domain", "string", "one of the nine domains of terminal work, or the generator's own"),
    Column("skills", "strings", "primitive skills that the task asks for"),
    Column("difficulty", "string", "`easy`, `medium` or `hard`, as the generator meant it"),
    Column("generator", "string", "the generator that made the task, by its name in the pipeline file"),
    Column("teacher", "string", "who acted; `oracle` is the embedded expert, which is no model"),
    Column(
        "agent",
        "string",
        "the dialect: `terminus-2`, `search-tags` (text), `tools`, `openhands` or `search` (native tool calls)",
    ),
    Column("model", "string", "the model that acted, as it names itself; `oracle` or `scripted` where none did"),
    Column("license", "string", "licence of what the task was made from; empty: none recorded"),
    Column("repo", "string", "of an SWE task: the repository, such as `toolz` or `owner__name`; empty: it is none"),
    Column("instance_id", "string", "of an SWE task: its id in rows of SWE-bench's kind; empty: it is none"),
    Column("messages", "jsons", "the conversation, OpenAI messages with tool arguments as objects"),
    Column("tools", "jsons", "JSON schemas of the tools on offer, OpenAI shape; empty in a text dialect"),
    Column("train_turns", "bools", "for each message, whether its tokens should carry loss"),
    Column("masked", "strings", "for each message, why `mask` took its loss, or null; empty: it took none"),
    Column(
        "stop", "string", "why the attempt ended: submitted, truncated, or the limit that it reached (docs/agent.md)"
    ),
    Column("reward", "float64", "weighted share of the checks that passed, 0 to 1; null: not verified"),
    Column("solved", "bool", "whether every check passed; null: not verified"),
    Column("resolved", "int64", "the same as 1, 0 or -1 (not verified)"),
    Column("checks", "checks", "what each check found: name, outcome, score, weight"),
    Column("violations", "jsons", "what the sandbox did not allow: command and reason"),
    Column("model_patch", "string", "of an SWE task: what the attempt changed, as git shows it; null: not asked for"),
    Column("held_out", "strings", "of an SWE task: test files that judge the attempt, relative to the repository"),
    Column("corpus", "string", "of a question: the corpus that it is asked about; empty: it is none"),
    Column("answer", "string", "of a question: what was answered; null: nothing was"),
    Column(
        "answers",
        "strings",
        "of a question: what counts as right, the usual form first; empty: the corpus has no answer, or it is none",
    ),
    Column("evidence", "strings", "of a question: urls of the pages that support the answer, as they were composed"),
    Column("found", "strings", "of a question: urls of the pages whose passages a search showed, in order"),
    Column("visited", "strings", "of a question: urls of the pages that were opened, in order"),
    Column("scores", "scores", "what judges said of the task or the attempt: name, value, judge, note"),
    Column("cluster", "int64", "number of the topic that the task belongs to; -1: of none; null: not clustered"),
    Column("topic", "string", "name of that topic; null: not clustered"),
    Column("n_turns", "int64", "assistant messages"),
    Column("n_messages", "int64", "messages of any role"),
    Column("n_faults", "int64", "assistant messages that were an error (unparsed, unknown tool)"),
    Column("n_chars", "int64", "characters of content, reasoning and tool arguments"),
    Column("prompt_tokens", "int64", "tokens read by the model, summed over its replies; 0: not counted"),
    Column("completion_tokens", "int64", "tokens written by the model, summed over its replies; 0: not counted"),
    Column(
        "student_tokens", "int64", "tokens of the row as the student's chat template shows it; null: none was named"
    ),
    Column("seconds", "float64", "what the model and the box took in the attempt"),
    Column("content_hash", "string", "digest of the conversation without call ids: equal rows say the same"),
    Column("task", "string", "the whole task as JSON text, checks and solution included: enough to verify again"),
    Column("task_digest", "string", "digest of all of the task that shapes an attempt and its judgement"),
    Column("origin", "string", "name of the source that `gather` took the row from; empty: the run made it itself"),
    Column("lineage", "json", "run, model, sampling, image, seed and code version: enough to make the row again"),
)
"""What `row` makes. The prompt's column is not called `prompt`: TRL would take the row for prompt-completion data."""

RANK = Column("rank", "int64", "place in the curriculum, from 0 (only in the arranged dataset)")
PHASE = Column("phase", "int64", "phase of the curriculum, from 0 (only in a dataset that was arranged in phases)")

_STRUCTS = {
    "checks": {"name": "string", "outcome": "string", "score": "float64", "weight": "float64"},
    "scores": {"name": "string", "value": "float64", "judge": "string", "note": "string"},
}


def arrow_schema(columns: Sequence[Column] = COLUMNS, *, stored: bool = False) -> pa.Schema:
    """The columns as they lie in Parquet, where JSON has a type of its own that `datasets` reads as `Json`.

    With `stored`, JSON is the plain text that it is made of, as Arrow can build it from Python strings.
    """
    import pyarrow as pa

    plain = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    text = pa.string() if stored else pa.json_()
    kinds = plain | {
        "json": text,
        "strings": pa.list_(pa.string()),
        "bools": pa.list_(pa.bool_()),
        "jsons": pa.list_(text),
        **{
            kind: pa.list_(pa.struct([(name, plain[dtype]) for name, dtype in fields.items()]))
            for kind, fields in _STRUCTS.items()
        },
    }
    return pa.schema([(column.name, kinds[column.kind]) for column in columns])
