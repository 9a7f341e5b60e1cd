"""An app that crashes: its DSN, where its crashes go to instead, and the personal data that it knows."""

import json
import sys

import sentry_sdk
from sentry_sdk.transport import HttpTransport

dsn, tunnel, known = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])


class Tunnel(HttpTransport):
    """What the option `tunnel` is in other SDKs: this one has none."""

    def __init__(self, options):
        super().__init__(options)
        self._auth.get_api_url = lambda *_: tunnel

    def capture_envelope(self, envelope):
        envelope.headers["dsn"] = dsn
        super().capture_envelope(envelope)


sentry_sdk.init(
    dsn=dsn,
    transport=Tunnel,
    release="app@1.0.0",
    send_default_pii=True,
    server_name=known["machine"],
)
sentry_sdk.set_user({"username": known["name"], "email": known["email"], "ip_address": known["address"]})
sentry_sdk.set_tag("line", "7")
sentry_sdk.set_extra("note", known["name"])
sentry_sdk.set_context("shift", {"leader": known["name"]})
sentry_sdk.add_breadcrumb(category="console", message=f"hello {known['name']}")


def open_record(owner):
    name = known["name"]  # A local variable, which the SDK sends.
    raise KeyError(f"no record of {owner} at {known['address']} by {known['token']}", len(name))


open_record(known["email"])
