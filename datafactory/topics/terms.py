"""Names of topics without a teacher: the words that set a topic apart, by class-based TF-IDF (arXiv 2203.05794)."""

from __future__ import annotations

from collections.abc import Sequence

from datafactory.topics.tfidf import WORD

TERMS = 8
"""Words of a topic that are kept."""
NAMED = 3
"""Words in a name, more where two topics would have the same one."""


def terms_of(topics: Sequence[Sequence[str]]) -> list[list[str]]:
    """For each topic, given as texts, the words that weigh most in it: their share in the topic's words, times
    log(1 + mean words of a topic / the word's frequency in all of them). Of a word and its plural one is enough."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    if not topics:
        return []
    for stop in ("english", None):
        try:
            counting = CountVectorizer(token_pattern=WORD, stop_words=stop)
            counts = counting.fit_transform([" ".join(texts) for texts in topics]).tocsr()
            break
        except ValueError:  # there are no words but those
            continue
    else:
        return [[] for _ in topics]
    words = counting.get_feature_names_out()
    frequency = np.asarray(counts.sum(axis=0)).ravel()
    rarity = np.log1p(counts.sum() / len(topics) / frequency)
    found = []
    for number in range(len(topics)):
        row = counts[number]
        weights = row.data / max(1, row.sum()) * rarity[row.indices]
        order = np.lexsort((words[row.indices].astype(str), -weights))
        found.append(_apart([str(words[row.indices[at]]) for at in order]))
    return found


def _apart(words: Sequence[str]) -> list[str]:
    kept: dict[str, str] = {}
    for word in words:
        if len(kept) == TERMS:
            break
        kept.setdefault(word.removesuffix("s"), word)
    return list(kept.values())


def names_of(terms: Sequence[Sequence[str]]) -> list[str]:
    """A name for each topic, no two the same."""
    taken: set[str] = set()
    names = []
    for number, words in enumerate(terms):
        tries = [", ".join(words[:count]) for count in range(NAMED, len(words) + 1)] or [", ".join(words)]
        name = next((name for name in tries if name and name not in taken), f"topic {number}")
        taken.add(name)
        names.append(name)
    return names
