"""The report in a browser, by keyboard, mouse, phone and screen reader."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import browser
from tests.report import test_report

pytest.importorskip("playwright", reason="playwright is not installed: pip install -e '.[dev]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

pytestmark = pytest.mark.skipif(browser.find() is None, reason=browser.ABSENT)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    test_report.make(root)
    return root / "results" / "small" / "report.html"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**browser.options())
        yield opened
        opened.close()


def opened(chromium: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """Open the report; the list fills with what the browser complains about or fetches."""
    page = chromium.new_page(**options)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.extend(fetched(request.url)))
    page.goto(file.as_uri())
    return page, complaints


def fetched(address: str) -> list[str]:
    """Return a complaint about an address outside the page and its folder."""
    return [] if address.startswith(("file:", "data:")) else [f"asked for {address}"]


@pytest.fixture
def page(chromium: Browser, file: Path) -> Iterator[Page]:
    made, complaints = opened(chromium, file, viewport=DESKTOP)
    made.set_default_timeout(5000)
    yield made
    made.close()
    assert complaints == []  # of scripts, of the policy, of the network


def rows(page: Page, section: str = "quality") -> list[list[str]]:
    return page.evaluate(
        "at => Array.from(document.querySelectorAll(at), row =>"
        " Array.from(row.cells, cell => cell.innerText.trim()))",
        f"#{section} .scroll tbody tr",
    )


def first(page: Page, column: int) -> list[str]:
    return [row[column].split("\n")[0] for row in rows(page)]


def choose(page: Page, name: str, text: str, section: str = "quality") -> None:
    page.locator(f"#{section} select[name={name}]").select_option(label=text)


def head(page: Page, text: str) -> Any:
    return page.locator("#quality thead button", has_text=re.compile(f"^{re.escape(text)}")).first


def test_the_table_starts_with_the_first_set_and_quality_under_protocol_sound(page):
    assert rows(page)[0][:3] == ["Gamma", "enhance", "classical"]
    assert first(page, 3)[0] == "13.40"
    assert "Images behind each mean: LOL 6" in page.locator("#quality .status").inner_text()


def test_a_column_sorts_by_its_button_and_the_other_way_when_pressed_again(page):
    head(page, "PSNR ↑").click()
    falling = [float(text) for text in first(page, 3)]
    assert falling == sorted(falling, reverse=True)
    assert page.locator("#quality th[aria-sort]").get_attribute("aria-sort") == "descending"
    head(page, "PSNR ↑").click()
    assert [float(text) for text in first(page, 3)] == sorted(falling)
    assert page.locator("#quality th[aria-sort]").get_attribute("aria-sort") == "ascending"


def test_sorting_works_from_the_keyboard_and_keeps_the_focus(page):
    head(page, "SSIM ↑").focus()
    page.keyboard.press("Enter")
    values = [float(text) for text in first(page, 4)]
    assert values == sorted(values, reverse=True)
    assert page.evaluate("document.activeElement.innerText").startswith("SSIM")


def test_where_less_is_better_the_least_comes_first(page):
    head(page, "BEF ↓").click()
    values = [float(text) for text in first(page, 7)]
    assert values == sorted(values)


def test_rows_without_numbers_stay_last_whichever_way_one_sorts(page):
    page.locator("#quality input[name=absent]").check()
    for _ in range(2):
        head(page, "PSNR ↑").click()
        assert [text == "—" for text in first(page, 3)] == [False] * 11 + [True]
    assert "no released weights" in page.locator("#quality .footnotes").inner_text()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("dataset", "SICE", "33.40"),
        ("qf", "QF 70", "13.20"),
        ("qf", "uncompressed", "13.50"),
        ("protocol", "paper", "13.40"),
        ("metric", "SSIM", "0.1340"),
    ],
)
def test_a_switch_changes_what_the_table_shows(page, name, text, value):
    choose(page, name, text)
    assert first(page, 3)[0] == value


def test_all_sets_and_qualities_stand_side_by_side(page):
    choose(page, "metric", "PSNR")
    choose(page, "dataset", "all sets")
    choose(page, "qf", "all qualities")
    assert len(rows(page)[0]) == 3 + 2 * 3
    assert "LOL · QF 90" in page.locator("#quality thead").inner_text()


def test_protocol_paper_stands_beside_the_papers_numbers_and_sound_does_not(page):
    assert "paper’s" not in page.locator("#quality thead").inner_text()
    choose(page, "protocol", "paper")
    lime = next(row for row in rows(page) if row[0] == "LIME")
    assert lime[3].startswith("15.40")
    assert lime[4] == "17.38"


def test_filters_narrow_the_rows_by_text_family_and_weights(page):
    page.locator("#quality input[name=text]").fill("zero")
    assert {row[0][:8] for row in rows(page)} == {"Zero-DCE", "EDSR+Zer"}
    choose(page, "family", "deblocked, then enhanced")
    assert {row[1] for row in rows(page)} == {"deblock + enhance"}
    assert {row[2] for row in rows(page)} == {"retrained", "released"}
    page.locator("#quality input[name=released]").uncheck()
    assert [row[2] for row in rows(page)] == ["retrained"]
    assert page.locator("#quality .status").inner_text().startswith("1 of ")


def marked(page: Page, kind: str) -> list[str]:
    return page.locator(f"#quality tbody tr:has(td:nth-child(4) .{kind}) th").all_inner_texts()


def test_best_and_second_are_those_of_the_rows_shown(page):
    assert [name[:4] for name in marked(page, "best")] == ["MLSM"]
    page.locator("#quality input[name=text]").fill("edsr")
    assert [name[:13] for name in marked(page, "best")] == ["Zero-DCE+EDSR"]


def test_the_chart_follows_the_table(page):
    chart = page.locator("#quality svg.chart")
    assert "PSNR of 11 rows on LOL, QF 90" in chart.get_attribute("aria-label")
    head(page, "SSIM ↑").click()
    page.locator("#quality input[name=text]").fill("lime")
    assert "SSIM of 1 rows on LOL" in page.locator("#quality svg.chart").get_attribute("aria-label")
    assert page.locator("#quality svg.chart .mark").count() == 1


def test_the_divider_moves_by_keyboard_and_says_where_it_is(page):
    slider = page.get_by_role("slider", name="Position of the divider")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "60"
    assert "inset(0px 40% 0px 0px)" in page.locator(".over").evaluate("e => e.style.clipPath")
    assert "60 % Compressed dark image" in slider.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    assert slider.input_value() == "0"


def test_the_divider_follows_the_mouse(page):
    page.locator(".frame").scroll_into_view_if_needed()
    box = page.locator(".frame").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.up()
    assert float(page.locator("input[name=divider]").input_value()) == pytest.approx(25, abs=1)


def test_both_sides_can_be_chosen_and_the_pictures_say_what_they_are(page):
    choose(page, "left", "Gamma", "pictures")
    page.locator(".sheet button", has_text="Normal-light reference").click()
    assert page.locator(".over").get_attribute("alt") == "Left: Gamma of LOL 0"
    assert page.locator(".under").get_attribute("alt") == "Right: Normal-light reference of LOL 0"
    told = page.locator("#pictures .status").inner_text()
    assert "Gamma (PSNR 10.70 dB, SSIM 0.1070). Right: Normal-light reference." in told
    pressed = page.locator(".sheet button[aria-pressed=true]")
    assert pressed.inner_text() == "Normal-light reference"


def test_zoom_shows_pixels_as_they_are(page):
    choose(page, "zoom", "4 ×", "pictures")
    assert page.locator(".frame").bounding_box()["width"] == pytest.approx(4 * 48)
    assert page.locator(".under").evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"


def test_images_are_compared_worst_first(page):
    choose(page, "first", "LIME", "explore")
    choose(page, "second", "MLSM (retrained)", "explore")
    found = rows(page, "explore")
    assert len(found) == 6
    differences = [float(row[3].replace("−", "-")) for row in found]
    assert differences == sorted(differences) == [-10.0] * 6
    told = page.locator("#explore .status").inner_text()
    assert told.startswith("LIME is better than MLSM (retrained) on 0 of 6 images")


def test_the_comparison_of_images_keeps_the_methods_when_the_set_changes(page):
    choose(page, "first", "LIME", "explore")
    choose(page, "dataset", "SICE", "explore")
    assert page.locator("#explore select[name=first] option:checked").inner_text() == "LIME"
    assert float(rows(page, "explore")[0][1]) > 30


def test_every_link_inside_the_page_leads_to_what_one_sees(page):
    links = page.locator("nav a, #audit ol a").all()
    assert len(links) > 20
    for link in links:
        target = link.get_attribute("href")
        assert page.locator(target).count() == 1, target
        assert page.locator(target).bounding_box()["height"] > 0


def test_links_to_files_beside_the_page_name_files_that_are_there(page, file):
    names = {link.get_attribute("href") for link in page.locator("#provenance a, #figures a").all()}
    missing = [name for name in names if not (file.parent / name).is_file()]
    assert all(name.endswith(".pdf") for name in missing)  # the made-up run has no PDF figures
    assert "tables/table_3.csv" in names


def test_the_theme_can_be_switched(page):
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark page").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    expect(page.get_by_role("button", name="Light page")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(chromium, file, size, theme):
    page, _ = opened(chromium, file, viewport=size, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    found = axe.Axe().run(page).response["violations"]
    page.close()
    told = [(rule["id"], node["target"]) for rule in found for node in rule["nodes"]]
    assert told == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_never_scrolls_the_page_sideways(chromium, file, width):
    page, _ = opened(chromium, file, viewport={"width": width, "height": 800})
    for section in ("quality", "faces"):
        choose(page, "metric", "all metrics", section)
    page.locator("#quality select[name=qf]").select_option(label="all qualities")
    choose(page, "zoom", "4 ×", "pictures")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_without_scripts_the_page_says_where_the_tables_are(chromium, file):
    page, _ = opened(chromium, file, java_script_enabled=False)
    assert "Without JavaScript" in page.locator("noscript").inner_text()
    page.close()


COMMITTED = sorted(test_report.RESULTS.glob("*/report.html"))


@pytest.mark.parametrize("path", COMMITTED, ids=[path.parent.name for path in COMMITTED])
def test_a_committed_report_opens_without_complaint(chromium, path):
    page, complaints = opened(chromium, path, viewport=PHONE)
    page.wait_for_timeout(200)
    assert complaints == []
    assert path.stat().st_size < 15_000_000
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()
