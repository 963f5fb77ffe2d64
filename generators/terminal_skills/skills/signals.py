"""Skills on measurements over time."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

from generators.terminal_skills.artefacts import Column, Series, Table
from generators.terminal_skills.bench import Bench, move
from generators.terminal_skills.skill import Artefact, Move, Skill, Unfit, python, shell

READ = """\
with open($src) as f:
    points = [tuple(map(float, line.split())) for line in f if line.strip() and not line.startswith('#')]
"""
WRITE = """\
with open($dst, 'w') as f:
    f.writelines('%.10g %.10g\\n' % point for point in points)
"""
FORMAT = " (a `time value` pair on each line, values with at least 6 decimal places and right to 0.001)"
UNITS = (
    ("the probe's calibration", 1.8, 32.0),
    ("gain and offset", 25.4, -4.0),
    ("the correction from the manual", 0.98, 273.15),
    ("the instrument's scale", 3.6, 1.5),
)


def _reworked(
    bench: Bench,
    item: Artefact,
    text: str,
    path: str,
    points: Sequence[tuple[float, float]],
    thought: str,
    body: str,
    **values: object,
) -> Move:
    """A move from one series to another: `body` turns the list `points` into a new one."""
    if len(points) < 6:
        raise Unfit("too short")
    code = READ + textwrap.dedent(body).strip("\n") + "\n" + WRITE
    step = python(thought, code, src=item.path, dst=path, **values)
    return move("series", path, Series(tuple(points), tolerance=0.001), text, step)


def strip_comments(bench: Bench, item: Artefact) -> Move:
    series: Series = item.value
    path = bench.wanted(["samples", "clean_series", "points", "bare"], ".txt")
    text = bench.say(
        f"Strip `{item.path}` down to its data: `{path}` has a line `<time> <value>` per sample, one space between,"
        f" numbers"
        " and order as they are, no comments and no empty lines.",
        f"Write the samples of `{item.path}` to `{path}`, time and value separated by a single space, without"
        f" comments or"
        " blank lines; neither numbers nor order change.",
    )
    step = shell(
        "awk squeezes the blanks; grep leaves out comments and empty lines.",
        "grep -v -e '^#' -e '^[[:space:]]*$' %src% | awk '{ print $1, $2 }' > %dst%",
        src=item.path,
        dst=path,
    )
    return move("series", path, series, text, step)


def smooth_series(bench: Bench, item: Artefact) -> Move:
    series: Series = item.value
    half = bench.rng.randint(1, 3)
    width = 2 * half + 1
    values = series.values
    points = [(series.times[i], mean(values[i - half : i + half + 1])) for i in range(half, len(values) - half)]
    path = bench.wanted(["smooth", "smoothed", "moving_average", "filtered_series"], ".txt")
    text = bench.say(
        f"Smooth `{item.path}` with a centred moving average over {width} samples; samples without a full window are"
        f" left"
        f" out. Write `{path}`{FORMAT}.",
        f"`{path}`{FORMAT} holds the centred {width}-point moving average of `{item.path}`, only at times that have"
        f" {half}"
        f" neighbour{'s' * (half > 1)} on both sides.",
    )
    body = """
    width = $width
    middle = width // 2
    points = [
        (points[i + middle][0], sum(v for _, v in points[i:i + width]) / width)
        for i in range(len(points) - width + 1)
    ]
    """
    return _reworked(bench, item, text, path, points, "Slide a window over the samples.", body, width=width)


def convert_units(bench: Bench, item: Artefact) -> Move:
    series: Series = item.value
    unit, factor, offset = bench.pick(UNITS)
    shift = f"then {offset:g} added" if offset > 0 else f"then {-offset:g} subtracted"
    path = bench.wanted(["converted", "other_units", "in_units", "rescaled"], ".txt")
    text = bench.say(
        f"Convert the values of `{item.path}` ({unit}): value times {factor:g}, {shift}. Result: `{path}`{FORMAT}.",
        f"`{path}`{FORMAT} is `{item.path}` on another scale ({unit}), that is each value multiplied by {factor:g},"
        f" {shift}; times stay.",
    )
    points = [(t, v * factor + offset) for t, v in series.points]
    body = "points = [(t, $factor * v + $offset) for t, v in points]"
    return _reworked(
        bench, item, text, path, points, "An affine map of each value.", body, factor=factor, offset=offset
    )


def remove_trend(bench: Bench, item: Artefact) -> Move:
    series: Series = item.value
    slope, intercept = _line(series.times, series.values)
    points = [(t, v - (slope * t + intercept)) for t, v in series.points]
    path = bench.wanted(["detrended", "residuals", "without_trend", "flat_series"], ".txt")
    text = bench.say(
        f"Remove the linear trend from `{item.path}`: subtract the least-squares line (value over time) from every"
        f" value."
        f" Write `{path}`{FORMAT}.",
        f"Fit a straight line of value against time to `{item.path}` by least squares; the residuals (value minus"
        f" line) go to"
        f" `{path}`{FORMAT}.",
    )
    body = """
    n = len(points)
    mt, mv = sum(t for t, _ in points) / n, sum(v for _, v in points) / n
    slope = sum((t - mt) * (v - mv) for t, v in points) / sum((t - mt) ** 2 for t, _ in points)
    points = [(t, v - mv - slope * (t - mt)) for t, v in points]
    """
    return _reworked(bench, item, text, path, points, "Fit through the centroid, subtract the fit.", body)


def _line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    n, sx, sy = len(x), math.fsum(x), math.fsum(y)
    slope = (n * math.fsum(a * b for a, b in zip(x, y, strict=True)) - sx * sy) / (
        n * math.fsum(a * a for a in x) - sx**2
    )
    return slope, (sy - slope * sx) / n


def resample_series(bench: Bench, item: Artefact) -> Move:
    series: Series = item.value
    first, last = series.times[0], series.times[-1]
    spacing = bench.rng.choice([0.75, 1.5, 1.25, 3.0])
    points = []
    for k in range(int((last - first) / spacing + 1e-9) + 1):
        t = first + k * spacing
        right = next(i for i in range(1, len(series.points)) if series.times[i] >= t - 1e-12)
        (t0, v0), (t1, v1) = series.points[right - 1], series.points[right]
        points.append((t, v0 + (v1 - v0) * (t - t0) / (t1 - t0)))
    path = bench.wanted(["resampled", "regular", "interpolated", "grid"], ".txt")
    text = bench.say(
        f"Resample `{item.path}` by linear interpolation at the times {first:g}, {first + spacing:g}, ... (every"
        f" {spacing:g}) as far as its last time, into `{path}`{FORMAT}.",
        f"`{path}`{FORMAT}: the series `{item.path}`, linearly interpolated on a grid that begins at {first:g} and"
        f" steps by"
        f" {spacing:g} while it does not pass the last time of the input.",
    )
    body = """
    from bisect import bisect_left

    times = [t for t, _ in points]
    made, k = [], 0
    while times[0] + k * $spacing <= times[-1] + 1e-9:
        t = times[0] + k * $spacing
        i = min(max(bisect_left(times, t), 1), len(times) - 1)
        (t0, v0), (t1, v1) = points[i - 1], points[i]
        made.append((t, v0 + (v1 - v0) * (t - t0) / (t1 - t0)))
        k += 1
    points = made
    """
    return _reworked(bench, item, text, path, points, "Bisect for the neighbours of each time.", body, spacing=spacing)


def differentiate_series(bench: Bench, item: Artefact) -> Move:
    p = item.value.points
    points = [(p[i][0], (p[i + 1][1] - p[i - 1][1]) / (p[i + 1][0] - p[i - 1][0])) for i in range(1, len(p) - 1)]
    path = bench.wanted(["derivative", "rates", "slope", "change"], ".txt")
    text = bench.say(
        f"Estimate the rate of change of `{item.path}` by central differences, (next value - previous value) / (next"
        f" time -"
        f" previous time), leaving out the first and the last sample: `{path}`{FORMAT}.",
        f"Differentiate `{item.path}` numerically: at every inner sample the difference of its two neighbours' values"
        f" over"
        f" that of their times. Output `{path}`{FORMAT}.",
    )
    body = """
    points = [
        (b[0], (c[1] - a[1]) / (c[0] - a[0]))
        for a, b, c in zip(points, points[1:], points[2:])
    ]
    """
    return _reworked(bench, item, text, path, points, "Zip the series with itself, shifted.", body)


def integrate_series(bench: Bench, item: Artefact) -> Move:
    p = item.value.points
    area = math.fsum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(p))
    values = item.value.values
    made = {"integral": area, "mean": mean(values), "rms": math.sqrt(mean(v * v for v in values)), "samples": len(p)}
    path = bench.wanted(["integral", "energy", "area", "figures"], ".json")
    text = bench.say(
        f"Integrate `{item.path}` over time with the trapezoidal rule. `{path}` is a JSON object with `integral`,"
        f" `mean` and"
        " `rms` (root mean square) of the values, and `samples` (how many); absolute tolerance 0.05 on the integral"
        " and the"
        " others alike.",
        f"From `{item.path}` compute `integral` (trapezoidal rule), `mean` and `rms` (root mean square) of the values"
        f" and"
        f" `samples` (their number), as one JSON object in `{path}`; each within 0.05.",
    )
    step = python(
        "Trapezoids between neighbours; the rest are plain means.",
        READ
        + """\
import json

area = sum((t1 - t0) * (v0 + v1) / 2 for (t0, v0), (t1, v1) in zip(points, points[1:]))
v = [value for _, value in points]
made = dict(integral=area, mean=sum(v) / len(v), rms=(sum(x * x for x in v) / len(v)) ** 0.5, samples=len(v))
with open($dst, 'w') as f:
    json.dump(made, f)
""",
        src=item.path,
        dst=path,
    )
    return move("rough", path, made, text, step)


def find_peaks(bench: Bench, item: Artefact) -> Move:
    p: Sequence[tuple[float, float]] = item.value.points
    kind, sign = bench.pick([("maximum", 1), ("minimum", -1)])
    if any(abs(a[1] - b[1]) < 0.004 for a, b in pairwise(p)):
        raise Unfit("neighbours too close to order")
    found = [
        b for a, b, c in zip(p, p[1:], p[2:], strict=False) if sign * b[1] > sign * a[1] and sign * b[1] > sign * c[1]
    ]
    columns = (Column("time", "measure", 1e-4), Column("value", "measure", 0.002))
    made = Table(columns, ()).but([(f"{t:.6f}", f"{v:.6f}") for t, v in found])
    path = bench.wanted(["peaks", "extrema", "turning_points", "crests"], ".csv")
    text = bench.say(
        f"Find every local {kind} of `{item.path}` (a sample strictly {'above' if sign > 0 else 'below'} both"
        f" neighbours, so"
        f" never the first or the last). List them by time in the CSV file `{path}`, header `time,value`, values"
        f" right to"
        " 0.001.",
        f"`{path}` is CSV with header `time,value`, ordered by time, and lists the samples of `{item.path}` that are"
        f" strictly"
        f" {'greater' if sign > 0 else 'smaller'} than the one before and the one after (values right to 0.001).",
    )
    step = python(
        "Compare each inner sample with its neighbours.",
        READ
        + """\
with open($dst, 'w') as f:
    f.write('time,value\\n')
    for (_, a), (t, b), (_, c) in zip(points, points[1:], points[2:]):
        if (a < b > c) if $up else (a > b < c):
            f.write('%.6f,%.6f\\n' % (t, b))
""",
        src=item.path,
        dst=path,
        up=sign > 0,
    )
    return move("table", path, made, text, step)


SKILLS = (
    Skill("strip_comments", "raw_series", "series", 1.0, strip_comments),
    Skill("smooth_series", "series", "series", 1.5, smooth_series),
    Skill("convert_units", "series", "series", 1.0, convert_units),
    Skill("remove_trend", "series", "series", 2.0, remove_trend),
    Skill("resample_series", "series", "series", 2.0, resample_series),
    Skill("differentiate_series", "series", "series", 1.5, differentiate_series),
    Skill("integrate_series", "series", "rough", 1.5, integrate_series),
    Skill("find_peaks", "series", "table", 1.5, find_peaks),
)
