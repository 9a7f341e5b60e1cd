"""An app that crashes, with an SDK that has no tunnel: its DSN, and the personal data that it knows."""

import json
import sys

import sentry_sdk

dsn, known = sys.argv[1], json.loads(sys.argv[2])

sentry_sdk.init(
    dsn=dsn,
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
