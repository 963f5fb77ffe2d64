"""Rooms that curate; `TABLE` names the filters and `CURRICULA` the orders of training."""

TABLE: dict[str, str] = {
    "solved": "filters.solved:Solved",
    "length": "filters.length:Length",
    "duplicate": "filters.duplicate:Duplicate",
    "format": "filters.format:Format",
}

CURRICULA: dict[str, str] = {
    "mixed": "filters.mixed:Mixed",
}
