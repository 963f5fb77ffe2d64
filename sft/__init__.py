"""Rooms that distil students; `TABLE` names the trainers."""

TABLE: dict[str, str] = {
    "trl": "sft.trl:Trl",
}
