"""Rooms that distil students; the trainers arrive with the SFT stage."""

TABLE: dict[str, str] = {}
