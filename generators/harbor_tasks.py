"""Drafts from Harbor task folders that lie on this machine; no model is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError
from datafactory.formats.harbor import read_task, task_folders
from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import Draft, Reject


class HarborTasks(Spec):
    """Imports Harbor tasks (schema 1.4 and what Harbor itself still accepts); they must prove sound like any draft.

    A task is rejected where its box or its tests are more than a draft can say: `needs_build` (a Dockerfile that
    runs commands, or services), `multi_step`.
    """

    use_name = "harbor_tasks"
    asks: ClassVar[bool] = False

    path: Path
    """A task folder, or a folder of them."""
    count: int = Field(default=0, ge=0)
    """How many, by name; at most one a folder; 0: all."""
    image: str = ""
    """Open the boxes from this image, whatever the tasks say; for tasks whose Dockerfile it already carries out."""

    @model_validator(mode="after")
    def _count_folders(self) -> Self:
        try:
            found = len(task_folders(self.path))
        except DataError as error:
            raise ValueError(f"path: {error}") from error
        if self.count > found:
            raise ValueError(f"count: {self.count} tasks wanted, but {self.path} holds {found}")
        object.__setattr__(self, "count", self.count or found)
        return self

    def inputs(self) -> Iterable[Path]:
        """Every file of the folders."""
        return [file for folder in task_folders(self.path) for file in sorted(folder.rglob("*")) if file.is_file()]

    async def make(self, slot: Slot, chat: Chat | None = None) -> Draft | Reject:
        """The draft of one folder. Raises DataError where it is no Harbor task, or a hostile one."""
        folders = task_folders(self.path)
        place = slot.index + slot.retry * self.count
        if place >= len(folders):
            return Reject(reason="no_tasks_left", detail=f"{len(folders)} tasks, all of them used", final=True)
        draft = read_task(folders[place])
        draft = draft.but(source=draft.source.but(generator=self.use_name))
        harbor = draft.source.facts.get("harbor", {})
        if harbor.get("steps"):
            return self._refused(draft, "multi_step", f"{len(harbor['steps'])} steps")
        if self.image:
            fields = {name: getattr(draft, name) for name in Draft.model_fields}
            return Draft(**{**fields, "image": self.image})
        if harbor.get("unbuilt"):
            return self._refused(draft, "needs_build", "; ".join(harbor["unbuilt"]))
        return draft

    def _refused(self, draft: Draft, reason: str, detail: str) -> Reject:
        return Reject(generator=self.use_name, reason=reason, detail=detail[:500], what=draft.model_dump(mode="json"))
