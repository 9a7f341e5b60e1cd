// Devices that are offline, crash, and meet others' changes: in the end all have what the service has, nothing that somebody
// was told to be saved is lost but what they chose to throw away, and nothing is done twice. `RUNS` says how many stories are
// told, `SEED` which is the first.

import assert from "node:assert/strict";
import type { Problem, RecordOf } from "../src/api.ts";
import { draftOf } from "../src/forms.ts";
import { Engine } from "../src/sync/engine.ts";
import { type Commit, type CommentOf, type Disk, type Kept, type Network, type Sent, Unreachable, type Verdict } from "../src/sync/kept.ts";

const RUNS = Number(process.env["RUNS"] ?? 300);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const MEMBERS = ["title", "fields/a", "fields/b", "due"];

/** The value of a member of a record or a draft. */
function valueOf(of: { fields: Record<string, unknown> }, member: string): unknown {
  const [place, field] = member.split("/");
  return (place === "fields" && field ? of.fields[field] : (of as Record<string, unknown>)[member]) ?? null;
}

/** The same for the same seed (mulberry32). */
class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

class Crash extends Error {}

interface Thing {
  versions: RecordOf[];
  deleted: boolean;
}

/** What the service does, as far as a device can tell. */
class Service {
  things = new Map<string, Thing>();
  comments = new Map<string, CommentOf>();
  answers = new Map<string, Verdict>();
  feed: { kind: "record" | "comment"; id: string }[] = [];
  epoch = 0;
  /** Every version that there ever was, of restored services too. */
  readonly ever: RecordOf[] = [];
  readonly saidEver: CommentOf[] = [];
  /** Each value that was replaced, and by which. */
  readonly moves: { member: string; from: unknown; to: unknown }[] = [];
  private snapshot = "";

  keep(): void {
    this.snapshot = JSON.stringify([[...this.things], [...this.comments], [...this.answers]]);
  }

  /** As it was when it was kept. */
  restore(): void {
    const [things, comments, answers] = JSON.parse(this.snapshot);
    this.things = new Map(things);
    this.comments = new Map(comments);
    this.answers = new Map(answers);
    this.feed = [];
    this.epoch += 1;
  }

  now(id: string): RecordOf | undefined {
    const thing = this.things.get(id);
    return thing && !thing.deleted ? thing.versions.at(-1) : undefined;
  }

  private write(written: RecordOf): Verdict["body"] {
    const record: RecordOf = JSON.parse(JSON.stringify(written));
    const thing = this.things.get(record.id) ?? { versions: [], deleted: false };
    const before = thing.versions.at(-1);
    for (const member of before ? MEMBERS : []) {
      const [from, to] = [valueOf(before as RecordOf, member), valueOf(record, member)];
      if (from !== to) this.moves.push({ member, from, to });
    }
    thing.versions.push(record);
    this.things.set(record.id, thing);
    this.ever.push(record);
    this.feed.push({ kind: "record", id: record.id });
    return record;
  }

  delete(id: string): void {
    const thing = this.things.get(id);
    if (!thing || thing.deleted) return;
    thing.deleted = true;
    this.feed.push({ kind: "record", id });
  }

  make(user: string, { key, method, path, if_match, body }: Sent): Verdict {
    const known = this.answers.get(`${user} ${key}`);
    if (known) return known;
    const answer = (status: number, it: unknown): Verdict => ({ key, status, body: JSON.parse(JSON.stringify(it)) });
    const problem = (status: number, code: string, more: Partial<Problem> = {}) =>
      answer(status, { status, code, detail: "", request_id: "", ...more });
    const done = (status: number, it: unknown): Verdict => {
      const verdict = answer(status, it);
      this.answers.set(`${user} ${key}`, verdict);
      return verdict;
    };
    const sent = body as Record<string, unknown>;
    if (JSON.stringify(sent).includes("BAD")) return problem(422, "invalid_field");
    const [, , , id = "", below] = path.split("/");
    if (method === "POST" && !below && path === "/v1/records") {
      const made = sent as unknown as RecordOf;
      if (this.things.has(made.id)) return problem(409, "record_exists");
      return done(201, this.write({ ...made, fields: made.fields ?? {}, version: 1, created_by: user, changed_by: user, created_at: "", changed_at: "" }));
    }
    const current = this.now(id);
    if (!current) return problem(404, "not_found");
    if (below === "comments") {
      const comment = sent as unknown as CommentOf;
      if (this.comments.has(comment.id)) return problem(409, "exists");
      const said = { ...comment, record_id: id, version: 1, created_at: "", created_by: user };
      this.comments.set(said.id, said);
      this.saidEver.push(said);
      this.feed.push({ kind: "comment", id: said.id });
      return done(201, said);
    }
    if (if_match !== `"${current.version}"`) return problem(412, "stale_version", { current });
    const { fields, ...rest } = sent as { fields?: Record<string, unknown> };
    const next = { ...current, ...rest, fields: { ...current.fields, ...fields }, version: current.version + 1, changed_by: user };
    for (const [name, value] of Object.entries(next)) if (value === null) delete (next as Record<string, unknown>)[name];
    for (const [name, value] of Object.entries(next.fields)) if (value === null) delete next.fields[name];
    return done(200, this.write(next));
  }

  /** Whether a cursor is of this service, and not of one that was restored. */
  isAt(cursor: string): boolean {
    return cursor.startsWith(`${this.epoch}.`);
  }

  /** A page of three things at most. */
  changes(cursor: string | null): Awaited<ReturnType<Network["changes"]>> {
    const at = (n: number) => `${this.epoch}.${n}`;
    if (cursor === null) return { changes: [], cursor: at(this.feed.length), more: false };
    const from = Number(cursor.split(".")[1]);
    if (!this.isAt(cursor)) return null;
    const some = this.feed.slice(from, from + 3);
    const changes = some.map(({ kind, id }) => {
      if (kind === "comment") return { kind, ...(this.comments.get(id) as CommentOf) };
      const now = this.now(id);
      return now ? { kind, ...now } : { kind: "record_deleted", id, version: 0 };
    });
    const end = from + some.length;
    return { changes: JSON.parse(JSON.stringify(changes)), cursor: at(end), more: end < this.feed.length };
  }
}

/** A disk that has all of a change or none of it, of a device that can stop at any of them. */
class Memory implements Disk {
  private kept: Kept = { records: [], comments: [], entries: [], cursor: null };
  crashes: () => boolean = () => false;

  async load(): Promise<Kept> {
    return structuredClone(this.kept);
  }

  async commit(change: Commit): Promise<void> {
    if (this.crashes()) throw new Crash();
    const { records, comments, entries, cursor } = change.afresh ? { ...this.kept, records: [], comments: [] } : this.kept;
    const changed = (change.entriesChanged ?? []).filter((it) => entries.some((one) => one.id === it.id));
    const put = <T, K>(all: T[], key: (it: T) => K, more: T[] = [], gone: K[] = []) =>
      [...new Map([...all, ...more].map((it) => [key(it), it])).values()].filter((it) => !gone.includes(key(it)));
    this.kept = structuredClone({
      records: put(records, (it) => it.id, change.records, change.recordsGone),
      comments: put(comments, (it) => it.id, change.comments, change.commentsGone),
      entries: put(entries, (it) => it.id, [...(change.entries ?? []), ...changed], change.entriesGone),
      cursor: change.cursor !== undefined ? change.cursor : cursor,
    });
    if (this.crashes()) throw new Crash();
  }
}

/** What somebody was told to be saved. */
interface Saved {
  record: string;
  member: string;
  value: string;
  entry: string;
}

class Device implements Network {
  readonly disk = new Memory();
  engine!: Engine;
  readonly saved: Saved[] = [];
  /** By each value that they gave, those that they had seen in its place. */
  readonly seen = new Map<string, Set<unknown>>();
  /** What their person chose not to keep. */
  readonly dropped = new Set<string>();
  faults = 0;
  private keys = 0;
  private readonly user: string;
  private readonly service: Service;
  private readonly random: Random;

  constructor(user: string, service: Service, random: Random) {
    this.user = user;
    this.service = service;
    this.random = random;
    this.disk.crashes = () => random.chance(this.faults / 8);
  }

  async start(): Promise<void> {
    this.engine = await Engine.open(this.disk, this, () => `${this.user}-${(this.keys += 1)}`);
  }

  /** Does something of which any step may be the last; then the device is started again. */
  async try(does: () => Promise<unknown>): Promise<boolean> {
    try {
      await does();
      return true;
    } catch (error) {
      if (error instanceof Crash) await this.start();
      else if (!(error instanceof Unreachable)) throw error;
      return false;
    }
  }

  /** A request that may not arrive, or whose answer may not, or whose device dies before it comes. */
  private ask<T>(asked: () => T): T {
    if (this.random.chance(this.faults)) throw new Unreachable();
    const answer = asked();
    if (this.random.chance(this.faults)) throw new Unreachable();
    if (this.random.chance(this.faults / 4)) throw new Crash();
    return answer;
  }

  async changes(cursor: string | null) {
    return this.ask(() => this.service.changes(cursor));
  }

  async list() {
    const all = [...this.service.things.keys()].map((id) => this.service.now(id)).filter((it) => it !== undefined);
    return this.ask(() => structuredClone(all));
  }

  async record(id: string) {
    return this.ask(() => structuredClone(this.service.now(id) ?? null));
  }

  async make(changes: Sent[], cursor: string) {
    // The service may do some, and have no time for the rest.
    const some = this.random.chance(this.faults) ? changes.slice(0, 1 + this.random.below(changes.length)) : changes;
    return this.ask(() => this.service.isAt(cursor) ? some.map((it) => this.service.make(this.user, it)) : null);
  }
}

async function story(seed: number): Promise<void> {
  const random = new Random(seed);
  const service = new Service();
  const devices = Array.from({ length: 2 + random.below(2) }, (_, n) => new Device(`u${n}`, service, random));
  for (const device of devices) await device.start();
  let made = 0;
  const unique = () => `v${(made += 1)}`;
  service.keep();
  const isRestored = random.chance(0.3);
  const refuses = random.chance(0.3);
  for (let step = 0; step < 60; step += 1) {
    const device = random.of(devices);
    device.faults = random.of([0, 0, 0.1, 0.5, 1]);
    const views = device.engine.views();
    const chosen = views.length > 0 ? random.of(views) : undefined;
    const remember = (entry: string, record: string, member: string, value: string) =>
      device.saved.push({ entry, record, member, value });
    const does = random.below(10);
    if (does === 0 || !chosen) {
      const [id, title] = [`r${unique()}`, unique()];
      const content = { title, fields: {}, state: null, assignees: [], due: null };
      await device.try(async () => {
        const { id: entry } = await device.engine.act(id, { kind: "create", type: "note", content }, "");
        remember(entry, id, "title", title);
      });
    } else if (does <= 4) {
      const value = refuses && random.chance(0.1) ? `${unique()}BAD` : unique();
      const member = random.of(MEMBERS);
      const base = draftOf(chosen);
      const wanted = structuredClone(base);
      const [place, field] = member.split("/");
      if (place === "fields" && field) wanted.fields[field] = value;
      else Object.assign(wanted, { [member]: value });
      device.seen.set(value, new Set([valueOf(base, member)]));
      await device.try(async () => {
        const { id: entry } = await device.engine.act(chosen.id, { kind: "change", base, wanted }, "");
        remember(entry, chosen.id, member, value);
      });
    } else if (does === 5) {
      const [id, text] = [`c${unique()}`, unique()];
      await device.try(async () => {
        const { id: entry } = await device.engine.act(chosen.id, { kind: "comment", id, text, mentions: [] }, "");
        remember(entry, chosen.id, "comment", text);
      });
    } else if (does === 6 && random.chance(0.3)) {
      service.delete(chosen.id);
    } else if (does === 7 && random.chance(0.3)) {
      service.keep();
    } else if (does === 8 && isRestored && random.chance(0.3)) {
      service.restore();
    } else {
      await device.try(async () => {
        while (await device.engine.push()) if (random.chance(0.3)) break;
        await device.engine.pull();
      });
      await decide(device, random);
    }
  }
  // Everybody is online, and nothing fails any more.
  for (const device of devices) device.faults = 0;
  for (let round = 0; ; round += 1) {
    assert.ok(round < 100, "it comes to an end");
    for (const device of devices) {
      await device.engine.pull();
      while (await device.engine.push());
      await decide(device, random);
      await device.engine.pull();
    }
    if (devices.every((it) => it.engine.entries().length === 0)) break;
  }
  for (const device of devices) await device.engine.pull();
  const expected = [...service.things.keys()].map((id) => service.now(id)).filter((it) => it !== undefined);
  for (const device of devices) {
    const sorted = (all: RecordOf[]) => all.toSorted((one, other) => (one.id < other.id ? -1 : 1));
    assert.deepEqual(sorted([...device.engine.records.values()]), sorted(structuredClone(expected)));
    assert.deepEqual(sorted(device.engine.views()), sorted(structuredClone(expected)), "and so it is shown");
    for (const { record, member, value } of device.saved) {
      const has = (it: RecordOf) => valueOf(it, member) === value;
      const kept = member === "comment"
        ? service.saidEver.some((it) => it.text === value)
        : service.ever.some((it) => it.id === record && has(it));
      assert.ok(kept || device.dropped.has(value), `${record} ${member}=${value} was saved, and is lost`);
    }
  }
  // Nobody's value is replaced by somebody who has not seen it.
  for (const { member, from, to } of service.moves) {
    const isSeen = devices.some((it) => it.seen.get(to as string)?.has(from));
    assert.ok(isSeen, `${member}: ${to} has replaced ${from}, which its person had not seen`);
  }
  if (isRestored) return;
  // Nothing is done twice: no value comes into a record a second time, and nothing is said twice.
  for (const { versions } of service.things.values()) {
    for (const member of MEMBERS) {
      const values = versions.map((it) => valueOf(it, member));
      const came = values.filter((it, at) => it !== null && it !== values[at - 1]);
      assert.equal(new Set(came).size, came.length, `${member}: ${came}`);
    }
  }
  assert.equal(new Set(service.saidEver.map((it) => it.text)).size, service.saidEver.length);
}

/** What their person does about what waits for them. */
async function decide(device: Device, random: Random): Promise<void> {
  for (const { id, record, deed, halted } of device.engine.entries()) {
    if (!halted) continue;
    if ("problem" in halted) {
      // What depends on it may go too, or be refused in its turn.
      const saved = device.saved.filter((it) => it.entry === id);
      // If it was cut off, it may have been thrown away all the same.
      for (const it of saved) device.dropped.add(it.value);
      await device.try(() => device.engine.discard(id));
    } else if (deed.kind === "change") {
      const mine = random.chance(0.5);
      const saved = device.saved.filter((it) => it.entry === id && halted.disputed.includes(it.member));
      const now = device.engine.records.get(record);
      for (const member of now ? halted.disputed : []) {
        device.seen.get(valueOf(deed.wanted, member) as string)?.add(valueOf(now as RecordOf, member));
      }
      // What was deleted is found to be so by the next look.
      const isDone = !now || (await device.try(() => device.engine.resolve(id, now, () => mine)));
      // If it was cut off, it may have been decided all the same.
      if (!mine || !isDone) for (const it of saved) device.dropped.add(it.value);
    }
  }
}

console.log(`sync: SEED=${SEED}, ${RUNS} stories`);
for (let n = 0; n < RUNS; n += 1) {
  try {
    await story(SEED + n);
  } catch (error) {
    console.error(`the story of SEED=${SEED + n} went wrong`);
    throw error;
  }
}
console.log(`sync: ${RUNS} stories of devices that end alike, nothing lost, nothing done twice: ok`);
