"""The Agent Trajectory Interchange Format, version 1.7, as strict models that accept nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Version = Literal[
    "ATIF-v1.0",
    "ATIF-v1.1",
    "ATIF-v1.2",
    "ATIF-v1.3",
    "ATIF-v1.4",
    "ATIF-v1.5",
    "ATIF-v1.6",
    "ATIF-v1.7",
]
Extra = dict[str, Any] | None

AGENT_ONLY = ("model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics")
"""Fields that only a step of the agent may have."""
MODEL_ONLY = ("metrics", "reasoning_content")
"""Fields that a step without a call of a model may not have."""


class Part(BaseModel):
    """Anything in the format: a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AtifAgent(Part):
    """Who acted."""

    name: str
    version: str
    model_name: str | None = None
    tool_definitions: list[dict[str, Any]] | None = None
    extra: Extra = None


class AtifToolCall(Part):
    """One action."""

    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    extra: Extra = None


class AtifResult(Part):
    """What one action, or the environment by itself, gave back."""

    source_call_id: str | None = None
    content: str | None = None
    extra: Extra = None


class AtifObservation(Part):
    """What followed a step."""

    results: list[AtifResult]


class AtifMetrics(Part):
    """What one step cost."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None
    logprobs: list[float] | None = None
    extra: Extra = None


class AtifFinalMetrics(Part):
    """What the whole trajectory cost."""

    total_prompt_tokens: int | None = None
    total_completion_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_cost_usd: float | None = None
    total_steps: int | None = Field(default=None, ge=0)
    extra: Extra = None


class AtifStep(Part):
    """One turn of the system, the user or the agent."""

    step_id: int = Field(ge=1)
    timestamp: str | None = None
    source: Literal["system", "user", "agent"]
    model_name: str | None = None
    reasoning_effort: str | float | None = None
    message: str
    reasoning_content: str | None = None
    tool_calls: list[AtifToolCall] | None = None
    observation: AtifObservation | None = None
    metrics: AtifMetrics | None = None
    is_copied_context: bool | None = None
    llm_call_count: int | None = Field(default=None, ge=0)
    extra: Extra = None

    @field_validator("timestamp")
    @classmethod
    def _iso(cls, value: str | None) -> str | None:
        if value is not None:
            datetime.fromisoformat(value)
        return value

    @model_validator(mode="after")
    def _fields_fit_the_source(self) -> Self:
        if self.source != "agent" and (wrong := [name for name in AGENT_ONLY if getattr(self, name) is not None]):
            raise ValueError(f"only an agent step has {', '.join(wrong)}")
        if self.llm_call_count == 0 and (wrong := [name for name in MODEL_ONLY if getattr(self, name) is not None]):
            raise ValueError(f"a step without a model call has no {', '.join(wrong)}")
        return self

    @model_validator(mode="after")
    def _results_answer_own_calls(self) -> Self:
        calls = {call.tool_call_id for call in self.tool_calls or ()}
        for result in self.observation.results if self.observation else ():
            if result.source_call_id is not None and result.source_call_id not in calls:
                raise ValueError(f"source_call_id {result.source_call_id!r} is no tool call of this step")
        return self


class AtifTrajectory(Part):
    """A whole trajectory (text only, without sub-agents, which the factory has none of)."""

    schema_version: Version
    session_id: str | None = None
    trajectory_id: str | None = None
    agent: AtifAgent
    steps: list[AtifStep] = Field(min_length=1)
    notes: str | None = None
    final_metrics: AtifFinalMetrics | None = None
    continued_trajectory_ref: str | None = None
    extra: Extra = None

    @model_validator(mode="after")
    def _steps_count_from_one(self) -> Self:
        for expected, step in enumerate(self.steps, start=1):
            if step.step_id != expected:
                raise ValueError(f"step_id {step.step_id} where {expected} was due")
        return self
