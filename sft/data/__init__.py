"""What a student is trained on: rows of a table as arrays of tokens."""

from sft.data.tokens import Tokens, prepare

__all__ = ["Tokens", "prepare"]
