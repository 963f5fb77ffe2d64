"""Questions that are answered from a linked corpus."""
