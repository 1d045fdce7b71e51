"""Headless Chromium for tests, through the DevTools protocol on a pipe: no library is needed."""

import base64
import contextlib
import functools
import http.server
import itertools
import json
import os
import shutil
import subprocess
import threading
import time

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

_NOTES = ("INFO: ", "WARNING: ")

# Codes of keys, as the protocol wants them.
KEYS = {"Tab": 9, "Enter": 13, "End": 35, "ArrowLeft": 37, "ArrowRight": 39}


class Page:
    """A tab of a browser.

    Args:
        folder: of the browser's profile.
    """

    def __init__(self, folder):
        read, theirs_out = os.pipe()
        theirs_in, write = os.pipe()

        def as_three_and_four():
            # Past 3 and 4 first: either may be one of these itself.
            high_in, high_out = (
                os.dup2(fd, 100 + i) for i, fd in enumerate((theirs_in, theirs_out))
            )
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            [
                PROGRAM,
                "--headless",
                "--no-sandbox",  # it has none for root
                "--disable-gpu",
                "--remote-debugging-pipe",
                f"--user-data-dir={folder}",
                "about:blank",
            ],
            preexec_fn=as_three_and_four,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.output, self.input = open(read, "rb", 0), open(write, "wb", 0)  # noqa: PTH123, SIM115
        self.numbers, self.rest, self.session, self.events = itertools.count(1), b"", {}, []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Sends a command and returns its result; what is stated meanwhile goes to `events`."""
        number = next(self.numbers)
        command = {"id": number, "method": method, "params": params, **self.session}
        self.input.write(json.dumps(command).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                read = os.read(self.output.fileno(), 1 << 16)
                if not read:
                    raise RuntimeError("Chromium has ended.")
                self.rest += read
            message, _, self.rest = self.rest.partition(b"\0")
            message = json.loads(message)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def run(self, script):
        """The value of a JavaScript expression, awaited."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def until(self, script, seconds=60):
        """Waits until a JavaScript expression is true."""
        ends = time.monotonic() + seconds
        while not self.run(script):
            if time.monotonic() > ends:
                stated = self.run("document.getElementById('status')?.textContent")
                raise TimeoutError(f"{script}; the page says: {stated}; {self.complaints()}")
            time.sleep(0.05)

    def open(self, address):
        """Leaves for an address, and waits until its page has settled into an image or an error."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        said = "document.getElementById('status')?.textContent"
        ready = f"/ ms$|^Ready|^This did not/.test({said})"
        self.until(f"location.href === {json.dumps(address)} && {ready}")

    def complaints(self):
        """What the console was stated as errors: scripts that failed, files missing, policies."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            entry = params.get("entry", {})
            # LiteRT.js tells everything as an error.
            noted = str(entry.get("text")).startswith(_NOTES)
            if event.get("method") == "Runtime.exceptionThrown" or (
                entry.get("level") == "error" and not noted
            ):
                found.append(params)
            if event.get("method") == "Runtime.consoleAPICalled" and params["type"] == "error":
                text = str(params["args"][0].get("value") or params["args"][0].get("description"))
                found += [] if text.startswith(_NOTES) else [text]
        return found

    def requests(self):
        """Addresses that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def press(self, key):
        """Presses a key and lets it go, as a keyboard does."""
        options = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **text, **options)
        self.call("Input.dispatchKeyEvent", type="keyUp", **options)

    def choose_file(self, selector, path):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def look(self, width, height, dark=False):
        """Sets the size of the window and the colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        with contextlib.suppress(RuntimeError, OSError):
            self.call("Browser.close")
        self.input.close()
        self.output.close()
        self.process.wait(timeout=30)


@contextlib.contextmanager
def served(folder):
    """Serves a folder on this machine, and gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
