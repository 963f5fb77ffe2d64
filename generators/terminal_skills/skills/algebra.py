"""Skills of linear algebra."""

from __future__ import annotations

from math import log10

from generators.terminal_skills.artefacts import Column, Series, Table
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
    return move("solution", path, made, text, step)


def describe_matrix(bench: Bench, item: Artefact) -> Move:
    rows = [row[:-1] for row in item.value]
    norm = max(sum(map(abs, row)) for row in rows)
    made = {
        "size": len(rows),
        "trace": sum(row[i] for i, row in enumerate(rows)),
        "norm": norm,
        "symmetric": all(rows[i][j] == rows[j][i] for i in range(len(rows)) for j in range(len(rows))),
        "log10_det": log10(abs(_determinant(rows))),
    }
    path = bench.wanted(["matrix", "properties", "facts", "condition"], ".json")
    text = bench.say(
        f"Describe the coefficient matrix of `{item.path}` (without the right-hand side) in the JSON object `{path}`:"
        " `size` (number of rows), `trace`, `norm` (the largest row sum of absolute values), `symmetric` (true or"
        " false) and `log10_det`, the decimal logarithm of the determinant's absolute value; numbers right to 0.001.",
        f"`{path}`: JSON object on the matrix of coefficients in `{item.path}`, leaving out the right-hand side, with"
        " the keys `size`, `trace`, `norm` (infinity norm), `symmetric` (a boolean) and `log10_det` (log10 of the"
        " absolute determinant), numbers with tolerance 0.001.",
    )
    step = python(
        "Fractions keep the elimination exact; the determinant is the product of the pivots.",
        """
        import json
        from fractions import Fraction
        from math import log10

        rows = [[int(v) for v in line.split()][:-1] for line in open($src)]
        n, a, det = len(rows), [[Fraction(v) for v in row] for row in rows], Fraction(1)
        for i in range(n):
            at = next(r for r in range(i, n) if a[r][i])
            a[i], a[at] = a[at], a[i]
            det *= a[i][i]
            for r in range(i + 1, n):
                ratio = a[r][i] / a[i][i]
                a[r] = [v - ratio * w for v, w in zip(a[r], a[i])]
        made = {'size': n, 'trace': sum(rows[i][i] for i in range(n)), 'norm': max(sum(map(abs, r)) for r in rows),
                'symmetric': rows == [list(c) for c in zip(*rows)], 'log10_det': log10(abs(det))}
        with open($dst, 'w') as f:
            json.dump(made, f)
        """,
        src=item.path,
        dst=path,
    )
    return move("estimates", path, made, text, step)


def _determinant(rows: list[list[float]]) -> float:
    """By the first row's minors; systems here have six rows at most."""
    if len(rows) == 1:
        return rows[0][0]
    minors = ([row[:j] + row[j + 1 :] for row in rows[1:]] for j in range(len(rows)))
    return sum((-1.0 if j % 2 else 1.0) * rows[0][j] * _determinant(minor) for j, minor in enumerate(minors))


def invert_matrix(bench: Bench, item: Artefact) -> Move:
    size = len(item.value)
    units = [[[*row[:-1], float(i == k)] for i, row in enumerate(item.value)] for k in range(size)]
    columns = [_solve(system) for system in units]
    rows = [[columns[k][i] for k in range(size)] for i in range(size)]
    made = Table(
        tuple(Column(f"c{k}", "measure", 1e-5) for k in range(size)),
        tuple(tuple(f"{v:.12f}" for v in row) for row in rows),
    )
    path = bench.wanted(["inverse", "inverted", "inverse_matrix"], ".csv")
    heads = ",".join(made.names)
    text = bench.say(
        f"Invert the coefficient matrix of `{item.path}` (all but the last number of each line): CSV `{path}`, header"
        f" `{heads}`, a row of the inverse on each line, with at least 8 decimal places, right to 0.00001.",
        f"Write the inverse of the matrix of coefficients in `{item.path}` (the right-hand side left out) to `{path}`,"
        f" row by row, as CSV with header `{heads}`; 8 or more decimal places, tolerance 0.00001.",
    )
    step = python(
        "Gauss-Jordan elimination next to the identity, in fractions.",
        """
        from fractions import Fraction

        rows = [[Fraction(v) for v in line.split()][:-1] for line in open($src)]
        n = len(rows)
        a = [row + [Fraction(i == k) for k in range(n)] for i, row in enumerate(rows)]
        for i in range(n):
            at = next(r for r in range(i, n) if a[r][i])
            a[i], a[at] = a[at], a[i]
            a[i] = [v / a[i][i] for v in a[i]]
            for r in range(n):
                if r != i:
                    a[r] = [v - a[r][i] * w for v, w in zip(a[r], a[i])]
        with open($dst, 'w') as f:
            f.write(','.join('c%d' % k for k in range(n)) + '\\n')
            f.writelines(','.join('%.10f' % float(v) for v in row[n:]) + '\\n' for row in a)
        """,
        src=item.path,
        dst=path,
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("solve_system", "system", "solution", 2.5, solve_system),
    Skill("describe_matrix", "system", "estimates", 2.5, describe_matrix),
    Skill("invert_matrix", "system", "table", 2.5, invert_matrix),
)
