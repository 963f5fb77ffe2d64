"""Train: a trainer makes a student of the arranged rows."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from datafactory.protocols import Trainer
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import Shelf
from datafactory.types import Example, Model, Record

FOLDER = "training"
"""Where the trainer works, within the stage's folder."""


class Train(Stage):
    """Trains one student; its folder lies in the stage's own, and a training that was stopped goes on."""

    use_name: ClassVar[str] = "train"
    reads: ClassVar[type[Record] | None] = Example
    writes: ClassVar[type[Record]] = Model
    columnar: ClassVar[bool] = True

    trainer: Annotated[Trainer, Component("trainer")]
    """Which student, and how it is trained."""

    def expected(self, before: int | None) -> int | None:
        """One student."""
        return 1

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write the student's folder and one record that describes it."""
        assert source is not None
        name = f"{run.name}-{run.digest[:12]}"
        if run.shelf.has(name):
            return
        made = await self.trainer.train(table_of(source, run), run.shelf.folder / FOLDER)
        model = made.but(
            id=name,
            folder=f"{FOLDER}/{made.folder}",
            base=made.base if made.base_on_hub else f"{FOLDER}/{made.base}",
            trainer=self.describe()["trainer"],
        )
        await run.emit(name, model)
        run.progress.finished = 1
