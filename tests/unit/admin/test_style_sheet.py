"""The style sheet stands by itself: a theme that has none of Django's colours loses none of ours."""

from __future__ import annotations

import re
from pathlib import Path

import django_vt

SOURCE = (Path(django_vt.__file__).parent / "static" / "django_vt" / "admin.css").read_text(encoding="utf-8")
DECLARED = dict(re.findall(r"(--vt-[a-z-]+):\s*([^;]+);", SOURCE))


def test_each_colour_that_is_used_is_declared():
    assert set(re.findall(r"var\((--vt-[a-z-]+)", SOURCE)) == set(DECLARED)


def test_what_is_a_theme_s_has_a_value_of_ours_to_fall_back_on():
    theirs = re.findall(r"var\((--(?!vt-)[a-z-]+)\s*([,)])", SOURCE)
    assert theirs
    assert [name for name, end in theirs if end != ","] == []


def test_on_a_dark_page_each_colour_of_text_and_ground_has_a_value_of_its_own():
    dark = SOURCE[SOURCE.index(":root.dark") :]
    dark = dark[: dark.index("}")]
    for name in ("sent", "failed", "link", "text", "quiet", "border", "shade", "ground", "warning", "error"):
        assert f"--vt-{name}:" in dark
