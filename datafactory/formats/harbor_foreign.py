"""Harbor task folders that others made, as drafts, and back without a loss."""

from __future__ import annotations

import base64
import posixpath
import shlex
import tomllib
from typing import Any

from pydantic import ValidationError

from datafactory.errors import DataError
from datafactory.formats.harbor_dockerfile import Recipe, read_dockerfile
from datafactory.formats.harbor_folder import Tree
from datafactory.types import DOMAINS, Check, Draft, File, Source, Step

LOGS = "/logs/verifier"
TIMEOUT = 600.0
"""Seconds for tests that state none: Harbor's default (task.toml, `[verifier] timeout_sec`)."""

_KNOWS_ITS_PLACE = (b"/solution", b"$0", b"BASH_SOURCE", b"\0")
"""In a script: it must lie in a file to work. (A NUL cannot stand in a command.)"""
_LEFT_OUT = ("task.toml", "instruction.md", "datafactory.json")


def read_foreign(tree: Tree, name: str) -> Draft:
    """A draft from the files of a folder called `name`.

    What a draft has no place for is kept in ``source.facts["harbor"]``: ``toml`` (the text), ``files`` (all but
    instruction and tests), ``unbuilt`` (what would need a build of the image, or services), ``steps`` (names).
    Raises DataError where the folder is no Harbor task.
    """
    text = _text(tree, "task.toml", name)
    try:
        return _draft(tree, tomllib.loads(text), text, name)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}/task.toml: {error}") from error
    except ValidationError as error:
        told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise DataError(f"{name}: makes no task: {'; '.join(told)}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise DataError(f"{name}: makes no task: {error}") from error


def _draft(tree: Tree, config: dict[str, Any], text: str, name: str) -> Draft:
    steps = tuple(str(step["name"]) for step in config.get("steps") or ())
    environment, metadata = _table(config, "environment"), _table(config, "metadata")
    recipe = _recipe(tree, environment)
    workdir = str(environment.get("workdir") or recipe.workdir or "/app")
    kept = {path: file for path, file in tree.items() if path not in _LEFT_OUT and not _is_test(path)}
    facts = {
        "toml": text,
        "files": {path: file.model_dump(mode="json") for path, file in kept.items()},
        "unbuilt": recipe.unbuilt,
        "steps": list(steps),
    }
    return Draft(
        prompt=_prompt(tree, steps, name),
        image=recipe.image,
        workdir=workdir,
        files=recipe.files,
        checks=(_check(tree, _table(config, "verifier"), steps, name),),
        artifacts=_artifacts(config, workdir),
        solution=solution_steps(kept),
        skills=tuple(tag for tag in metadata.get("tags") or () if isinstance(tag, str)),
        domain=_domain(metadata),
        difficulty=_difficulty(metadata),
        source=Source(
            generator="harbor",
            item=str(_table(config, "task").get("name") or name),
            license=str(metadata.get("license") or ""),
            facts={"harbor": facts},
        ),
    )


def foreign_tree(draft: Draft) -> Tree:
    """The folder that `draft` was read from, with its present instruction and tests."""
    facts = draft.source.facts["harbor"]
    tree = {path: File.model_validate(file) for path, file in facts["files"].items()}
    tree["task.toml"] = File(data=facts["toml"].encode())
    if not facts["steps"]:
        tree["instruction.md"] = File(data=draft.prompt.encode())
    for path, file in draft.checks[0].files.items():
        tree[path.removeprefix("/")] = file
    return tree


def solution_steps(tree: Tree) -> tuple[Step, ...]:
    """The reference solution of a folder as one step that brings its own files; none where it has no solve.sh."""
    parts = {path: file for path, file in tree.items() if path.startswith("solution/") and not path.endswith("/")}
    script = parts.get("solution/solve.sh")
    if script is None:
        return ()
    if len(parts) == 1 and script.link is None and not any(mark in script.data for mark in _KNOWS_ITS_PLACE):
        return (Step(thought="Run the reference solution.", command=f"bash -c {shlex.quote(script.text)}"),)
    lines = []
    for path, file in sorted(parts.items()):
        target = shlex.quote(f"/{path}")
        lines.append(f"mkdir -p {shlex.quote(posixpath.dirname(f'/{path}'))}")
        if file.link is not None:
            lines.append(f"ln -s {shlex.quote(file.link)} {target}")
        else:
            lines.append(f"echo {base64.b64encode(file.data).decode()} | base64 -d > {target}")
            lines.append(f"chmod {file.mode:o} {target}")
    return (Step(thought="Run the reference solution.", command="\n".join([*lines, "bash /solution/solve.sh"])),)


def _table(config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _text(tree: Tree, path: str, name: str) -> str:
    if path not in tree or tree[path].link is not None:
        raise DataError(f"{name}: no {path}, so it is no Harbor task")
    try:
        return tree[path].data.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{name}/{path}: no UTF-8: {error}") from error


def _recipe(tree: Tree, environment: dict[str, Any]) -> Recipe:
    context = {p.removeprefix("environment/"): f for p, f in tree.items() if p.startswith("environment/")}
    dockerfile = context.get("Dockerfile")
    image = str(environment.get("docker_image") or "")
    if image:  # the built image, which already holds what the Dockerfile says
        recipe = Recipe(image=image, workdir=read_dockerfile(dockerfile.text, {}).workdir if dockerfile else "")
    elif dockerfile is not None:
        recipe = read_dockerfile(dockerfile.text, context)
    else:
        recipe = Recipe(unbuilt=["no docker_image and no environment/Dockerfile"])
    recipe.unbuilt += [p for p in ("docker-compose.yaml", "docker-compose.yml") if p in context]
    return recipe


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and not path.endswith("/")


def _prompt(tree: Tree, steps: tuple[str, ...], name: str) -> str:
    if not steps:
        return _text(tree, "instruction.md", name)
    return "\n\n".join(_text(tree, f"steps/{step}/instruction.md", name) for step in steps)


def _check(tree: Tree, verifier: dict[str, Any], steps: tuple[str, ...], name: str) -> Check:
    tests = {f"/{path}": file for path, file in tree.items() if _is_test(path)}
    scripts = "".join(file.text for file in tests.values())
    if "/tests/test.sh" not in tests and not steps:
        raise DataError(f"{name}: no tests/test.sh, so nothing can judge it")
    settings = verifier.get("env")
    env = [f"{key}={value}" for key, value in settings.items()] if isinstance(settings, dict) else []
    reward = "reward.json" if "reward.json" in scripts else "reward.txt"
    return Check(
        name="tests",
        argv=(*(("env", *env) if env else ()), "bash", "/tests/test.sh"),
        files=tests,
        timeout=float(verifier.get("timeout_sec") or TIMEOUT),
        reward_file=f"{LOGS}/{reward}",
    )


def _artifacts(config: dict[str, Any], workdir: str) -> tuple[str, ...]:
    named = [a["source"] if isinstance(a, dict) else a for a in config.get("artifacts") or () if a]
    return tuple(dict.fromkeys([f"{workdir.rstrip('/')}/", *(str(path) for path in named)]))


def _domain(metadata: dict[str, Any]) -> str:
    said = str(metadata.get("category") or "").lower().replace("-", "_").replace(" ", "_")
    return said if said in DOMAINS else "software_engineering"


def _difficulty(metadata: dict[str, Any]) -> Any:
    said = metadata.get("difficulty")
    return said if said in ("easy", "medium", "hard") else "medium"
