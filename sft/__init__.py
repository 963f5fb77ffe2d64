"""Rooms that distil students; `TABLE` names the trainers."""

TABLE: dict[str, str] = {
    "gkd": "sft.gkd:Gkd",
    "on_policy": "sft.on_policy:OnPolicy",
    "trl": "sft.trl:Trl",
}
