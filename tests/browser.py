"""Chromium without a network, for tests of pages: what it makes of a file, with its scripts run."""

import subprocess

import pytest

from host_tools.toolchain import browser

_TIMEOUT_S = 240


def program():
    """Return the path of a Chromium; skip the test, and say why, where there is none."""
    found = browser.find()
    if found is None:
        pytest.skip("there is no Chromium here: install Debian's package chromium, or set EVENKEEL_CHROMIUM")
    return found


def _cut_off():
    """Return words that start a program without any network; where the machine refuses, no name resolves at least."""
    words = ["unshare", "--map-root-user", "--net"]
    try:
        able = subprocess.run([*words, "true"], capture_output=True, timeout=10).returncode == 0
    except OSError:
        able = False
    return words if able else []


def _run(folder, *words):
    command = [*_cut_off(), program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--disable-background-networking", "--disable-component-update", "--no-first-run",
               "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def rendered(folder, text, script=""):
    """Render a page, then run a script in it; return the document as HTML."""
    page = folder / "page.html"
    later = f"<script>setTimeout(() => {{{script}}}, 500)</script></body>"
    page.write_text(text.replace("</body>", later), encoding="utf-8")
    return _run(folder, "--virtual-time-budget=20000", "--dump-dom", page.as_uri())


def printed(folder, text):
    """Print a page as PDF; return its bytes."""
    page, pdf = folder / "page.html", folder / "page.pdf"
    page.write_text(text, encoding="utf-8")
    _run(folder, "--virtual-time-budget=20000", "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    return pdf.read_bytes()
