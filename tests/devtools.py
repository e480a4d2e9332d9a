"""Drive a real headless Chromium over its own protocol: open a page, look at it while it lives, take its picture."""

import base64
import json
import subprocess
import time
import urllib.request

from websockets.sync.client import connect

from tests.browser import program

_START_S = 240


class Tab:
    """One page in one browser; use it as a context."""

    def __init__(self, folder, width=1100, height=900):
        self._folder, self._size = folder / "profile", (width, height)
        self._number = 0

    def __enter__(self):
        self._process = subprocess.Popen(
            [program(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={self._folder}",
             "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        self._socket = connect(page["webSocketDebuggerUrl"], max_size=None)
        self._ask("Emulation.setDeviceMetricsOverride", width=self._size[0], height=self._size[1],
                  deviceScaleFactor=1, mobile=self._size[0] < 500)
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _port(self):
        file = self._folder / "DevToolsActivePort"
        end_s = time.monotonic() + _START_S
        while not (file.exists() and "\n" in file.read_text()):
            assert self._process.poll() is None and time.monotonic() < end_s
            time.sleep(0.05)
        return int(file.read_text().splitlines()[0])

    def _ask(self, method, **parameters):
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=240))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url):
        """Go to an address."""
        self._ask("Page.navigate", url=url)

    def value(self, script):
        """Return the value of an expression in the page."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def text(self, selector):
        """Return the text of an element, as people see it; empty where there is none."""
        return self.value(f"document.querySelector({selector!r})?.innerText ?? ''")

    def until(self, selector, words, limit_s=240):
        """Wait until an element's text holds some words."""
        end_s = time.monotonic() + limit_s
        while words not in self.text(selector):
            assert time.monotonic() < end_s, (words, self.text(selector))
            time.sleep(0.1)

    def picture(self, path):
        """Write what the page looks like, whole, as PNG."""
        shot = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
