"""Rows that were made elsewhere, brought to our columns."""
