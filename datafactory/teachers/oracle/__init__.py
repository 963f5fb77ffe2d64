"""The embedded expert: no model, but a task's own solution, shown turn by turn the way an agent works."""

from datafactory.teachers.oracle.teacher import OracleTeacher

__all__ = ["OracleTeacher"]
