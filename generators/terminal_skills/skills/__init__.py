"""The primitive skills, a module per family; `SKILLS` holds them by name."""

from generators.terminal_skills.skill import Skill
from generators.terminal_skills.skills import (
    algebra,
    auditing,
    bugs,
    filing,
    finishing,
    graphs,
    logs,
    measuring,
    modelling,
    packaging,
    pinning,
    querying,
    records,
    releasing,
    reshaping,
    scanning,
    signals,
    signing,
    sources,
    textual,
    tooling,
)

FAMILIES = (
    reshaping,
    querying,
    records,
    modelling,
    measuring,
    signals,
    algebra,
    graphs,
    logs,
    packaging,
    pinning,
    filing,
    scanning,
    auditing,
    signing,
    bugs,
    textual,
    tooling,
    sources,
    releasing,
    finishing,
)

SKILLS: dict[str, Skill] = {skill.name: skill for family in FAMILIES for skill in family.SKILLS}
