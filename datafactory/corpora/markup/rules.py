"""Which elements of HTML are text, and which are furniture: navigation, scripts, permanent links."""

from __future__ import annotations

from collections.abc import Mapping


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FURNITURE = _set(
    "audio button canvas dialog embed footer head iframe input map nav noscript object option script select style svg "
    "template textarea video"
)
"""Elements that are left out with all that is in them."""
FURNITURE_CLASSES = _set(
    # Sphinx
    "headerlink sphinxsidebar related viewcode-link viewcode-back copybtn linenos bottomnav topnav "
    # Doxygen
    "navpath ttc dynheader dyncontent summary permalink lineno "
    # MkDocs, MediaWiki and others
    "md-nav md-sidebar mw-editsection navbox noprint breadcrumb breadcrumbs skip-link anchor-link sr-only "
    "toc sidebar-nav"
)
FURNITURE_IDS = _set("side-nav nav-path MSearchSelectWindow MSearchResultsWindow toc")
FURNITURE_ROLES = _set("navigation search contentinfo banner")

FURNITURE_OF_CODE = "button, .lineno, .linenos"
"""What is left out of code, as a selector."""
PERMANENT = frozenset(("#", "¶", "§", "◆", "🔗"))
"""Texts of links that only say where they stand."""

MAIN = ("[role=main]", "main", "#doc-content", "#mw-content-text", "div.body", "#content")
"""Where the text of a page is, the surest first; else the one `article`, or the whole body."""

BLOCKS = _set(
    "address article aside blockquote body center details div dd dl dt fieldset figcaption figure form h1 h2 h3 h4 h5 "
    "h6 header hgroup hr legend li main menu ol p pre section summary table tbody td tfoot th thead tr ul "
    "caption html"
)
"""Elements that begin and end a block."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}
NOT_IN_HEADINGS = frozenset(("p", "pre", "table", "ul", "ol", "dl", "blockquote"))
"""What ends a heading that nobody closed."""
LISTS = frozenset(("ul", "ol", "menu"))
FLAT_TABLES = _set("memname mlabels")
"""Classes of tables that only lay out one line, as Doxygen's signatures."""
NOTES = _set("footnote citation")
"""Classes of definition lists whose names are labels of notes, not entries."""


def furniture(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether an element is left out."""
    if tag in FURNITURE:
        return True
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return (
        (attributes.get("role") or "") in FURNITURE_ROLES
        or (attributes.get("id") or "") in FURNITURE_IDS
        or not FURNITURE_CLASSES.isdisjoint((attributes.get("class") or "").split())
    )
