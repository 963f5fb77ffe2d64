"""A stored corpus gives back what was read: pages, links both ways, other names, passages."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from datafactory.corpora import Corpus, find
from datafactory.errors import ConfigError
from datafactory.types import Page

Make = Callable[..., Corpus]


def row(url: str, contents: str = "Some text.", **more: Any) -> dict[str, Any]:
    """A row of JSON Lines."""
    return {"url": url, "title": url.upper(), "contents": contents, **more}


def test_pages_come_back_as_they_were_read(corpus: Make) -> None:
    made = corpus(row("a", "Grüße 🐍\n\nfrom here", links=["b"]), row("b"))
    assert list(made.pages()) == [
        Page("a", "A", "Grüße 🐍\n\nfrom here", ("b",)),
        Page("b", "B", "Some text.", ()),
    ]
    assert (made.url(1), made.title_of(1), len(made)) == ("b", "B", 2)


def test_it_is_found_by_name_and_a_name_that_is_not_there_says_the_way_out(corpus: Make) -> None:
    made = corpus(row("a"), name="pets")
    assert made.name.startswith("corpus/pets-") and made.digest.startswith(made.name[-12:])
    assert list(find(made.name).pages()) == list(made.pages())
    with pytest.raises(ConfigError, match="datafactory corpora build FILE"):
        find("corpus/cats-0123456789ab")
    with pytest.raises(ConfigError, match="with other pages: its digits differ"):
        find("corpus/pets-0123456789ab")
    with pytest.raises(ConfigError, match="no name of a corpus"):
        find("corpus/../../etc-0123456789ab")


def test_links_are_those_within_the_corpus_each_once_and_known_from_both_ends(corpus: Make) -> None:
    made = corpus(
        row("a", links=["c", "https://elsewhere.org/", "b#part", "b", "a", "c"]),
        row("b", links=["c"]),
        row("c"),
    )
    assert [list(made.links(n)) for n in range(3)] == [[2, 1], [2], []]
    assert [list(made.linked_from(n)) for n in range(3)] == [[], [0], [0, 1]]
    assert (made.manifest.links, made.manifest.dropped_links) == (3, 3)


def test_the_links_of_a_large_random_graph_are_those_that_were_written(corpus: Make) -> None:
    rng = random.Random(5)
    wanted = {n: [rng.randrange(340) for _ in range(rng.randrange(9))] for n in range(300)}
    made = corpus(*(row(f"p{n}", links=[f"p{to}" for to in links]) for n, links in wanted.items()))
    for n, links in wanted.items():
        kept = list(dict.fromkeys(to for to in links if to < 300 and to != n))
        assert list(made.links(n)) == kept
        assert list(made.linked_from(n)) == [m for m in range(300) if m != n and n in wanted[m]]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://x.org/Caf%C3%A9", "http://X.ORG/Café"),
        ("https://x.org/a b", "https://x.org/a%20b/"),
        ("notes/one.html", "notes/one.html#any-part"),
        ("notes/one.html#sure", "notes/one.html#sure"),
    ],
)
def test_a_page_is_found_however_its_url_is_written(corpus: Make, written: str, asked: str) -> None:
    made = corpus(row("other"), row(written))
    assert made.number(asked) == 1


def test_a_url_of_another_case_or_place_is_another_page(corpus: Make) -> None:
    made = corpus(row("library/list"), row("library/List"), row("list"))
    assert [made.number(url) for url in ("library/list", "library/List", "list", "LIST", "", "#")] == [
        *(0, 1, 2),
        *(None, None, None),
    ]


def test_other_names_and_redirects_lead_to_their_page_and_a_page_wins_over_them(corpus: Make) -> None:
    made = corpus(
        {"url": "old", "redirect": "older"},
        {"url": "older", "redirect": "new#there"},
        {"url": "b", "redirect": "new"},
        row("new", aliases=["alias", "b"]),
        row("b", links=["old", "alias"]),
    )
    assert [made.number(url) for url in ("old", "older", "alias", "new", "b")] == [0, 0, 0, 0, 1]
    assert list(made.links(1)) == [0]


def test_passages_are_parts_of_their_page_under_its_title(corpus: Make) -> None:
    texts = ["\n\n".join(f"{word} " * 30 for word in words) for words in (("één", "zwei", "три"), ("only",))]
    made = corpus(row("a", texts[0]), row("b", texts[1]), passage_words=30)
    passages = made.passages
    assert len(passages) == 4
    assert [passages.page(n) for n in range(4)] == [0, 0, 0, 1]
    assert passages.part(1) == ("zwei " * 30).strip()
    assert list(passages.texts())[2] == "A\n" + ("три " * 30).strip()
    assert (passages.of(0), passages.of(1)) == (range(3), range(3, 4))


def test_numbers_that_are_not_there_are_refused(corpus: Make) -> None:
    made = corpus(row("a"))
    for ask in (made.page, made.url, made.title_of, made.links, made.linked_from, made.passages.text):
        for number in (1, -1):
            with pytest.raises(IndexError):
                ask(number)


def test_many_threads_read_the_same(corpus: Make) -> None:
    made = corpus(*(row(f"p{n}", f"text {n}", links=[f"p{n + 1}"]) for n in range(200)))
    wrong: list[int] = []

    def look() -> None:
        for n in range(200):
            page = made.page(n)
            if page.text != f"text {n}" or made.number(page.url) != n:
                wrong.append(n)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
