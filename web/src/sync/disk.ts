// The disk of a device: a database of the browser's, one for each person at each company.

import { type IDBPDatabase, openDB } from "idb";
import type { Commit, Disk, Kept } from "./kept.ts";

const VERSION = 1;

export class BrowserDisk implements Disk {
  private readonly database: IDBPDatabase;

  private constructor(database: IDBPDatabase) {
    this.database = database;
  }

  static async open(name: string): Promise<BrowserDisk> {
    const database = await openDB(name, VERSION, {
      upgrade(made) {
        for (const store of ["records", "comments", "entries"]) made.createObjectStore(store, { keyPath: "id" });
        for (const store of ["facts", "drafts"]) made.createObjectStore(store);
      },
      // A newer page of ours wants another form of it, or the browser has let go of it: this page begins anew.
      blocking: () => location.reload(),
      terminated: () => location.reload(),
    });
    return new BrowserDisk(database);
  }

  close(): void {
    this.database.close();
  }

  async load(): Promise<Kept> {
    const all = this.database.transaction(["records", "comments", "entries", "facts"]);
    const [records, comments, entries, cursor] = await Promise.all([
      all.objectStore("records").getAll(),
      all.objectStore("comments").getAll(),
      all.objectStore("entries").getAll(),
      all.objectStore("facts").get("cursor"),
    ]);
    return { records, comments, entries, cursor: cursor ?? null };
  }

  async commit(change: Commit): Promise<void> {
    // What the service has told it can tell again. What somebody did is in safety before they are told so.
    const durability = change.entries || change.entriesChanged || change.entriesGone ? "strict" : "relaxed";
    const all = this.database.transaction(["records", "comments", "entries", "facts"], "readwrite", { durability });
    const [records, comments, entries] = [all.objectStore("records"), all.objectStore("comments"), all.objectStore("entries")];
    const writes: Promise<unknown>[] = [];
    if (change.afresh) writes.push(records.clear(), comments.clear());
    for (const it of change.records ?? []) writes.push(records.put(it));
    for (const id of change.recordsGone ?? []) writes.push(records.delete(id));
    for (const it of change.comments ?? []) writes.push(comments.put(it));
    for (const id of change.commentsGone ?? []) writes.push(comments.delete(id));
    for (const it of change.entries ?? []) writes.push(entries.put(it));
    for (const it of change.entriesChanged ?? []) {
      writes.push(entries.getKey(it.id).then((there) => (there === undefined ? undefined : entries.put(it))));
    }
    for (const id of change.entriesGone ?? []) writes.push(entries.delete(id));
    if (change.cursor !== undefined) writes.push(all.objectStore("facts").put(change.cursor, "cursor"));
    await Promise.all([...writes, all.done]);
  }

  /** What the service has said at a path, for when it cannot be asked. */
  async fact<T>(path: string): Promise<T | undefined> {
    return this.database.get("facts", path);
  }

  async keepFact(path: string, value: unknown): Promise<void> {
    await this.database.put("facts", value, path);
  }

  async draft<T>(key: string): Promise<T | undefined> {
    return this.database.get("drafts", key);
  }

  async keepDraft(key: string, value: unknown): Promise<void> {
    await this.database.put("drafts", value, key);
  }

  async dropDraft(key: string): Promise<void> {
    await this.database.delete("drafts", key);
  }

  /** Takes away what the service has told, and keeps what its person did. */
  async forgetTold(): Promise<void> {
    const facts = this.database.transaction("facts", "readwrite");
    await Promise.all([facts.store.clear(), facts.done]);
    await this.commit({ afresh: true, cursor: null });
  }
}
