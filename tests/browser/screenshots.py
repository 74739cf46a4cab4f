"""Take the documentation's pictures of a review: `python tests/browser/screenshots.py SCREENS_URL ROLLOUT PNG`.

SCREENS_URL is the review screens' root, served with a key of their own, as `gatekeeper demo --keep` does.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = os.environ.get("GATEKEEPER_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
WIDTH_PX, MOST_PX = 1280, 1900
BODY = "[data-testid=stMainBlockContainer]"
STILL_MS = 1_500


def take(url: str, rollout_id: str, picture: Path) -> None:
    """Wait until the review's plot is drawn, and keep the whole page as a PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": MOST_PX})
        page.goto(f"{url}/review?rollout={rollout_id}")
        page.locator("[data-testid=stVegaLiteChart]").locator("canvas, svg.marks").first.wait_for()
        height_px = 0
        while height_px != (height_px := _height_px(page)):
            page.set_viewport_size({"width": WIDTH_PX, "height": height_px})
            page.wait_for_timeout(STILL_MS)
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)
        browser.close()


def _height_px(page: Page) -> int:
    """Return how high the page is once it stands still, up to the most that a picture shows."""
    page.wait_for_timeout(STILL_MS)
    return min(int(page.locator(BODY).evaluate("body => Math.ceil(body.getBoundingClientRect().bottom)")), MOST_PX)


def main() -> None:
    """Read the command line and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url", help="the review screens' root URL")
    parser.add_argument("rollout", help="the rollout's id")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    asked = parser.parse_args()
    take(asked.url, asked.rollout, asked.picture)


if __name__ == "__main__":
    main()
