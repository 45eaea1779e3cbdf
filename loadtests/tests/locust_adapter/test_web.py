"""The web UI's Kafka tab in a real browser: it opens, its numbers move, a broker that goes down shows."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from locust_run import free_port
from mock_cluster import MockCluster
from playwright.sync_api import Browser, FrameLocator, Page, expect

PROJECT = Path(__file__).resolve().parents[3]
LOCUST = str(Path(sys.executable).parent / "locust")


@pytest.fixture
def address(shop: MockCluster, tmp_path: Path) -> Iterator[str]:
    with web_ui(shop, tmp_path) as url:
        yield url


@contextmanager
def web_ui(shop: MockCluster, tmp_path: Path, *options: str) -> Iterator[str]:
    """Locust's web UI; the address of its host."""
    port = free_port()
    command = [LOCUST, "--web-host", "127.0.0.1", "--web-port", str(port), "--results-dir", str(tmp_path)]
    command += ["--session-timeout-ms=3000", "--drain-timeout=5s", "--bootstrap-servers", shop.bootstrap, *options]
    process = subprocess.Popen(command, cwd=PROJECT)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    try:
        while True:
            try:
                requests.get(url, timeout=10)
                break
            except requests.RequestException:
                assert time.monotonic() < deadline, "the web UI did not come up"
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(300)


def tab(page: Page, address: str) -> FrameLocator:
    """The Kafka tab of a run that has just been started."""
    page.set_default_timeout(120_000)  # the machine may be busy
    page.goto(address)
    page.get_by_role("button", name=re.compile("start", re.IGNORECASE)).first.click()
    page.get_by_role("tab", name="Kafka").click()
    return page.frame_locator("iframe[title=Kafka]")


def tile(view: FrameLocator, name: str) -> int:
    """The number under this name."""
    text = view.locator("#tiles div").filter(has=view.get_by_text(name, exact=True)).locator("b").inner_text()
    return int(text.replace(",", ""))


def wait_for(condition: Callable[[], bool], page: Page) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)


@pytest.mark.parametrize("width", [1400, 400])
def test_the_tab_lives(address: str, shop: MockCluster, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    view = tab(page, address)
    expect(view.locator("#headline")).to_contain_text("So far no record is lost", timeout=120_000)
    expect(view.locator("#charts .main-svg").nth(5)).to_be_attached(timeout=120_000)  # two for each of three charts
    before = tile(view, "acknowledged")
    wait_for(lambda: tile(view, "acknowledged") > before, page)
    partitions = view.locator("#partitions")
    expect(partitions.locator("td").first).to_be_hidden()
    partitions.locator("summary").click()
    expect(partitions.get_by_text("orders-0", exact=True)).to_be_visible()
    shop.down(2)
    expect(view.locator("#events li").filter(has_text="is down").first).to_be_visible(timeout=120_000)
    expect(partitions.get_by_text("orders-0", exact=True)).to_be_visible()  # it stays as its reader left it
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert view.locator("html").evaluate("page => page.scrollWidth <= page.clientWidth")
    page.get_by_role("tab", name="Statistics").click()
    expect(page.locator("iframe[title=Kafka]")).to_be_hidden()
    assert problems == []
    shop.up(2)
    page.close()


def test_a_start_that_cannot_work_is_refused_in_the_form(address: str, browser: Browser) -> None:
    form = {"user_count": 3, "spawn_rate": 3, "profile": "stedy"}
    assert requests.post(f"{address}/swarm", data=form, timeout=20).json() == {
        "success": False,
        "message": "there is no profile 'stedy'; the profiles are "
        "backlog, churn, fanout, ramp, saturate, smoke, soak, spike, steady, and a file's name ends in .toml",
    }


def test_below_a_base_path_the_tab_finds_its_files(shop: MockCluster, tmp_path: Path) -> None:
    with web_ui(shop, tmp_path, "--web-base-path", "/load") as url:
        scripts = re.findall(r'src="(\./kafka/[^"]+)"', requests.get(f"{url}/load/", timeout=20).text)
        assert scripts == ["./kafka/kafka_tab.js"]
        for name in ("", "state", "plotly.js", "live_view.js", "kafka_tab.js"):
            assert requests.get(f"{url}/load/kafka/{name}", timeout=20).ok, name
