"""The web UI's Kafka tab in a real browser: it opens, its numbers move, a broker that goes down shows."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from mock_cluster import MockCluster
from playwright.sync_api import Browser, Page, expect

PROJECT = Path(__file__).resolve().parents[3]
LOCUST = str(Path(sys.executable).parent / "locust")


@pytest.fixture
def address(shop: MockCluster, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [LOCUST, "--web-host", "127.0.0.1", "--web-port", str(port), "--results-dir", str(tmp_path)]
    process = subprocess.Popen([*command, "--bootstrap-servers", shop.bootstrap], cwd=PROJECT)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while True:
        try:
            requests.get(url, timeout=1)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the web UI did not come up"
            time.sleep(0.1)
    yield url
    process.send_signal(signal.SIGINT)
    process.wait(60)


def row(page: Page, what: str, which: str) -> str:
    """The text of one row of the tab's table."""
    pattern = re.compile(rf"^{re.escape(what)}\s*{re.escape(which)}")
    return page.locator("tbody tr").filter(has_text=pattern).first.inner_text()


def number(page: Page, what: str, which: str) -> int:
    """The first number in the whole-run column."""
    cells = row(page, what, which).split("\t")
    return int(cells[3].replace(",", ""))


def test_the_tab_lives(address: str, shop: MockCluster, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(120_000)  # the machine may be busy
    page.goto(address)
    page.get_by_role("button", name=re.compile("start", re.IGNORECASE)).first.click()
    page.get_by_role("tab", name="Kafka").click()
    expect(page.locator("tbody tr").filter(has_text="acknowledged").first).to_be_visible(timeout=120_000)
    page.wait_for_function(
        "[...document.querySelectorAll('tbody tr')].some(r => /^Rate\\s*acknowledged/.test(r.innerText)"
        " && /[1-9][\\d,]*\\/s/.test(r.innerText))",
    )
    before = number(page, "Rate", "acknowledged")
    page.wait_for_timeout(4_000)
    assert number(page, "Rate", "acknowledged") > before
    assert "led by" in row(page, "Partition", "orders-0")
    assert "0 lost" in row(page, "Ledger", "warehouse-group")
    shop.down(2)
    expect(page.locator("tbody tr").filter(has_text=re.compile("Event.*is down")).first).to_be_visible(timeout=120_000)
    if picture := os.environ.get("KAFKA_TAB_PICTURE"):
        page.screenshot(path=picture, full_page=True)
    shop.up(2)
    page.close()


def test_a_start_that_cannot_work_is_refused_in_the_form(address: str, browser: Browser) -> None:
    form = {"user_count": 3, "spawn_rate": 3, "profile": "stedy"}
    assert requests.post(f"{address}/swarm", data=form, timeout=20).json() == {
        "success": False,
        "message": "there is no profile 'stedy'; the profiles are "
        "backlog, churn, fanout, ramp, saturate, smoke, soak, spike, steady, and a file's name ends in .toml",
    }
