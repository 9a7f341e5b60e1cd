// What a device keeps of the service, and what somebody did that the service has not told to be done. Nothing here knows a
// browser: what is kept goes to a disk, what is asked goes to a network.
//
// 1. What somebody does is on the disk before they are told that it is saved. It leaves the disk when the service has
//    answered that it is done, or when its person throws it away.
// 2. What was sent is on the disk before it is sent, and is sent again just so, under the same key, until its outcome is
//    known. So it is done once, however often it is sent.
// 3. A change is held against the record as it is now, by what its person had seen. What others have changed elsewhere stays.
//    Where both have changed the same, the person is asked. Records do not wait for each other.

import type { Problem, RecordOf } from "../api.ts";
import { type Draft, changed, conflicts, draftOf, merged, patch } from "../forms.ts";
import { type Commit, type CommentOf, type Deed, type Disk, type Entry, type Network, type Sent, type Told, Unreachable, type Verdict } from "./kept.ts";

/** Most changes that are sent at once, and about how many characters of them: the service takes 256 KiB. */
const AT_ONCE = 50;
const CHARACTERS_AT_ONCE = 60_000;

export class Engine {
  readonly records = new Map<string, RecordOf>();
  readonly comments = new Map<string, CommentOf>();
  private readonly entriesById = new Map<string, Entry>();
  private cursor: string | null = null;
  private highest = 0;
  private isStopped = false;
  private readonly disk: Disk;
  private readonly network: Network;
  private readonly newKey: () => string;

  private constructor(disk: Disk, network: Network, newKey: () => string) {
    this.disk = disk;
    this.network = network;
    this.newKey = newKey;
  }

  static async open(disk: Disk, network: Network, newKey: () => string): Promise<Engine> {
    const engine = new Engine(disk, network, newKey);
    await engine.reload();
    return engine;
  }

  /** Reads again what is on the disk: another page of the same person may have written there. */
  async reload(): Promise<void> {
    const { records, comments, entries, cursor } = await this.disk.load();
    this.records.clear();
    this.comments.clear();
    for (const it of records) this.records.set(it.id, it);
    for (const it of comments) this.comments.set(it.id, it);
    this.entriesById.clear();
    for (const it of entries) this.entriesById.set(it.id, it);
    this.highest = Math.max(this.highest, ...entries.map((it) => it.seq));
    this.cursor = cursor;
  }

  /** Keeps nothing any more: what is under way comes too late. */
  stop(): void {
    this.isStopped = true;
  }

  /** What waits to be sent, or for its person, in the order in which it was done. */
  entries(): Entry[] {
    return [...this.entriesById.values()].sort((one, other) => one.seq - other.seq || (one.id < other.id ? -1 : 1));
  }

  /** Whether anything of the service was ever kept here. */
  get isFilled(): boolean {
    return this.cursor !== null;
  }

  /** A record as its person sees it: as the service told it, with what was done here. */
  view(id: string): RecordOf | undefined {
    return this.viewed(this.records.get(id), this.entries().filter((it) => it.record === id));
  }

  /** All records as their person sees them. */
  views(): RecordOf[] {
    const byRecord = new Map<string, Entry[]>();
    for (const it of this.entries()) byRecord.set(it.record, [...(byRecord.get(it.record) ?? []), it]);
    const seen = [...this.records.values()].map((it) => {
      const entries = byRecord.get(it.id);
      byRecord.delete(it.id);
      return entries ? this.viewed(it, entries) : it;
    });
    const made = [...byRecord.values()].map((entries) => this.viewed(undefined, entries));
    return [...made, ...seen].filter((it) => it !== undefined);
  }

  private viewed(told: RecordOf | undefined, entries: Entry[]): RecordOf | undefined {
    let shown = told;
    for (const { record, at, deed } of entries) {
      if (deed.kind === "create" && !shown) {
        const { type, type_version, content, about, open } = deed;
        shown = {
          ...given(content), id: record, type, title: content.title, fields: content.fields, version: 0,
          created_at: at, created_by: "", changed_at: at, changed_by: "",
          ...(type_version ? { type_version } : {}), ...(about ? { about } : {}), ...(open === undefined ? {} : { open }),
        };
      } else if (deed.kind === "change" && shown) {
        const draft = merged(deed.base, deed.wanted, draftOf(shown), () => true);
        const { state: _, assignees: __, due: ___, ...rest } = shown;
        shown = { ...rest, ...given(draft), title: draft.title, fields: draft.fields };
        if (deed.open !== undefined && draft.state === deed.wanted.state) shown.open = deed.open;
      }
    }
    return shown;
  }

  /** Keeps what somebody did. Once this is over, it is not lost. */
  async act(record: string, deed: Deed, at: string): Promise<Entry> {
    this.highest += 1;
    const entry: Entry = { id: this.newKey(), seq: this.highest, record, at, deed };
    await this.disk.commit({ entries: [entry] });
    this.entriesById.set(entry.id, entry);
    return entry;
  }

  /** Throws away what somebody did: their choice. What was done to the same record afterwards stays. */
  async discard(id: string): Promise<void> {
    await this.commit({ entriesGone: [id] });
  }

  /** What was refused, as its person wants it now. False: it is not there any more. */
  async amend(id: string, wanted: Draft): Promise<boolean> {
    const entry = this.entriesById.get(id);
    if (!entry || entry.deed.kind === "comment") return false;
    const deed: Deed = entry.deed.kind === "create" ? { ...entry.deed, content: wanted } : { ...entry.deed, wanted };
    await this.commit({ entriesChanged: [{ ...without(entry), deed }] });
    return true;
  }

  /** A record that the device did not keep, and that its person is about to change. */
  async keepRecord(record: RecordOf): Promise<void> {
    await this.commit({ records: this.newer([record]) });
  }

  /** Comments that were listed, of records whose feed is followed. */
  async keepComments(comments: CommentOf[]): Promise<void> {
    const newer = comments.filter((it) => it.version > (this.comments.get(it.id)?.version ?? 0));
    if (newer.length > 0) await this.commit({ comments: newer });
  }

  /** Sends again what was refused. */
  async retry(id: string): Promise<void> {
    const entry = this.entriesById.get(id);
    if (!entry) return;
    await this.commit({ entriesChanged: [without(entry)] });
  }

  /** Ends a dispute: of each member that both have changed, whether mine is kept. If the record is not any more as its person
   * has seen it, they are asked again. */
  async resolve(id: string, seen: RecordOf, keep: (member: string) => boolean): Promise<void> {
    const entry = this.entriesById.get(id);
    const now = entry && this.records.get(entry.record);
    if (!entry || now?.version !== seen.version || entry.deed.kind !== "change") return;
    const theirs = draftOf(now);
    const wanted = merged(entry.deed.base, entry.deed.wanted, theirs, keep);
    const deed: Deed = { ...entry.deed, base: theirs, wanted };
    await this.commit({ entriesChanged: [{ ...without(entry), deed }] });
  }

  /** Sends what waits, as far as it can be. Whether there is more to send at once. */
  async push(): Promise<boolean> {
    // A version says which one it is among those of one service: not of one that was restored meanwhile.
    if (this.cursor === null) return false;
    // Some may have been thrown away meanwhile.
    const ready = (await this.prepare()).filter((it) => this.entriesById.has(it.id));
    if (ready.length === 0) return false;
    // What is sent is on the disk before it is.
    const unsaved = ready.filter((it) => !this.entriesById.get(it.id)?.sent);
    if (unsaved.length > 0) await this.commit({ entriesChanged: unsaved });
    const verdicts = await this.network.make(ready.map((it) => it.sent), this.cursor);
    if (verdicts === null) {
      await this.lookAnew();
      return false;
    }
    const byKey = new Map(verdicts.map((it) => [it.key, it]));
    let failed: unknown;
    for (const entry of ready) {
      const verdict = byKey.get(entry.sent.key);
      try {
        if (verdict) await this.take(entry, verdict, unsaved.includes(entry));
      } catch (error) {
        // What goes better later holds up no other.
        if (!(error instanceof Unreachable)) throw error;
        failed = error;
      }
    }
    if (failed) throw failed;
    return true;
  }

  /** The first entry of each record, with the request that it is. What needs none is done. */
  private async prepare(): Promise<(Entry & { sent: Sent })[]> {
    const lanes = new Set<string>();
    const ready: (Entry & { sent: Sent })[] = [];
    let characters = 0;
    for (const entry of this.entries()) {
      if (lanes.has(entry.record) || ready.length === AT_ONCE) continue;
      // A dispute is looked at each time: the other side may have changed its mind, or the record may be gone.
      const request = entry.halted && "problem" in entry.halted ? "wait" : await this.request(entry);
      if (request === "done") {
        await this.commit({ entriesGone: [entry.id] });
        continue;
      }
      lanes.add(entry.record);
      if (request === "wait") continue;
      if ("path" in request) {
        characters += JSON.stringify(request).length;
        // What is too large with others goes by itself.
        if (ready.length === 0 || characters <= CHARACTERS_AT_ONCE) ready.push({ ...without(entry), sent: request });
      } else if (JSON.stringify(request) !== JSON.stringify(entry.halted)) {
        await this.commit({ entriesChanged: [{ ...without(entry), halted: request }] });
      }
    }
    return ready;
  }

  private async request(entry: Entry): Promise<Sent | "done" | "wait" | NonNullable<Entry["halted"]>> {
    if (entry.sent) return entry.sent;
    const { deed, record } = entry;
    const key = this.newKey();
    if (deed.kind === "create") {
      const { type, type_version, content, about } = deed;
      const body = { id: record, type, type_version, about, title: content.title, fields: content.fields, ...given(content) };
      return { key, method: "POST", path: "/v1/records", body };
    }
    if (deed.kind === "comment") {
      const { id, text, mentions } = deed;
      return { key, method: "POST", path: `/v1/records/${record}/comments`, body: { id, text, mentions } };
    }
    const now = this.records.get(record) ?? (await this.network.record(record));
    if (!now) return { problem: GONE };
    const theirs = draftOf(now);
    const disputed = conflicts(deed.base, deed.wanted, theirs);
    if (disputed.length > 0) return { disputed };
    const wanted = merged(deed.base, deed.wanted, theirs, () => true);
    // It is so already.
    if (changed(theirs, wanted).length === 0) return "done";
    return { key, method: "PATCH", path: `/v1/records/${record}`, if_match: `"${now.version}"`, body: patch(theirs, wanted) };
  }

  /** What the service has said to an entry, which was sent for the first time or again. */
  private async take(entry: Entry & { sent: Sent }, { status, body }: Verdict, isFirst: boolean): Promise<void> {
    // Its person may have thrown it away meanwhile.
    if (!this.entriesById.has(entry.id)) return;
    const { deed, record } = entry;
    if (status >= 200 && status < 300) {
      const done: Commit = { entriesGone: [entry.id] };
      if (deed.kind === "comment") return this.commit({ ...done, comments: [body as CommentOf] });
      // The answer to an earlier try is as old as that: somebody may have changed the record since, or deleted it.
      const now = isFirst ? (body as RecordOf) : await this.network.record(record);
      return this.commit({ ...done, records: now ? this.newer([now]) : [] });
    }
    const problem = body as Problem;
    if (problem?.code === "stale_version") {
      const now = problem.current ?? (await this.network.record(record));
      return this.commit({ entriesChanged: [without(entry)], records: now ? this.newer([now]) : [] });
    }
    // Made by an earlier try, whose answer nobody remembers.
    if (problem?.code === "exists" && deed.kind === "comment") return this.commit({ entriesGone: [entry.id] });
    if (problem?.code === "record_exists" && deed.kind === "create") {
      const found = await this.network.record(record);
      if (found) return this.commit({ entriesGone: [entry.id], records: this.newer([found]) });
    }
    if (status === 401) throw new Unreachable(true);
    // It may go better later.
    if (status === 0 || status === 429 || status >= 500 || !problem) throw new Unreachable();
    await this.commit({ entriesChanged: [{ ...without(entry), halted: { problem } }] });
  }

  /** Learns what the service has. */
  async pull(): Promise<void> {
    for (;;) {
      if (this.cursor === null) await this.fill();
      const page = await this.network.changes(this.cursor);
      if (page === null) {
        await this.lookAnew();
        continue;
      }
      await this.commit({ ...this.changesOf(page.changes), cursor: page.cursor });
      if (!page.more) return;
    }
  }

  /** The service was restored, or has forgotten us. What was sent was meant for what there is no more. */
  private async lookAnew(): Promise<void> {
    const entriesChanged = this.entries().filter((it) => it.sent).map(without);
    await this.commit({ entriesChanged, cursor: null });
  }

  /** Lists everything that a device keeps. The cursor is taken before: what changes meanwhile is told after it. */
  private async fill(): Promise<void> {
    const from = await this.network.changes(null);
    if (from === null) throw new Unreachable();
    const records = await this.network.list();
    await this.commit({ afresh: true, records, cursor: from.cursor });
  }

  private changesOf(told: Told[]): Commit {
    const change: Required<Pick<Commit, "records" | "recordsGone" | "comments" | "commentsGone">> =
      { records: [], recordsGone: [], comments: [], commentsGone: [] };
    for (const { kind, ...it } of told) {
      if (kind === "record") change.records.push(it as RecordOf);
      else if (kind === "record_deleted") change.recordsGone.push(it.id);
      else if (kind === "comment") change.comments.push(it as CommentOf);
      else if (kind === "comment_deleted") change.commentsGone.push(it.id);
    }
    return { ...change, records: this.newer(change.records) };
  }

  /** Those that are not older than what is kept. */
  private newer(records: RecordOf[]): RecordOf[] {
    return records.filter((it) => it.version >= (this.records.get(it.id)?.version ?? 0));
  }

  /** First the disk, then what is shown. */
  private async commit(change: Commit): Promise<void> {
    if (this.isStopped) throw new Unreachable();
    await this.disk.commit(change);
    if (change.afresh) {
      this.records.clear();
      this.comments.clear();
    }
    for (const it of change.records ?? []) this.records.set(it.id, it);
    for (const id of change.recordsGone ?? []) this.records.delete(id);
    for (const it of change.comments ?? []) this.comments.set(it.id, it);
    for (const id of change.commentsGone ?? []) this.comments.delete(id);
    for (const it of change.entriesChanged ?? []) if (this.entriesById.has(it.id)) this.entriesById.set(it.id, it);
    for (const id of change.entriesGone ?? []) this.entriesById.delete(id);
    if (change.cursor !== undefined) this.cursor = change.cursor;
  }
}

const GONE: Problem = { status: 404, code: "not_found", detail: "It was deleted, or is not for you.", request_id: "" };

/** To be looked at anew. */
function without({ sent: _, halted: __, ...entry }: Entry): Entry {
  return entry;
}

/** The members of a draft that a record may lack. */
function given({ state, assignees, due }: Draft): Partial<RecordOf> {
  return { ...(state ? { state } : {}), ...(assignees.length > 0 ? { assignees } : {}), ...(due ? { due } : {}) };
}
