// The device of one person: what is kept, when it is sent, and who is told that it has changed. Of several pages of one
// person, one speaks with the service.

import { type Me, type RecordOf, askAs, call } from "../api.ts";
import { BrowserDisk } from "./disk.ts";
import { Engine } from "./engine.ts";
import { type CommentOf, type Deed, Unreachable } from "./kept.ts";
import { service } from "./network.ts";

/** So long after the last time the service is asked what is new, where somebody looks at the page. */
const ASKED_EVERY = 30_000;
/** After a failure, at first; then twice as long each time, up to the above. */
const AGAIN_AFTER = 1_000;

export interface Status {
  /** Whether the service has answered lately; `log-in`: it does not know who asks; `full`: the device cannot keep more. */
  reached: "yes" | "no" | "log-in" | "full" | "unknown";
  busy: boolean;
}

/** What pages of one person say to each other: how it stands with the service, or that something was changed on the disk. */
type Said = "changed" | "wake" | "who speaks?" | Status;

export const nameOf = (me: Me): string => `am-${me.customer.id}-${me.user.id}`;

export class Device {
  readonly engine: Engine;
  readonly me: Me;
  status: Status = { reached: "unknown", busy: false };
  private readonly disk: BrowserDisk;
  private readonly channel: BroadcastChannel;
  private readonly listeners = new Set<() => void>();
  private readonly closing = new AbortController();
  private wake: () => void = () => {};
  private isToReload = false;
  private isLeading = false;

  private constructor(me: Me, disk: BrowserDisk, engine: Engine) {
    this.me = me;
    this.disk = disk;
    this.engine = engine;
    this.channel = new BroadcastChannel(nameOf(me));
    this.channel.onmessage = ({ data }: MessageEvent<Said>) => this.hear(data);
    this.channel.postMessage("who speaks?" satisfies Said);
    const kick = () => this.kick();
    const { signal } = this.closing;
    addEventListener("online", kick, { signal });
    addEventListener("focus", kick, { signal });
    navigator.locks
      .request(nameOf(me), { signal }, () => this.lead())
      .catch(() => {});
  }

  static async open(me: Me): Promise<Device> {
    // Whoever else logs in with this browser: nothing of this device is asked or sent as them.
    askAs(me.user.id);
    const disk = await BrowserDisk.open(nameOf(me));
    return new Device(me, disk, await Engine.open(disk, service, () => crypto.randomUUID()));
  }

  close(): void {
    this.closing.abort();
    this.wake();
    this.channel.close();
    this.disk.close();
  }

  /** Is told of each change of what is kept. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private set(status: Partial<Status>): void {
    this.status = { ...this.status, ...status };
    this.say(this.status);
    this.tell();
  }

  private say(said: Said): void {
    if (!this.closing.signal.aborted) this.channel.postMessage(said);
  }

  /** What another page of the same person says. */
  private hear(said: Said): void {
    if (said === "changed") void this.reload();
    else if (said === "wake") this.kick();
    else if (said === "who speaks?") this.isLeading && this.say(this.status);
    else if (!this.isLeading) {
      this.status = said;
      this.tell();
    }
  }

  /** Keeps what somebody did; then it is sent as soon as it can be. */
  async act(record: string, deed: Deed): Promise<void> {
    await this.engine.act(record, deed, new Date().toISOString());
    this.changed();
  }

  async decide<T>(does: (engine: Engine) => Promise<T>): Promise<T> {
    const done = await does(this.engine);
    this.changed();
    return done;
  }

  /** Here, and in the other pages of the same person; and there may be something to send. */
  private changed(): void {
    this.say("changed");
    this.tell();
    this.kick();
  }

  /** Keeps comments that were listed: there is nothing to send. */
  async keepComments(comments: CommentOf[]): Promise<void> {
    await this.engine.keepComments(comments);
    this.tell();
  }

  /** Sends and asks at once, or has the page do it that speaks with the service. */
  kick(): void {
    if (this.isLeading) this.wake();
    else this.say("wake");
  }

  private async reload(): Promise<void> {
    if (this.isLeading) {
      // Not in the midst of speaking with the service.
      this.isToReload = true;
      return this.kick();
    }
    await this.engine.reload();
    this.tell();
  }

  /** Speaks with the service until the page is closed. */
  private async lead(): Promise<void> {
    this.isLeading = true;
    this.isToReload = true;
    let failures = 0;
    while (!this.closing.signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      this.set({ busy: true });
      try {
        await this.speak();
        failures = 0;
        this.set({ reached: "yes", busy: false });
      } catch (error) {
        failures += 1;
        const isLoggedOut = error instanceof Unreachable && error.logIn;
        const isFull = !(error instanceof Unreachable);
        this.set({ reached: isLoggedOut ? "log-in" : isFull ? "full" : "no", busy: false });
        if (isFull) console.warn("the device could not keep what it was told", error);
      }
      const wait = failures > 0 ? Math.min(AGAIN_AFTER * 2 ** (failures - 1), ASKED_EVERY) : ASKED_EVERY;
      const timer = setTimeout(this.wake, wait);
      await woken;
      clearTimeout(timer);
    }
  }

  private async speak(): Promise<void> {
    if (this.isToReload) {
      this.isToReload = false;
      await this.engine.reload();
    }
    let full: unknown;
    try {
      await this.engine.pull();
    } catch (error) {
      // A disk that is full takes nothing new. What is on it can be sent all the same.
      if (error instanceof Unreachable) throw error;
      full = error;
    }
    this.tell();
    while (await this.engine.push()) {
      this.tell();
      if (this.isToReload) {
        this.isToReload = false;
        await this.engine.reload();
      }
    }
    if (full) throw full;
    await this.engine.pull();
    this.say("changed");
  }

  /** What the service says at a path; or what it has said, where it cannot be asked. */
  async ask<T>(path: string): Promise<T | undefined> {
    const answer = await call<T>("GET", path);
    if (answer.ok) {
      await this.disk.keepFact(path, answer.body);
      return answer.body;
    }
    return this.disk.fact<T>(path);
  }

  /** A record that the device does not keep, from the service. */
  async fetch(id: string): Promise<RecordOf | undefined> {
    const answer = await call<RecordOf>("GET", `/v1/records/${id}`);
    return answer.ok ? answer.body : undefined;
  }

  /** What the service has said at a path before. */
  fact<T>(path: string): Promise<T | undefined> {
    return this.disk.fact<T>(path);
  }

  draft<T>(key: string): Promise<T | undefined> {
    return this.disk.draft(key);
  }

  /** Keeps what somebody is writing. What cannot be kept is said, so that they do not count on it. */
  async keepDraft(key: string, value: unknown): Promise<void> {
    try {
      await this.disk.keepDraft(key, value);
    } catch (error) {
      console.warn("the device could not keep a draft", error);
      this.set({ reached: "full" });
    }
  }

  dropDraft(key: string): Promise<void> {
    return this.disk.dropDraft(key);
  }

  /** Takes away what the service has told. What was not sent yet, or has been begun, stays for its person alone. */
  async forget(): Promise<void> {
    this.engine.stop();
    await this.disk.forgetTold();
    this.close();
  }
}
