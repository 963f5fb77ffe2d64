"""Task folders in Harbor's format (schema 1.4), written and read without a loss."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from datafactory import ruling
from datafactory.errors import DataError
from datafactory.formats.harbor_folder import LARGEST_FILE, Tree, read_tree, refuse_unsafe, write_tree
from datafactory.formats.harbor_foreign import LOGS, foreign_tree, read_foreign
from datafactory.types import Check, Draft, File, Files, Step, Task

SCHEMA = "1.4"
AGENT_SECONDS, BUILD_SECONDS = 900.0, 600.0
"""Harbor's own template (`harbor init`)."""

OURS = "datafactory.json"
"""Holds what Harbor has no place for; a folder without it was made by others."""

_LABELS = ("skills", "domain", "difficulty", "source")
_PROOF = tuple(name for name in Task.model_fields if name not in Draft.model_fields)
"""Fields that a task has and a draft has not."""
_TEST_SH = f"#!/bin/bash\n# Runs every check and leaves their weighted mean in {LOGS}/reward.txt.\n" + (
    f'exec python3 "$(dirname "$0")/run_checks.py" {LOGS}\n'
)


def write_task(task: Draft, folder: Path, *, images: Mapping[str, str] | None = None, org: str = "datafactory") -> Path:
    """Write `task` as a Harbor task folder (new or empty) and return it.

    `images` says what a name in `task.image` is called where Harbor will build (``FROM``); a name that it lacks is
    taken as it stands. `org` goes into the task's name, ``<org>/<id>``. Raises DataError, for a question too: Harbor
    has no task without a box.
    """
    if task.question is not None:
        raise DataError(f"{folder.name}: a question that is answered from a corpus has no box, so no place in Harbor")
    try:
        tree = _foreign(task) or _ours(task, folder.name, (images or {}).get(task.image, task.image), org)
    except UnicodeEncodeError as error:
        raise DataError(f"{folder}: a text that is no UTF-8: {error}") from error
    write_tree(folder, tree)
    return folder


def write_tasks(
    tasks: Iterable[Draft], folder: Path, *, images: Mapping[str, str] | None = None, org: str = "datafactory"
) -> list[Path]:
    """Write each of `tasks` but the questions into a folder of its own under `folder`, named by its id.

    Raises DataError; also where there is nothing but questions.
    """
    made, questions = list[Path](), 0
    for number, task in enumerate(tasks):
        if task.question is not None:
            questions += 1
            continue
        name = _slug(task.id if isinstance(task, Task) else f"draft-{number}")
        made.append(write_task(task, folder / name, images=images, org=org))
    if questions and not made:
        raise DataError("there is no task for Harbor among them: questions are answered from a corpus, without a box")
    return made


def read_task(folder: Path) -> Draft:
    """The task in `folder`: a Task where we wrote it as one and nobody has changed it since, otherwise a Draft.

    Raises DataError for what is no Harbor task, and for hostile folders (see `read_tree`).
    """
    if not (folder / "task.toml").is_file():
        raise DataError(f"{folder}: no task.toml, so it is no Harbor task")
    kept = _kept(folder)
    try:
        if kept.get("layout") == "ours":
            tree = read_tree(folder, free_links=[f"environment/files{path}" for path in kept["links"]])
            return _proven({**kept["draft"], **_from_ours(tree, kept)}, kept)
        draft = read_foreign(read_tree(folder), folder.name)
        return _proven(_relabelled(draft, kept["draft"]), kept) if kept else draft
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder}: {OURS} does not fit the folder: {type(error).__name__}: {error}") from error


def task_folders(path: Path) -> list[Path]:
    """The Harbor task folders at `path`: itself, or those directly under it, by name. Raises DataError: none."""
    if (path / "task.toml").is_file():
        return [path]
    found = sorted(file.parent for file in path.glob("*/task.toml")) if path.is_dir() else []
    if not found:
        raise DataError(f"{path}: neither a Harbor task (task.toml) nor a folder of them")
    return found


def _kept(folder: Path) -> dict[str, Any]:
    file = folder / OURS
    if not file.is_file() or file.is_symlink():
        return {}
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise DataError(f"{file}: more than {LARGEST_FILE >> 20} MiB")
        kept = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: {error}") from error
    if not isinstance(kept, dict) or kept.get("format") != 1 or kept.get("layout") not in ("ours", "foreign"):
        raise DataError(f"{file}: written by another version of this program (format 1 is known)")
    return kept


def _relabelled(draft: Draft, labels: Mapping[str, Any]) -> dict[str, Any]:
    source = dict(labels["source"])
    source["facts"] = {**source["facts"], "harbor": draft.source.facts["harbor"]}
    return {**draft.model_dump(), **labels, "source": source}


def _proven(fields: Mapping[str, Any], kept: Mapping[str, Any]) -> Draft:
    draft = Draft.model_validate(fields)
    if kept.get("id") and draft.content_digest() == kept.get("digest"):
        return Task(**dict(draft), **{name: kept[name] for name in _PROOF if name in kept})
    return draft


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip("_.-") or "task"


def _sidecar(task: Draft, layout: str, draft: Mapping[str, Any], **more: Any) -> File:
    kept: dict[str, Any] = {"format": 1, "layout": layout, **more, "draft": draft}
    if isinstance(task, Task):
        kept |= task.model_dump(mode="json", include=set(_PROOF))
    return File(data=json.dumps(kept, indent=1, ensure_ascii=False).encode() + b"\n")


def _foreign(task: Draft) -> Tree | None:
    """The folder that `task` came from, where that still says all that the task says."""
    if "harbor" not in task.source.facts:
        return None
    try:
        tree = foreign_tree(task)
        refuse_unsafe(task.source.item, tree)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # the facts are not those of a folder that we read
    try:
        again = read_foreign(tree, task.source.item)
    except DataError:
        return None  # the task has been changed to something that such a folder cannot say
    fields = [name for name in Draft.model_fields if name not in _LABELS]
    if any(getattr(again, name) != getattr(task, name) for name in fields):
        return None
    labels = task.model_dump(mode="json", include=set(_LABELS))
    changed = any(getattr(again, name) != getattr(task, name) for name in _LABELS if name != "source")
    if isinstance(task, Task) or changed:
        labels["source"]["facts"].pop("harbor")
        tree[OURS] = _sidecar(task, "foreign", labels)
    return tree


def _ours(task: Draft, name: str, image: str, org: str) -> Tree:
    import tomli_w

    for text, what in ((image, "image"), (task.workdir, "workdir")):
        if not text or re.search(r"[\s$]", text):
            raise DataError(f"{name}: the {what} cannot stand in a Dockerfile: {text!r}")
    tree: Tree = {
        "instruction.md": File(data=task.prompt.encode()),
        "task.toml": File(data=tomli_w.dumps(_toml(task, name, org)).encode()),
        "environment/Dockerfile": File(data=_dockerfile(task, image).encode()),
        "tests/test.sh": File(data=_TEST_SH.encode(), mode=0o755),
        "tests/run_checks.py": File(data=Path(__file__).with_name("harbor_verifier.py").read_bytes()),
        "tests/ruling.py": File(data=Path(ruling.__file__).read_bytes()),
    }
    tree |= {f"environment/files{path}": file for path, file in _plain(task.files, name).items()}
    plan = [_planned(number, check, tree, name) for number, check in enumerate(task.checks)]
    text = json.dumps({"workdir": task.workdir, "checks": plan}, indent=1, ensure_ascii=False)
    tree["tests/checks.json"] = File(data=text.encode() + b"\n")
    if task.solution:
        tree["solution/solve.sh"] = File(data=_script(task.solution).encode(), mode=0o755)
    elsewhere = {"prompt", "files", "checks", *_PROOF}
    tree[OURS] = _sidecar(
        task,
        "ours",
        task.model_dump(mode="json", exclude=elsewhere),
        modes={path: f"{file.mode:04o}" for path, file in task.files.items()},
        links={path: file.link for path, file in task.files.items() if file.link is not None},
    )
    return tree


def _plain(files: Files, name: str) -> Files:
    for path in files:
        if str(PurePosixPath(path)) != path or path.startswith("//") or path == "/":
            raise DataError(f"{name}: not a plain absolute path: {path!r}")
    return files


def _toml(task: Draft, name: str, org: str) -> dict[str, Any]:
    facts = {"generator": task.source.generator, "item": task.source.item, "license": task.source.license}
    return {
        "schema_version": SCHEMA,
        "task": {
            "name": f"{_slug(org)}/{_slug(task.id if isinstance(task, Task) else name)}",
            "keywords": list(task.skills),
        },
        "metadata": {
            "difficulty": task.difficulty,
            "category": task.domain,
            "tags": list(task.skills),
            **{key: value for key, value in facts.items() if value},
        },
        "verifier": {"timeout_sec": sum(check.timeout for check in task.checks) + 30.0},
        "agent": {"timeout_sec": AGENT_SECONDS},
        "environment": {"build_timeout_sec": BUILD_SECONDS, "network_mode": "no-network", "workdir": task.workdir},
    }


def _dockerfile(task: Draft, image: str) -> str:
    lines = [f"FROM {image}", f"WORKDIR {task.workdir}"]
    if task.files:
        lines.append("COPY files/ /")
    return "\n".join(lines) + "\n"


def _planned(number: int, check: Check, tree: Tree, name: str) -> dict[str, Any]:
    """One check for `run_checks.py`; the content of its files goes into `tree`."""
    placed: dict[str, dict[str, str]] = {}
    for path, file in _plain(check.files, name).items():
        if file.link is not None:
            placed[path] = {"link": file.link, "mode": f"{file.mode:04o}"}
            continue
        kept = f"files/{number}{path}"
        tree[f"tests/{kept}"] = file
        placed[path] = {"from": kept, "mode": f"{file.mode:04o}"}
    return {**check.model_dump(mode="json", exclude={"files"}), "files": placed}


def _from_ours(tree: Tree, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that lie in files of their own."""
    modes = kept["modes"]
    files = {}
    for path, file in tree.items():
        if path.startswith("environment/files/") and not path.endswith("/"):
            place = path.removeprefix("environment/files")
            mode = int(modes[place], 8) if place in modes else file.mode
            files[place] = file.model_copy(update={"mode": mode})
    plan = json.loads(tree["tests/checks.json"].data)
    checks = [{**check, "files": {p: _file(tree, f) for p, f in check["files"].items()}} for check in plan["checks"]]
    made: dict[str, Any] = {"prompt": tree["instruction.md"].data.decode(), "files": files, "checks": checks}
    script = tree.get("solution/solve.sh")
    steps = tuple(Step.model_validate(step) for step in kept["draft"].get("solution", ()))
    if script is not None and script.text != _script(steps):
        made["solution"] = (Step(command=script.text),)
    return made


def _file(tree: Tree, kept: Mapping[str, str]) -> File:
    if "link" in kept:
        return File(link=kept["link"], mode=int(kept["mode"], 8))
    return File(data=tree[f"tests/{kept['from']}"].data, mode=int(kept["mode"], 8))


def _script(steps: Iterable[Step]) -> str:
    parts = ["#!/bin/bash"]
    for step in steps:
        parts += [f"# {line}" for line in step.thought.splitlines() if line.strip()]
        parts.append(step.command)
    return "\n".join(parts) + "\n"
