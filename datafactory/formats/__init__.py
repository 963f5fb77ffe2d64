"""Formats that other systems read; `FORMATS` names the exports.

An export of attempts is a function `(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int`: it streams the
pairs into files in `folder` and says how many records it wrote. `OF_TASKS` are formats of tasks, whose functions take
those: `(tasks: Iterable[Task], folder: Path) -> int`; that of `harbor` takes `images` too, and says which folders it
made. What a format has no place for it leaves out, so that it is counted, and raises DataError where nothing is
left. `instances` reads the rows of SWE tasks that others make.
"""

FORMATS: dict[str, str] = {
    "messages": "datafactory.table:export",
    "atif": "datafactory.formats.atif:export",
    "conversations": "datafactory.formats.conversations:export",
    "sharegpt": "datafactory.formats.conversations:export_sharegpt",
    "openhands": "datafactory.formats.swe_attempts:export_openhands",
    "predictions": "datafactory.formats.swe_attempts:export_predictions",
    "searches": "datafactory.formats.search_attempts:export",
    "pivots": "datafactory.formats.pivots:export",
    "harbor": "datafactory.formats.harbor:write_tasks",
    "swe-bench": "datafactory.formats.swe_instances:write_swe_bench",
    "swe-smith": "datafactory.formats.swe_instances:write_swe_smith",
    "asearcher": "datafactory.formats.asearcher:write_asearcher",
}
OF_PIVOTS = ("pivots",)
"""Formats of pivots: their functions take those, with their tasks."""
OF_TASKS = ("harbor", "swe-bench", "swe-smith", "asearcher")
OF_SWE = ("openhands", "predictions", "swe-bench", "swe-smith")
"""Formats that hold SWE tasks, or attempts at them, and nothing else: a run without any cannot be written so."""
OF_QUESTIONS = ("searches", "asearcher")
"""The same of questions that are answered from a corpus."""
