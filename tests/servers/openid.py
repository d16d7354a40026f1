# SPDX-License-Identifier: MIT
"""An independent OpenID provider (npm's oidc-provider) with two users, and as much of a browser as a login needs.

`Provider` raises process.Missing if Node or the package is not installed. `Browser` keeps cookies, follows redirects
and submits forms, but runs no script; the test sees each page, and may stop before one is fetched."""
import html
import http.cookiejar
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from . import process

PEOPLE = {"alice": "alice-fake-canary-5e1d07", "bob": "bob-fake-canary-91c3aa"}  # alice is in the group dba, bob is not
HOPS = 20


class Provider:
    client, secret = "vault-test", "fake-oidc-client-secret"

    def __init__(self, folder):
        node = shutil.which("node")
        if not node:
            raise process.Missing("node")
        package = process.cache_dir() / "vault" / "oidc"
        if not package.is_dir():
            raise process.Missing(f"{package} (tests/setup installs it)")
        folder.mkdir(parents=True, exist_ok=True)
        self.argv, self.log, self.port = [node, Path(__file__).with_name("openid_provider.mjs"), package], folder / "log", process.free_port()
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.proc = process.start([*self.argv, self.port, self.client, self.secret], self.log, env={"PATH": "/usr/bin:/bin"})
        process.wait_until(self._answers, self.proc, self.log)

    def _answers(self):
        try:
            return urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=10).status == 200
        except OSError:
            return False

    def stop(self):
        process.stop(self.proc)


@dataclass
class Page:
    url: str
    status: int
    headers: dict  # names in lower case
    body: str

    @property
    def onward(self):
        """The URL that it redirects to, or None."""
        place = self.headers.get("location") if self.status in (301, 302, 303, 307, 308) else None
        return place and urllib.parse.urljoin(self.url, place)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class Browser:
    """`pages`: all answers, in order."""

    def __init__(self):
        self.pages = []
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(NoRedirect, jar, urllib.request.ProxyHandler({}))

    def fetch(self, url, fields=None, headers={}, method=None, timeout=60):
        """Sends one request, and does not follow a redirect."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            answer = self.opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            page = Page(url, answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode(errors="replace"))
        self.pages.append(page)
        return page

    def go(self, url, fields=None, until=None):
        """Follows redirects, until one leads to a URL that begins with UNTIL. Returns the last page, or that URL."""
        for _ in range(HOPS):
            page = self.fetch(url, fields)
            url, fields = page.onward, None
            if url is None or (until and url.startswith(until)):
                return url or page
        raise AssertionError(f"{HOPS} redirects: {url}")

    def sign_in(self, url, user="alice", password=None, deny=False, until=None):
        """Logs in at the provider's URL; returns the page after the login, which is broker's own. UNTIL: see go()."""
        page = self.go(url)
        entered = {"deny": "1"} if deny else {"user": user, "password": password or PEOPLE[user]}
        page = self.go(page.url, entered, until)
        if isinstance(page, Page) and (form := Form.of(page)):  # response_mode=form_post, whose page submits itself
            if until and form.action.startswith(until):
                return form
            page = self.go(form.action, form.fields)
        return page


@dataclass
class Form:
    """A form with hidden fields that is submitted to another URL than its page's."""
    action: str
    fields: dict

    @classmethod
    def of(cls, page):
        action = re.search(r'<form[^>]* action="([^"]+)"', page.body)
        if not action:
            return None
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.body)
        return cls(html.unescape(action[1]), {name: html.unescape(value) for name, value in fields})
