"""Skills of linear algebra."""

from __future__ import annotations

from generators.terminal_skills.artefacts import Series
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, python


def _solve(rows: list[list[float]]) -> list[float]:
    """Gauss-Jordan elimination with partial pivoting."""
    a = [row[:] for row in rows]
    for i in range(len(a)):
        pivot = max(range(i, len(a)), key=lambda r: abs(a[r][i]))
        a[i], a[pivot] = a[pivot], a[i]
        a[i] = [v / a[i][i] for v in a[i]]
        for r in range(len(a)):
            if r != i:
                a[r] = [v - a[r][i] * w for v, w in zip(a[r], a[i], strict=True)]
    return [row[-1] for row in a]


def solve_system(bench: Bench, item: Artefact) -> Move:
    solution = _solve(item.value)
    path = bench.wanted(["solution", "unknowns", "roots", "x"], ".txt")
    text = bench.say(
        f"Solve the linear system in `{item.path}`. `{path}` has a line `<index> <value>` per unknown, the index from"
        f" 0 in the"
        " order of the coefficients, values right to 0.001 (give at least 8 decimal places).",
        f"Find the unknowns of the equations in `{item.path}` and write each on a line of `{path}` as its index (from"
        f" 0), a"
        " space and its value with 8 or more decimal places, right to 0.001.",
    )
    step = python(
        "Jacobi iteration converges, since the diagonal dominates.",
        """
        with open($src) as f:
            rows = [[float(v) for v in line.split()] for line in f]
        x = [0.0] * len(rows)
        for _ in range(300):
            rest = [sum(c * v for j, (c, v) in enumerate(zip(r, x)) if j != i) for i, r in enumerate(rows)]
            x = [(r[-1] - s) / r[i] for i, (r, s) in enumerate(zip(rows, rest))]
        with open($dst, 'w') as f:
            f.writelines('%d %.10f\\n' % pair for pair in enumerate(x))
        """,
        src=item.path,
        dst=path,
    )
    made = Series(tuple((float(i), v) for i, v in enumerate(solution)), tolerance=0.001)
    return move("series", path, made, text, step)


SKILLS = (Skill("solve_system", "system", "series", 2.5, solve_system),)
