# SPDX-License-Identifier: MIT
"""A headless Chromium, controlled over a pipe by the Chrome DevTools Protocol: opens pages, records the requested URLs,
evaluates expressions, and takes screenshots. Raises process.Missing if it is not installed."""
import base64
import json
import os
import select
import subprocess
import time

from . import process


class Chromium:
    """`asked`: the URLs that it requested. No process of it outlives stop()."""

    def __init__(self, folder):
        program = process.need("/usr/bin/chromium-headless-shell")
        folder.mkdir(parents=True)
        self.asked, self.serial, self.rest, self.answers = [], 0, b"", {}
        theirs_in, self.out = os.pipe()
        self.inlet, theirs_out = os.pipe()

        def move():  # to 3 and 4, which --remote-debugging-pipe uses, after copies that are neither of the two
            process.die_with_parent()
            high = [os.dup(fd) for fd in (theirs_in, theirs_out, theirs_in, theirs_out)][2:]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        with open(folder / "log", "ab") as log:
            self.proc = subprocess.Popen([program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                                          f"--user-data-dir={folder}/data", "--remote-debugging-pipe", "--no-proxy-server", "about:blank"],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=False,
                                         preexec_fn=move, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})
        process.KNOWN.add(self.proc.pid)
        os.close(theirs_in)
        os.close(theirs_out)
        target = self("Target.createTarget", {"url": "about:blank"}, session=False)["targetId"]
        self.session = self("Target.attachToTarget", {"targetId": target, "flatten": True}, session=False)["sessionId"]
        for domain in ("Network", "Page", "Runtime"):
            self(f"{domain}.enable")

    def __call__(self, method, params={}, session=True):
        """Calls METHOD; returns its result."""
        self.serial += 1
        call = {"id": self.serial, "method": method, "params": params}
        if session:
            call["sessionId"] = self.session
        os.write(self.out, json.dumps(call).encode() + b"\0")
        deadline = time.monotonic() + 60
        while self.serial not in self.answers:
            self.read(deadline)
        answer = self.answers.pop(self.serial)
        assert "error" not in answer, answer
        return answer["result"]

    def read(self, deadline):
        left = deadline - time.monotonic()
        assert left > 0 and select.select([self.inlet], [], [], left)[0], "Chromium does not answer"
        data = os.read(self.inlet, 65536)
        assert data, "Chromium has ended"
        *whole, self.rest = (self.rest + data).split(b"\0")
        for message in map(json.loads, whole):
            if "id" in message:
                self.answers[message["id"]] = message
            elif message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])

    def go(self, url):
        self("Page.navigate", {"url": url})

    def value(self, expression):
        return self("Runtime.evaluate", {"expression": expression, "returnByValue": True})["result"].get("value")

    def until(self, expression, seconds=60):
        """Waits until EXPRESSION is true in the page that is shown at that time."""
        deadline = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < deadline, (expression, self.value("document.documentElement.outerHTML"))
            time.sleep(0.05)

    def history(self):
        return [entry["url"] for entry in self("Page.getNavigationHistory")["entries"]]

    def picture(self, path):
        path.write_bytes(base64.b64decode(self("Page.captureScreenshot")["data"]))

    def stop(self):
        process.stop(self.proc)
        os.close(self.out)
        os.close(self.inlet)
