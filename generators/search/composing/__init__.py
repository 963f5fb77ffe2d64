"""A teacher composes hard questions: a page's question is blurred and joined with linked pages' questions."""
