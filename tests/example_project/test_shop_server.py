from __future__ import annotations

import re
from pathlib import Path

import environ
import pytest

from example_project.browser import Browser
from example_project.preparation import environment
from example_project.shop_server import ShopFailed, ShopServer

pytestmark = pytest.mark.once


def test_a_shop_that_does_not_start_says_its_last_words(tmp_path: Path) -> None:
    settings = {**environment(tmp_path, "http://127.0.0.1:9/event", debug=False), "ALLOWED_HOSTS": ""}
    with pytest.raises(ShopFailed, match="ALLOWED_HOSTS") as failure, ShopServer(settings, tmp_path / "shop.log"):
        pass
    assert str(failure.value).startswith("The shop didn't start.")


def test_a_shop_that_ends_by_itself_is_no_success(tmp_path: Path) -> None:
    settings = environment(tmp_path, "http://127.0.0.1:9/event", debug=False)
    with ShopServer(settings, tmp_path / "shop.log") as shop:
        shop._process.kill()
        with pytest.raises(ShopFailed, match="stopped by itself"):
            shop.wait()


def test_static_files_come_and_pages_answer_with_debug_off(tmp_path: Path) -> None:
    settings = environment(tmp_path, "http://127.0.0.1:9/event", debug=False)
    with ShopServer(settings, tmp_path / "shop.log") as shop, Browser(shop.url) as browser:
        assert browser.get("/static/shop/teapot.svg").text.startswith("<svg")
        with pytest.raises(ShopFailed, match="GET /teas/ was answered 404"):
            browser.get("/teas/")


def test_the_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = environment(tmp_path, "http://127.0.0.1:9/event", debug=False)["SECRET_KEY"]
    assert re.fullmatch("[A-Za-z0-9_-]{50,}", first), "other characters mean something to django-environ"
    assert environment(tmp_path, "http://127.0.0.1:9/event", debug=False)["SECRET_KEY"] == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_directory_of_any_name_holds_the_database(tmp_path: Path) -> None:
    directory = tmp_path / "a + b % #c ?"
    directory.mkdir()
    url = environment(directory, "http://127.0.0.1:9/event", debug=False)["DATABASE_URL"]
    assert environ.Env.db_url_config(url)["NAME"] == str(directory / "shop.sqlite3")
