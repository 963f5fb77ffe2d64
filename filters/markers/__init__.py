"""Markers: they find turns that should carry no loss, in rows that stay."""
