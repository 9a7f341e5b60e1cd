// An app that crashes: its DSN, where its crashes go to instead, and the personal data that it knows.

import * as Sentry from "@sentry/node";

const [dsn, tunnel, known] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];

Sentry.init({
  dsn,
  tunnel,
  release: "app@1.0.0",
  sendDefaultPii: true,
  includeLocalVariables: true,
  serverName: known.machine,
});
Sentry.setUser({ username: known.name, email: known.email, ip_address: known.address });
Sentry.setTag("line", "7");
Sentry.setExtra("note", known.name);
Sentry.setContext("shift", { leader: known.name });
Sentry.addBreadcrumb({ category: "console", message: `hello ${known.name}` });
Sentry.getCurrentScope().addAttachment({ filename: "notes.txt", data: known.name });

function openRecord(owner) {
  throw new TypeError(`no record of ${owner} at ${known.address} by ${known.token}`);
}

openRecord(known.email);
