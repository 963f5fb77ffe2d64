"""Pages from a folder of Markdown files: documentation, a wiki, notes that link to each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote

import yaml

from datafactory.corpora.markup import outline, parsed, split
from datafactory.corpora.sources.tree import Tree, TreeSpec
from datafactory.corpora.spec import Item, RawPage, Unread
from datafactory.corpora.text import decoded, line

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_WIKI = re.compile(r"!?\[\[([^\[\]|\n]{1,400})(?:\|([^\[\]\n]{0,400}))?\]\]")
_NAMED = re.compile(r"(.*?)\s*\{#([^\s{}]+)\}\s*", re.DOTALL)
"""A heading that names itself, as pandoc and MkDocs have it: `Heading {#name}`."""
_NO_SLUG = re.compile(r"[^\w\- ]")
_WIKI_SCHEME = "wiki:"


class Markdown(TreeSpec):
    """A folder of Markdown files (CommonMark, tables, front matter), which link by path or as a wiki: `[[Page]]`."""

    use_name: ClassVar[str] = "markdown"
    endings: ClassVar[tuple[str, ...]] = (".md", ".markdown", ".mdown", ".mkd", ".mdx")
    indexes: ClassVar[tuple[str, ...]] = ("index.md", "README.md", "readme.md", "_index.md")

    def read(self, data: bytes, path: str, tree: Tree) -> Iterator[Item]:
        """The pages of one file."""
        place = str(self.folder / path)
        text = decoded(data)
        if text is None:
            yield Unread(place, "not_utf8")
            return
        front, body = _front(text)
        page = outline(parsed(_html(body)))
        said = front.get("title")
        page.title = line(str(said)) if said else page.title or PurePosixPath(path).stem

        def resolve(href: str) -> str | None:
            if not href.startswith(_WIKI_SCHEME):
                return tree.resolve(path, href)
            name, _, heading = unquote(href.removeprefix(_WIKI_SCHEME)).partition("#")
            fragment = f"#{slug(heading)}" if heading else ""
            return tree.resolve(path, quote(name) + fragment) or tree.named_as(name, fragment) if name else None

        pages = split(page, tree.url(path), self.split, self.least_words, resolve, place)
        for number, made in enumerate(tree.named(pages, path)):
            yield made if number else _also(made, front, tree, path)


def slug(heading: str) -> str:
    """The name that GitHub gives a heading: lower case, spaces as hyphens, no punctuation."""
    return _NO_SLUG.sub("", heading.strip().lower()).replace(" ", "-")


def _also(page: RawPage, front: dict[str, Any], tree: Tree, path: str) -> RawPage:
    """The page, also called as its front matter says, and by its path without the ending."""
    said = front.get("aliases")
    names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    bare = tree.url(path).rpartition(".")[0]
    return replace(page, aliases=tuple(dict.fromkeys((*page.aliases, bare, *(str(name) for name in names if name)))))


def _front(text: str) -> tuple[dict[str, Any], str]:
    """The mapping at the top of a file, and the text below; broken YAML is left in the text."""
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        said = yaml.safe_load(found[1])
    except yaml.YAMLError:
        return {}, text
    return (said, text[found.end() :]) if isinstance(said, dict) else ({}, text)


def _html(text: str) -> str:
    markdown = _parser()
    tokens = markdown.parse(text)
    counts = Counter[str]()
    for opening, inside in pairwise(tokens):
        if opening.type == "heading_open":
            _name(opening, inside, counts)
    made: str = markdown.renderer.render(tokens, markdown.options, {})
    return made


def _name(opening: Token, inside: Token, counts: Counter[str]) -> None:
    texts = [child for child in inside.children or () if child.type in ("text", "code_inline")]
    if texts and (own := _NAMED.fullmatch(texts[-1].content)):
        texts[-1].content = own[1]
        opening.attrSet("id", own[2])
        return
    if name := slug("".join(child.content for child in texts)):
        opening.attrSet("id", f"{name}-{counts[name]}" if counts[name] else name)
        counts[name] += 1


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    markdown.inline.ruler.before("link", "wiki_link", _wiki_link)
    return markdown


def _wiki_link(state: StateInline, silent: bool) -> bool:
    found = _WIKI.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        target = found[1].strip()
        token = state.push("html_inline", "", 0)
        token.content = f'<a href="{escape(_WIKI_SCHEME + quote(target))}">{escape((found[2] or target).strip())}</a>'
    state.pos = found.end()
    return True
