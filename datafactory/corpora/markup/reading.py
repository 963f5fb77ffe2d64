"""From HTML to an outline, by lexbor's HTML5 parser: furniture goes, sections and entries are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datafactory.corpora.markup.outline import ENTRY, Block, Section
from datafactory.corpora.markup.rules import (
    BLOCKS,
    FLAT_TABLES,
    FURNITURE_OF_CODE,
    HEADINGS,
    LISTS,
    MAIN,
    NOT_IN_HEADINGS,
    NOTES,
    PERMANENT,
    furniture,
)
from datafactory.corpora.markup.writing import Writer
from datafactory.corpora.text import line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_FEW = 30
"""Words on a page that only says that it has moved."""


def parsed(text: str) -> LexborHTMLParser:
    """The tree of a page."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(text)


def refreshed(tree: LexborHTMLParser) -> str:
    """Where a page sends its readers at once, as written; empty: it has a text of its own."""
    for meta in tree.css("meta[http-equiv]"):
        if (meta.attributes.get("http-equiv") or "").lower() == "refresh":
            delay, _, url = (meta.attributes.get("content") or "").partition(";")
            name, _, target = url.strip().partition("=")
            words = len((tree.body.text_lexbor() if tree.body else "").split())
            if name.strip().lower() == "url" and delay.strip() in ("", "0", "1") and words <= _FEW:
                return target.strip().strip("'\"")
    return ""


def outline(tree: LexborHTMLParser) -> Section:
    """The page and all that is in it. Its title is its first heading of level 1, or what `<title>` says."""
    main = _main(tree)
    reader = _Reader((main.attributes.get("id") if main is not None else None) or "")
    if main is not None:
        _walk(main, reader)
    page = reader.done()
    if not page.title and (head := tree.css_first("title")) is not None:
        page.title = line(head.text_lexbor()).partition(" | ")[0]  # behind it comes the site's name
    return page


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    for place in MAIN:
        if (found := tree.css_first(place)) is not None:
            return found
    articles = tree.css("article")
    return articles[0] if len(articles) == 1 else tree.body


def _walk(root: LexborNode, reader: _Reader) -> None:
    """Depth first, without recursion: strangers' pages nest as deep as they like."""
    above: list[tuple[LexborNode, str]] = []
    node = root
    while True:
        if node.is_text_node:
            reader.text(node.text_content or "")
        elif node.is_element_node and reader.enter(tag := node.tag or "", node):
            if (child := node.child) is not None:
                above.append((node, tag))
                node = child
                continue
            reader.leave(tag)
        while above:
            if (following := node.next) is not None:
                node = following
                break
            node, tag = above.pop()
            reader.leave(tag)
        else:
            return


@dataclass(slots=True)
class _List:
    """A definition list that is being read."""

    depth: int
    """Sections that were open when it began."""
    entries: bool
    """Whether terms with a name are entries."""
    python: bool
    """Whether Sphinx wrote it for Python: then the name is the full name of what it describes."""
    defined: bool = True
    """Whether the definition of the term has begun, so that the next term is another entry."""


class _Reader:
    def __init__(self, name: str) -> None:
        self.page, self._root = Section("", 0, ids=[name] if name else []), name
        self._open = [self.page]
        self._writer = Writer()
        self._pending: list[tuple[str, bool]] = []
        self._lists: list[_List] = []
        self._tables: list[str] = []
        """How each open table is written: its rows as `rows`, all of it on one `line`, or as any other `block`."""
        self._heading: Section | None = None
        self._term: Section | None = None

    def done(self) -> Section:
        self._flush()
        self._settle()
        return self.page

    def text(self, text: str) -> None:
        if self._pending and not text.isspace() and self._heading is None:
            self._settle()
        self._writer.text(text)

    def enter(self, tag: str, node: LexborNode) -> bool:
        """Whether to go in."""
        if tag == "br":
            self._writer.line_break()
            return False
        attributes = node.attributes
        if furniture(tag, attributes):
            return False
        if tag in NOT_IN_HEADINGS and self._heading is not None:
            self._heading_ends()
        if tag in BLOCKS:
            self._flush()
        name = attributes.get("id") or (attributes.get("name") if tag == "a" else None)
        if name and name != self._root and not (tag == "dt" and self._starts_entry()):
            strong = tag in HEADINGS or tag == "section" or "section" in (attributes.get("class") or "").split()
            self._pending.append((name, strong))
        if tag == "a":
            href = attributes.get("href") or ""
            if href.startswith("#") and node.text_lexbor().strip() in PERMANENT:
                return False
            self._link(href, attributes.get("role") or "")
        elif tag == "pre":
            self._code(node)
            return False
        elif tag in BLOCKS:
            self._enter_block(tag, name or "", (attributes.get("class") or "").split(), node)
        return True

    def leave(self, tag: str) -> None:
        if tag not in BLOCKS:
            return
        if tag in HEADINGS and self._heading is not None:
            self._heading_ends()
            return
        if tag == "dt" and self._term is not None and not self._term.title:
            self._term.title = " ".join(self._peek().split())
        self._flush()
        if tag in LISTS:
            self._writer.list_ends()
        elif tag == "table" and (how := self._tables.pop()) != "block":
            self._add(self._writer.table_ends(flat=how == "line"))
        elif tag == "dl" and self._lists:
            del self._open[self._lists.pop().depth :]
        elif tag == "dt":
            self._term = None
            self._writer.tighten()

    def _enter_block(self, tag: str, name: str, classes: list[str], node: LexborNode) -> None:
        writer = self._writer
        if tag in HEADINGS:
            self._heading_starts(HEADINGS[tag])
        elif tag in LISTS:
            writer.list_starts(tag == "ol")
        elif tag == "li":
            writer.item()
        elif tag == "table":
            self._tables.append(self._table(classes, node))
            if self._tables[-1] != "block":
                writer.table_starts()
        elif tag == "tr":
            writer.row()
        elif tag in ("td", "th"):
            writer.cell()
        elif tag == "dl":
            entries = NOTES.isdisjoint(classes) and not writer.in_table
            self._lists.append(_List(len(self._open), entries, "py" in classes))
        elif tag == "dt" and name and self._starts_entry():
            self._entry(name, node)
        elif tag == "dd" and self._lists:
            self._lists[-1].defined = True

    def _table(self, classes: list[str], node: LexborNode) -> str:
        if self._writer.in_table:
            return "block"
        if not FLAT_TABLES.isdisjoint(classes):
            return "line"
        return "rows" if node.css_first("h1, h2, h3, h4, dt[id], table table") is None else "block"

    def _starts_entry(self) -> bool:
        return bool(self._lists) and self._lists[-1].entries

    def _entry(self, name: str, node: LexborNode) -> None:
        here = self._lists[-1]
        if not here.defined and len(self._open) > here.depth:  # several terms, one definition
            self._open[-1].ids.append(name)
            return
        self._settle()
        del self._open[here.depth :]
        sig = node.css_first(".sig-name") or node.css_first(".descname")
        title = name if here.python else line(sig.text_lexbor()) if sig is not None else ""
        self._term = Section(title, ENTRY, name, [name])
        self._open[-1].parts.append(self._term)
        self._open.append(self._term)
        here.defined = False

    def _heading_starts(self, level: int) -> None:
        if self._lists or self._writer.in_table:  # a heading within a definition is a line of it
            return
        names, self._pending = self._pending, []
        if level == 1 and not self.page.title:
            self._heading = self.page
        else:
            while len(self._open) > 1 and self._open[-1].level >= level:
                self._open.pop()
            strong = [name for name, is_strong in names if is_strong] or [name for name, _ in names]
            self._heading = Section("", level, strong[-1] if strong else "")
            self._open[-1].parts.append(self._heading)
            self._open.append(self._heading)
        self._heading.ids += [name for name, _ in names]

    def _heading_ends(self) -> None:
        heading, self._heading = self._heading, None
        assert heading is not None
        heading.title = " ".join(self._writer.taken().split())
        if not heading.fragment and heading is not self.page and self._pending:
            heading.fragment = self._pending[0][0]
        heading.ids += [name for name, _ in self._pending]
        self._pending.clear()

    def _link(self, href: str, role: str) -> None:
        if href and not role.startswith("doc-"):  # doc-noteref and doc-backlink: notes of the same page
            (self._heading or self._open[-1]).links.append(href)

    def _code(self, node: LexborNode) -> None:
        self._settle()
        for each in node.css(FURNITURE_OF_CODE):
            each.decompose()
        for link in node.css("a[href]"):
            self._link(link.attributes.get("href") or "", "")
        self._open[-1].ids += [name for each in node.css("[id]") if (name := each.attributes.get("id"))]
        self._add(self._writer.code(node.text_lexbor()))

    def _settle(self) -> None:
        """Names that were seen since the last text belong to the section that is open now."""
        self._open[-1].ids += [name for name, _ in self._pending]
        self._pending.clear()

    def _peek(self) -> str:
        text = self._writer.taken()
        self._writer.text(text)
        return text

    def _flush(self) -> None:
        if self._heading is None:
            self._add(self._writer.flush())
        else:
            self._writer.text(" ")

    def _add(self, block: Block | None) -> None:
        if block is not None:
            self._open[-1].parts.append(block)
