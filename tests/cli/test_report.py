"""`datafactory report`: one page that holds all of a run, and lets nothing of it do anything."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.cli.funnel import count
from datafactory.reporting import facts, read_attempts, render
from datafactory.storage import open_run
from datafactory.types import Trajectory
from tests.cli.browser import tab

Call = Callable[..., Any]
SCRIPT = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\"> {{ 7 * 7 }}"


def page_of(run: Path, **options: int) -> str:
    """The page of a run's folder."""
    folder = open_run(run)
    return render(facts(folder, count(folder).as_json()), read_attempts(folder, **options))


def data(page: str, name: str) -> Any:
    """One piece of the page's data, as its script opens it."""
    found = re.search(rf'<script type="text/plain" id="data-{name}">([A-Za-z0-9+/=]+)</script>', page)
    assert found is not None, f"no data {name}"
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


class Tags(html.parser.HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def hostile(maker: Any) -> None:
    """A run whose ids, domain and messages try to be markup, script, template and terminal."""
    task = maker.task("alpha-00000", "alpha", SCRIPT)
    await maker.synthesize([task])
    tried = maker.attempt(task, 0, 1.0, SCRIPT + maker.hostile).but(domain=SCRIPT, skills=(SCRIPT,))
    long = maker.attempt(task, 1, 0.0, "x" * 2_000_000 + SCRIPT)
    for number in (2, 3):
        await maker.attempts(number, [tried, long])


def test_the_page_asks_for_nothing_and_says_so(runs: Path) -> None:
    page = page_of(runs / "demo")
    tags = Tags(page).found
    assert [name for name, _ in tags if name in ("link", "img", "iframe", "object", "embed", "base")] == []
    assert [given for _, given in tags if {"src", "srcset", "onclick", "onerror", "style"} & set(given)] == []
    assert {given["href"] for _, given in tags if "href" in given} == {"#reader"}
    [policy] = [given["content"] for _, given in tags if "http-equiv" in given]
    assert policy is not None and policy.startswith("default-src 'none';") and "unsafe" not in policy


def test_the_page_has_the_funnel_and_every_attempt_with_its_fate(runs: Path) -> None:
    page = page_of(runs / "demo")
    assert data(page, "facts")["funnel"]["funnel"] == {"made": 8, "sound": 3, "tried": 6, "solved": 4, "kept": 4}
    index = data(page, "index")
    assert index["tasks"]["id"] == ["alpha-00000", "alpha-00001", "beta-00000"]
    assert index["rows"]["reward"] == [1.0, 0.25, 1.0, 1.0, 0.0, 1.0]
    assert index["words"]["filter"] == ["solved"]
    assert index["rows"]["fate"] == [0, 1, 0, 0, 1, 0]
    place = (index["rows"]["chunk"][1], index["rows"]["slot"][1])
    told = data(page, str(place[0]))[place[1]]
    assert told["checks"] == [{"name": "count", "outcome": "failed"}]
    assert told["reason"]
    assert told["messages"][0]["content"] == "Task: Count the lines of /app/in.txt."


async def test_text_of_a_run_is_never_markup(maker: Any) -> None:
    await hostile(maker)
    page = page_of(maker.path)
    assert "owned" not in page
    scripts = [given for name, given in Tags(page).found if name == "script"]
    assert len([given for given in scripts if not given]) == 1
    index = data(page, "index")
    assert index["words"]["domain"][0] == SCRIPT
    assert index["tasks"]["prompt"] == [SCRIPT]


async def test_a_name_of_a_run_is_no_markup_either(maker: Any) -> None:
    await hostile(maker)
    folder = open_run(maker.path)
    told = facts(folder, count(folder).as_json() | {"name": SCRIPT})
    assert "<script>document.title" not in render(told, read_attempts(folder))


async def test_a_line_of_two_megabytes_is_cut_and_says_so(maker: Any) -> None:
    await hostile(maker)
    page = page_of(maker.path)
    assert len(page) < 200_000
    said = data(page, "0")[1]["messages"][2]["content"]
    assert len(said) < 21_000
    assert re.search(r"\[1,980,\d{3} characters left out of this page\]", said)


async def test_beyond_the_budget_every_attempt_is_listed_and_a_sample_can_be_read(maker: Any) -> None:
    tasks = [maker.task(f"alpha-{number:05}", "alpha") for number in range(300)]
    tried: list[Trajectory] = [maker.attempt(task, 0, 1.0, "seen " * 200) for task in tasks]
    await maker.attempts(3, tried)
    folder = open_run(maker.path)
    found = read_attempts(folder, text_bytes=60_000)
    assert len(found.rows["task"]) == 300
    there = [place for place, chunk in enumerate(found.rows["chunk"]) if chunk >= 0]
    assert found.shown == len(there) and 30 <= len(there) <= 60
    assert max(there) - min(there) > 200, "a sample, not the first ones"
    assert read_attempts(folder, text_bytes=60_000) == found


def test_a_run_in_which_nothing_was_attempted_has_a_page(maker: Any) -> None:
    page = page_of(maker.path)
    assert data(page, "index")["rows"]["task"] == []


def test_a_loss_that_is_no_number_and_a_torn_line_leave_the_curve_standing(maker: Any) -> None:
    training = maker.path / maker.stages[4] / "training"
    training.mkdir(parents=True)
    lines = ['{"step": 1, "steps": 9, "loss": 2.5}', '{"step": 2, "steps": 9, "loss": NaN}', '{"step": 3, "lo']
    (training / "steps.jsonl").write_text("\n".join(lines))
    [curve] = data(page_of(maker.path), "facts")["losses"]
    assert curve == {"stage": maker.stages[4], "steps": 9, "points": [[1, 2.5], [2, None]]}


def test_the_command_writes_the_page_where_it_is_told(call: Call, runs: Path, tmp_path: Path) -> None:
    done = call("report", "demo", "--runs", runs, "--to", tmp_path / "deep" / "demo.html")
    assert done.returncode == 0, done.stderr
    assert "6 attempts, 6 with their conversations" in done.stdout
    assert (tmp_path / "deep" / "demo.html").read_text().startswith("<!doctype html>")
    assert "there are: demo" in call("report", "other", "--runs", runs).stderr


@pytest.mark.chromium
async def test_in_a_browser_text_stays_text_and_keys_move(maker: Any, tmp_path: Path) -> None:
    await hostile(maker)
    (tmp_path / "page.html").write_text(page_of(maker.path))
    async with tab(tmp_path / "profile") as page:
        await page.open((tmp_path / "page.html").as_uri())
        assert await page.value("document.querySelectorAll('img, script:not([type]) ~ script').length") == 0
        shown = "document.querySelector('#attempt').textContent"
        await page.until(f"{shown}.includes('alpha-00000/0')")
        said = await page.value(shown)
        assert SCRIPT in said and "‹1b›[2J‹1b›[31mred‹9b›5m" in said and "\x1b" not in said
        await page.press("j")
        await page.until(f"{shown}.includes('alpha-00000/1')")
        await page.press("/")
        for key in "0000/0":
            await page.press(key)
        await page.until("document.querySelector('#found').textContent === '1 of 2 attempts'")
        await page.press("Escape")
        await page.until("document.querySelector('#found').textContent === '2 of 2 attempts'")
        assert await page.value("document.title") == "half · datafactory"
        asked = [
            event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
        ]
        assert asked == [(tmp_path / "page.html").as_uri()]
        assert [event for event in page.events if event["method"] == "Runtime.exceptionThrown"] == []


@pytest.mark.chromium
async def test_on_a_phone_nothing_sticks_out_and_an_attempt_fills_the_screen(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page_of(runs / "demo"))
    async with tab(tmp_path / "profile") as page:
        await page.open((tmp_path / "page.html").as_uri(), 390, 844)
        assert await page.value("document.documentElement.scrollWidth") == 390
        await page.value("document.querySelector('.row').click()")
        await page.until("document.activeElement.id === 'attempt'")
        assert await page.value("document.querySelector('#attempt').getBoundingClientRect().height") == 844
        await page.press("Escape")
        assert await page.value("document.activeElement.id") == "list"
