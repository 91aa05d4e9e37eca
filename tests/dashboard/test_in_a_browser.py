"""The page in Chromium: what it does with markup in names, a wrong key, and an app that is gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from shared.compute.recording import RunSummary
from shared.compute.report import Outcome, Result
from shared.compute.sighting import sight
from tests.dashboard.seen import ANSWERS, WELL, a_report, a_round, an_outcome
from tests.dashboard.stage import MINUTE, TIMERS, Overview
from tests.storage.runs import a_run
from tests.support.builders import NIGHT
from tests.support.page_server import KEY, PageServer, serving

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MARKUP = "<img src=x onerror=\"document.title='markup'\">"
SECONDS = 30

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for each in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"):
        options.add_argument(f"--{each}")
    for each in ("background-networking", "component-update", "sync", "dev-shm-usage"):
        options.add_argument(f"--disable-{each}")
    options.add_argument("--no-proxy-server")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(executable_path=str(Path(str(DRIVER)))))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
async def served() -> AsyncIterator[PageServer]:
    """A summary in which a machine, what Azure said, and a service are called markup."""
    overview = Overview()
    overview.tick(*TIMERS)
    failed = an_outcome(MARKUP, Outcome.REFUSED, detail=f"Azure said {MARKUP}")
    left = an_outcome(f"left {MARKUP}")
    overview.notes.texts["seen.compute"] = sight(a_report(failed, left)).model_dump_json()
    overview.notes.texts["seen.scoring"] = a_round(f"weight {MARKUP}").model_dump_json()
    summary = await overview.summary()
    with serving(json.loads(summary.model_dump_json())) as running:
        yield running


@pytest.fixture
def shown(browser: Chrome, served: PageServer) -> Chrome:
    """The page, with the summary drawn."""
    browser.get(f"{served.url}/api/dashboard")
    sign_in(browser, KEY)
    wait(browser, "document.body.dataset.fresh === 'yes'")
    return browser


def sign_in(browser: Chrome, key: str) -> None:
    field = browser.find_element(By.ID, "key")
    field.send_keys(key)
    field.submit()


def wait(browser: Chrome, condition: str) -> None:
    WebDriverWait(browser, SECONDS).until(
        lambda driver: driver.execute_script(f"return {condition}")
    )


def text(browser: Chrome, name: str) -> str:
    return str(browser.find_element(By.ID, name).text)


def test_markup_is_shown_as_text_and_does_nothing(shown: Chrome, served: PageServer) -> None:
    assert MARKUP in text(shown, "troubles")
    assert f"Azure said {MARKUP}" in text(shown, "troubles")
    assert f"left {MARKUP}" in text(shown, "still-on")
    assert f"weight {MARKUP}" in text(shown, "services")
    assert shown.execute_script("return document.images.length") == 0
    assert shown.title == "1 thing is wrong · AML R Ops"
    assert not [each for each in served.asked if each.rpartition("/")[2] == "x"]


async def test_a_service_that_only_answers_is_told_apart_from_a_proven_one(
    browser: Chrome,
) -> None:
    overview = Overview()
    overview.tick(*TIMERS)
    overview.notes.texts["seen.compute"] = sight(a_report()).model_dump_json()
    overview.notes.texts["seen.scoring"] = a_round("answers", "well").model_dump_json()
    overview.states.states |= {"answers": ANSWERS, "well": WELL}
    summary = await overview.summary()

    with serving(json.loads(summary.model_dump_json())) as served:
        browser.get(f"{served.url}/api/dashboard")
        sign_in(browser, KEY)
        wait(browser, "document.body.dataset.fresh === 'yes'")

        assert "1 well, 1 answer, unproven." in text(browser, "scoring-told")
        assert text(browser, "now") == "Nothing is seen wrong"
        marks = browser.find_elements(By.CSS_SELECTOR, "#services .state")
        shown = [(each.text, each.get_attribute("data-status")) for each in marks]
        assert shown == [("answers only", "unproven"), ("healthy", "ok")]
        assert len({each.value_of_css_property("color") for each in marks}) == 2
        shapes = browser.find_elements(By.CSS_SELECTOR, "#services .state use")
        assert [each.get_attribute("href") for each in shapes] == ["#shape-unproven", "#shape-ok"]


async def test_a_run_that_goes_on_is_named_under_the_strip(browser: Chrome) -> None:
    overview = Overview()
    overview.tick(*TIMERS)
    ended, going = (a_run("one", started_at=NIGHT - minutes * MINUTE) for minutes in (9, 1))
    for run in (ended, going):
        await overview.history.open_run(run, orders={})
    told = RunSummary(ended_at=NIGHT).model_dump_json()
    await overview.history.close_run(ended.run_id, result=Result.SUCCEEDED, summary=told)
    summary = await overview.summary()

    with serving(json.loads(summary.model_dump_json())) as served:
        browser.get(f"{served.url}/api/dashboard")
        sign_in(browser, KEY)
        wait(browser, "document.body.dataset.fresh === 'yes'")

        named = browser.find_elements(By.CSS_SELECTOR, "#strip-legend li")
        assert [each.text for each in named] == ["1 succeeded", "1 running"]


async def test_where_no_run_is_recorded_the_page_says_so(
    browser: Chrome,
) -> None:
    overview = Overview()
    summary = await overview.summary()

    with serving(json.loads(summary.model_dump_json())) as served:
        browser.get(f"{served.url}/api/dashboard")
        sign_in(browser, KEY)
        wait(browser, "document.body.dataset.fresh === 'yes'")
        browser.find_element(By.CSS_SELECTOR, "#runs-details summary").click()

        assert text(browser, "runs-table").startswith("No run yet")
        assert not browser.find_element(By.ID, "strip-legend").is_displayed()
        assert text(browser, "scoring-told").startswith("No round of checks has been recorded; the")


def test_its_own_policy_lets_the_page_do_all_that_it_does(shown: Chrome) -> None:
    log = shown.get_log("browser")  # type: ignore[no-untyped-call]  # selenium leaves it so
    complaints = [each["message"] for each in log]

    assert [each for each in complaints if "Content Security Policy" in each] == []


def test_the_key_is_in_no_address_and_gone_when_it_is_forgotten(
    shown: Chrome, served: PageServer
) -> None:
    shown.find_element(By.ID, "forget").click()

    assert shown.execute_script("return sessionStorage.length + localStorage.length") == 0
    assert not shown.find_element(By.ID, "summary").is_displayed()
    assert served.asked
    assert not [each for each in served.asked if KEY in each]


def test_a_refresh_that_fails_is_loud_and_one_that_succeeds_ends_it(
    shown: Chrome, served: PageServer
) -> None:
    served.fails = True
    shown.find_element(By.ID, "refresh").click()
    wait(shown, "document.body.dataset.fresh === 'no'")

    assert "Not up to date: the app answered 500." in text(shown, "alarm")
    assert "What you see is" in text(shown, "alarm")
    assert shown.title == "NOT UP TO DATE · AML R Ops"
    shape = shown.find_element(By.ID, "summary")
    assert "grayscale" in shape.value_of_css_property("filter")

    served.fails = False
    shown.find_element(By.ID, "refresh").click()
    wait(shown, "document.body.dataset.fresh === 'yes'")

    assert not shown.find_element(By.ID, "alarm").is_displayed()


def test_a_failure_is_told_in_the_apps_own_words_as_one_sentence(
    shown: Chrome, served: PageServer
) -> None:
    served.fails, served.detail = True, "No storage account is configured."
    shown.find_element(By.ID, "refresh").click()
    wait(shown, "document.body.dataset.fresh === 'no'")

    assert text(shown, "alarm-said") == "Not up to date: No storage account is configured."


def test_a_wrong_key_is_asked_for_again(browser: Chrome, served: PageServer) -> None:
    browser.get(f"{served.url}/api/dashboard")
    sign_in(browser, "wrong")
    wait(browser, "document.getElementById('refused').textContent !== ''")

    assert text(browser, "refused") == "This app does not take that key."
    assert browser.execute_script("return sessionStorage.length") == 0


async def test_what_could_not_be_read_is_nowhere_shown_as_nothing(browser: Chrome) -> None:
    overview = Overview()
    for each in (overview.notes, overview.history, overview.states, overview.redeploys):
        each.away = True
    with serving(json.loads((await overview.summary()).model_dump_json())) as served:
        browser.get(f"{served.url}/api/dashboard")
        sign_in(browser, KEY)
        wait(browser, "document.body.dataset.fresh === 'yes'")

        shown = browser.execute_script("return document.getElementById('summary').textContent")

    assert "Not known." in browser.execute_script(
        "return document.getElementById('runs-table').textContent"
    )
    assert not [each for each in ("No run yet", "No service is", "Nothing was") if each in shown]


def test_nothing_is_wider_than_a_phone(shown: Chrome) -> None:
    shown.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True},
    )

    width = shown.execute_script("return document.documentElement.scrollWidth")
    shown.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 360
