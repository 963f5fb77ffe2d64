"""What searches and pages may show an agent."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SearchLimits(BaseModel):
    """Keys under `search:` of a rollout; lengths in characters."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    topk: int = Field(default=5, ge=1, le=50)
    """Passages that a search shows where the agent names no number, and it may name up to 20; ASearcher trains with
    5."""
    passage: int = Field(default=600, ge=40)
    """Of one passage in the results."""
    page: int = Field(default=12_000, ge=200)
    """Of a page that is shown at once; a longer one comes in parts, cut between paragraphs."""
    links: int = Field(default=20, ge=0)
    """Pages that a page links to, named below its text."""
    queries: int = Field(default=5, ge=1)
    """Queries, or urls, of one call that are heeded."""
    summarise: Literal["never", "long"] = "never"
    """Whether a page that is longer than `page` is summarised by the model that searches, toward what it looks for
    (ASearcher's agents do that), instead of coming in parts."""
    summary_source: int = Field(default=40_000, ge=200)
    """Of a long page that is read for its summary; what lies beyond is left out, and the agent is told so."""
    summary: int = Field(default=4_000, ge=200)
    """Of a summary, and of the evidence quoted with it; what is longer is cut."""
    summaries: int = Field(default=32, ge=0)
    """Summaries of one attempt; after that, long pages come in parts."""
