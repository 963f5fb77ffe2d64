"""Distillation: a student that learns from what a teacher makes of the student's own answers."""
