"""The page in a real browser, where there is one: nothing sticks out on a phone, no script runs."""

from __future__ import annotations

import html
import re
import shutil
import subprocess

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

FRAME = """<body><iframe id="f" style="width:{width}px;height:2000px;border:0" srcdoc="{page}">
</iframe><pre id="o"></pre><script>onload = () => {{
  const page = document.getElementById("f").contentDocument;
  const out = [...page.querySelectorAll("body *")].filter(
    (e) => e.getBoundingClientRect().right > {width} + 1 && !e.closest("thead"));
  document.getElementById("o").textContent = "seen " + page.documentElement.scrollWidth
    + " " + out.length + " " + page.scripts.length + " " + page.images.length
    + " " + page.defaultView.getComputedStyle(page.querySelector("section")).borderRadius;
}}</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [390, 320])
def test_nothing_sticks_out_on_a_phone(hostile, page_of, tmp_path, width):
    page = page_of(hostile)
    place = tmp_path / "frame.html"
    place.write_text(FRAME.format(width=width, page=html.escape(page)), "utf-8")
    done = subprocess.run(
        [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", place.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (seen,) = re.findall(r">seen (\d+) (\d+) (\d+) (\d+) ([\d.px]+)<", done.stdout)
    wide, out, scripts, images, corner = seen
    assert int(wide) <= width
    assert (out, scripts, images) == ("0", "0", "0")
    assert corner == "9.6px"  # the policy lets the style sheet through
