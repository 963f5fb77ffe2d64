"""Folders of HTML become pages: furniture gone, sections and entries apart, links resolved as a browser would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.html import Html

Site = Callable[..., Corpus]

SPHINX = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>pets — Pet things — Docs 1.0</title></head><body>
<div class="related" role="navigation"><a href="../index.html">Up</a></div>
<div class="sphinxsidebar"><a href="other.html">Next topic</a></div>
<div class="body" role="main">
<section id="module-pets"><span id="pets-title"></span>
<h1><code>pets</code> — Pet things<a class="headerlink" href="#module-pets">¶</a></h1>
<p>Feeds   and
walks <a href="#pets.Dog"><code>Dog</code></a>s.<script>alert(1)</script></p>
<pre><span class="gp">&gt;&gt;&gt; </span>feed(dog)

'full'</pre>
<dl class="py class"><dt class="sig sig-object py" id="pets.Dog"><em>class </em><span class="sig-prename">pets.</span
><span class="sig-name descname">Dog</span>(<em>name</em>)<a class="headerlink" href="#pets.Dog">¶</a></dt>
<dd><p>A friend of man, as long as it is fed with care.</p>
<dl class="py method"><dt class="sig py" id="pets.Dog.bark"><span class="sig-name">bark</span>()</dt>
<dt class="sig py" id="pets.Dog.woof"><span class="sig-name">woof</span>()</dt>
<dd><p>Makes a noise that can be heard in the street, see <a href="other.html#Volume">volume</a>.</p></dd></dl>
<dl class="py attribute"><dt class="sig py" id="pets.Dog.age"><span class="sig-name">age</span></dt><dd>Years.</dd></dl>
<p>Dogs sleep.</p></dd></dl>
<section id="care"><h2>Care<a class="headerlink" href="#care">¶</a></h2>
<p>How to <a href="./../lib/./other.html">care</a> for a pet, in a few words that are enough for a page.</p>
<table><thead><tr><th><p>Pet</p></th><th>Food</th></tr></thead><tr><td>Dog</td><td><p>Bone</p><p>Meat</p></td></tr></table>
<ul><li><p>one</p></li><li>two<ol><li>inner</li></ol></li></ul></section></section></div>
<footer>Copyright</footer></body></html>"""
OTHER = """<html><body><h1>Other</h1><p>Goes <a href='pets.html?v=1#care'>there</a>,
<a href="/lib/pets%2ehtml#pets.Dog.woof">root</a>, <a href="../LIB/Pets.html">case</a>, <a href=".">folder</a>,
<a href="https://x.org/lib/pets.html">out</a>, <a href="../../../lib/pets.html">above</a>, <a href="gone.html">gone</a>,
<a href="moved.html">moved</a>, <a href="mailto:a@b.c">mail</a>, <a href="http://[bad">bad</a>.</p>
<h2><a name="Volume">Volume</a></h2><p>How loud it may be at night, in short: not loud at all.</p></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder of these files, as a corpus."""

    def made(files: Mapping[str, str | bytes], **keys: Any) -> Corpus:
        for name, text in files.items():
            path = tmp_path / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return stock(Html(folder=tmp_path / "site", **keys))

    return made


FILES = {
    "lib/pets.html": SPHINX,
    "lib/other.html": OTHER,
    "lib/index.html": "<title>Library</title><p>All of it: <a href=pets.html>pets</a>",
    "lib/moved.html": "<meta http-equiv=Refresh content='0; url=../lib/pets.html#care'><p>Moved.</p>",
    "genindex.html": "<p>index</p>",
}


def test_sections_and_entries_are_pages_with_the_names_that_links_have(site: Site) -> None:
    made = site(FILES)
    assert {page.url: page.title for page in made.pages()} == {
        "lib/index.html": "Library",
        "lib/other.html": "Other",
        "lib/other.html#Volume": "Other › Volume",
        "lib/pets.html": "pets — Pet things",
        "lib/pets.html#pets.Dog": "pets.Dog",
        "lib/pets.html#pets.Dog.bark": "pets.Dog.bark",
        "lib/pets.html#care": "pets — Pet things › Care",
    }


def test_the_text_is_that_of_the_page_and_nothing_else(site: Site) -> None:
    made = site(FILES)
    texts = {page.url.partition("/")[2]: page.text for page in made.pages()}
    assert texts["pets.html"] == "Feeds and walks Dogs.\n\n>>> feed(dog)\n\n'full'"
    assert texts["pets.html#pets.Dog"] == (
        "class pets.Dog(name)\nA friend of man, as long as it is fed with care.\n\nage\nYears.\n\nDogs sleep."
    )
    assert texts["pets.html#pets.Dog.bark"] == (
        "bark()\nwoof()\nMakes a noise that can be heard in the street, see volume."
    )
    assert texts["pets.html#care"] == (
        "How to care for a pet, in a few words that are enough for a page.\n\n"
        "Pet | Food\nDog | Bone Meat\n\n- one\n- two\n  1. inner"
    )


def test_links_are_resolved_and_a_fragment_means_the_section_that_it_lies_in(site: Site) -> None:
    made = site(FILES)
    links = {page.url.partition("/")[2]: page.links for page in made.pages()}
    assert links["other.html"] == (
        "lib/pets.html#care",
        "lib/pets.html#pets.Dog.bark",
        "lib/pets.html",
        "lib/index.html",
        "lib/other.html#Volume",
    )
    assert links["pets.html"] == ("lib/pets.html#pets.Dog", "lib/pets.html#care")
    assert links["pets.html#pets.Dog.bark"] == ("lib/other.html#Volume",)
    for url, wanted in {
        "lib/pets.html#module-pets": "lib/pets.html",
        "lib/pets.html#pets.Dog.age": "lib/pets.html#pets.Dog",
        "lib/pets.html#pets.Dog.woof": "lib/pets.html#pets.Dog.bark",
        "lib/pets.html#unheard-of": "lib/pets.html",
        "lib/moved.html": "lib/pets.html#care",
        "lib/": "lib/index.html",
    }.items():
        number = made.number(url)
        assert number is not None and made.url(number) == wanted, url
    assert made.number("genindex.html") is None


def test_one_page_a_file_has_all_of_its_text(site: Site) -> None:
    made = site(FILES, split="page", exclude=())
    assert len(made) == 4
    number = made.number("lib/pets.html#pets.Dog.bark")
    assert number is not None
    page = made.page(number)
    assert page.url == "lib/pets.html" and page.links == ("lib/other.html",)
    for text in ("Feeds and walks", "woof()\nMakes a noise", "\n\nDogs sleep.\n\nCare\n\nHow to care"):
        assert text in page.text


def test_a_base_moves_all_links_of_its_page(site: Site) -> None:
    made = site({"deep/a.html": "<base href='../other/'><p>to <a href=b.html#x>b</a>", "other/b.html": "<p>b"})
    assert made.page(0).links == ("other/b.html",)


def test_an_address_makes_urls_of_paths_and_links_with_it_stay_inside(site: Site) -> None:
    made = site(
        {"a.html": "<p>to <a href='HTTPS://x.org/docs/b.html'>b</a> and <a href=c.html>c</a>", "b.html": "<p>b"},
        address="https://x.org/docs/",
    )
    assert made.page(0).url == "https://x.org/docs/a.html"
    assert made.page(0).links == ("https://x.org/docs/b.html",)
    assert made.number("http://x.org/docs/b.html") == 1


def test_encodings_are_those_that_pages_name_and_what_is_none_is_rejected(site: Site) -> None:
    made = site(
        {
            "a.html": '<meta charset="latin1"><p>caf\xe9 \x93quoted\x94'.encode("latin-1"),
            "b.html": "<p>грех".encode("utf-16"),
            "c.html": "<p>Grüße".encode("cp1252"),
            "d.html": b"<meta charset=utf-8><p>caf\xe9",
            "e.html": b"<meta charset=utf-8>",
        }
    )
    assert [page.text for page in made.pages()] == ["café “quoted”", "грех", "Grüße"]
    assert made.manifest.rejects == {"not_text": 1, "empty": 1}


def test_a_link_to_a_file_of_the_tree_is_another_name_of_it(site: Site, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "outside.html").write_text("<p>outside")
    (tmp_path / "site" / "a.html").symlink_to("b.html")
    (tmp_path / "site" / "c.html").symlink_to("../outside.html")
    made = site({"b.html": "<p>b"})
    assert [page.url for page in made.pages()] == ["b.html", "c.html"]
    assert made.number("a.html") == 0


def test_pages_that_are_nested_very_deep_or_broken_are_read(site: Site) -> None:
    made = site({"a.html": "<div>" * 5_000 + "deep", "b.html": "<h2>x<p><table><td>y<dl><dt id=q>z<h1>", "c.html": "<"})
    assert made.page(0).text == "deep"
    assert made.page(1).text.split() == ["x", "y", "z"]
    assert made.page(2).text == "<"


def test_doxygen_and_plain_pages_are_cut_at_their_anchors(site: Site) -> None:
    body = "<p>It does what it says, and nothing that it does not say, at all times.</p>"
    doxygen = (
        '<body><div id="top"><div id="nav-path" class="navpath"><ul><li>crumbs</li></ul></div></div>'
        '<div class="header"><div class="summary"><a href="#x">Functions</a></div>'
        '<div class="headertitle"><div class="title">wheel.h File Reference</div></div></div><div class="contents">'
        '<a id="a1f"></a><h2 class="memtitle">turn()<a href="#a1f" id="b2">&#9670;</a></h2>'
        '<div class="memitem"><table class="memname"><tr><td>int turn</td><td>(</td><td>int by</td></tr></table>'
        f"<pre>code<button>copy</button></pre>{body}</div></div></body>"
    )
    made = site({"wheel.html": f"<title>wheel.h</title>{doxygen}"})
    assert [page.url for page in made.pages()] == ["wheel.html", "wheel.html#a1f"]
    assert made.page(0).text == "wheel.h File Reference"
    assert made.page(1).title == "wheel.h › turn()"
    assert made.page(1).text.startswith("int turn ( int by\n\ncode\n\nIt does")
    assert made.number("wheel.html#b2") == 1
    assert "crumbs" not in made.page(0).text and "◆" not in made.page(1).title
