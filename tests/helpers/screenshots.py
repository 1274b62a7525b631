"""Take the README's pictures of the reports: `python tests/helpers/screenshots.py`, from the root.

Needs Chromium or Chrome on PATH and the `dev` extra. Writes `docs/images/report_<profile>_*.png`:
the head and the tables on a desktop, light and dark, and the tables on a phone.
"""

import argparse
import io
from pathlib import Path

import PIL.Image
from playwright.sync_api import Browser, sync_playwright

from benchmark import ROOT
from tests.helpers import browser

FOLDER = ROOT / "docs" / "images"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LARGEST_BYTES = 300_000


def shoot(opened: Browser, profile: str, folder: Path) -> None:
    url = (ROOT / "results" / profile / "report.html").as_uri()
    for name, size, theme, where in (
        ("desktop", DESKTOP, "light", "#quality"),
        ("pictures", DESKTOP, "dark", "#pictures"),
        ("phone", PHONE, "light", "#quality .status"),
    ):
        page = opened.new_page(viewport=size, color_scheme=theme)
        page.goto(url)
        if name == "pictures" and not page.locator("#comparison").count():
            where = "#explore"
        if name == "desktop":
            page.locator("#quality thead button").nth(3).click()
        page.evaluate("at => document.querySelector(at).scrollIntoView()", where)
        page.wait_for_timeout(300)
        save(page.screenshot(), folder / f"report_{profile}_{name}.png")
        page.close()


def save(png: bytes, path: Path) -> None:
    """Write a picture with as many colours as the repository has room for."""
    picture = PIL.Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        stream = io.BytesIO()
        picture.quantize(colours).save(stream, "png", optimize=True)
        if stream.tell() <= LARGEST_BYTES:
            break
    path.write_bytes(stream.getvalue())
    print(f"{path.relative_to(ROOT)}  {stream.tell():,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", nargs="*", default=["demo", "lol"])
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**browser.options())
        for profile in parser.parse_args().profiles:
            shoot(opened, profile, FOLDER)
        opened.close()


if __name__ == "__main__":
    main()
