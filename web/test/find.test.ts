// Finding among 20,000 records: what is found, and that it takes a small part of a second once they are split.

import assert from "node:assert/strict";
import type { RecordOf } from "../src/api.ts";
import { hasWords, isOne, todayOf, wordsAsked } from "../src/find.ts";

const record = (more: Partial<RecordOf>): RecordOf => ({
  id: "r", type: "note", title: "x", fields: {}, version: 1, created_at: "2026-11-23T00:00:00.000Z", created_by: "me",
  changed_at: "2026-11-28T10:00:00.000Z", changed_by: "me", ...more,
});
const said = { id: "c", record_id: "r", text: "Ny tätning är beställd", version: 1, created_at: "", created_by: "you" };

// As the service has it in its own tests.
const part = record({ title: "Läckage vid pump SKF6205-2RS", number: "DEV-1042", fields: { where: ["Hall B"] } });
for (const asked of ["läck", "PUMP", "skf", "6205", "skf6205", "skf62052rs", "2rs", "1042", "dev1042", "hall", "tätn pump", ""]) {
  assert.ok(hasWords(part, [said], wordsAsked(asked)), asked);
}
for (const asked of ["lack", "ump", "zzz", "h", "tätn zzz"]) assert.ok(!hasWords(part, [said], wordsAsked(asked)), asked);

const today = todayOf(new Date(2026, 10, 28, 12));
assert.equal(today.day, "2026-11-28");
assert.equal(new Date(today.week).getDay(), 1);
const open = record({ open: true, due: "2026-11-27" });
const which = ["open", "mine", "overdue", "due", "unassigned", "closed"] as const;
assert.deepEqual(which.map((it) => isOne(it, open, "me", today)), [true, false, true, true, true, false]);
const closed = record({ open: false, due: "2026-11-27", assignees: ["me"], closed_at: "2026-11-27T09:00:00.000Z" });
assert.deepEqual(which.map((it) => isOne(it, closed, "me", today)), [false, false, false, false, false, true]);

// A device's worth, of 400 characters each: looked through as somebody types.
const text = (n: number) => Array.from({ length: 50 }, (_, at) => `word${(n * 7 + at * 13) % 5_000}`).join(" ");
const many = Array.from({ length: 20_000 }, (_, n) => record({ id: `r${n}`, title: `Record ${n}`, fields: { text: text(n) } }));
const look = (asked: string) => many.filter((it) => hasWords(it, [], wordsAsked(asked))).length;
const started = performance.now();
look("zzz");
const split = performance.now() - started;
const again = performance.now();
const found = ["w", "wo", "word1", "word12", "word123", "record 19999"].map(look);
const each = (performance.now() - again) / found.length;
assert.equal(found.at(-1), 1);
console.log(`find: 20,000 records split in ${split.toFixed(0)} ms, then looked through in ${each.toFixed(0)} ms: ok`);
