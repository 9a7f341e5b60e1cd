// What a device keeps, and what it keeps it in: the words that the engine, the disk and the network share.

import type { Problem, RecordOf } from "../api.ts";
import type { Draft } from "../forms.ts";

export interface CommentOf {
  id: string;
  record_id: string;
  text: string;
  mentions?: string[];
  version: number;
  created_at: string;
  created_by: string;
}

/** What somebody did. */
export type Deed =
  | { kind: "create"; type: string; type_version?: number; content: Draft; about?: string; open?: boolean }
  | { kind: "change"; base: Draft; wanted: Draft; open?: boolean }
  | { kind: "comment"; id: string; text: string; mentions: string[] };

/** A request, as it is sent until its outcome is known. */
export interface Sent {
  key: string;
  method: string;
  path: string;
  if_match?: string;
  body: unknown;
}

/** Something that somebody did, and that the service has not said to be done. */
export interface Entry {
  id: string;
  /** Entries of one record are sent in this order. */
  seq: number;
  record: string;
  at: string;
  deed: Deed;
  sent?: Sent;
  /** Why it waits for its person: the service refuses it, or somebody else has changed the same. */
  halted?: { problem: Problem } | { disputed: string[] };
}

/** A change of what the service has. */
export type Told =
  | ({ kind: "record" } & RecordOf)
  | ({ kind: "comment" } & CommentOf)
  | { kind: string; id: string; version: number };

export interface Verdict {
  key: string;
  status: number;
  body: unknown;
}

/** The service. What cannot be reached throws `Unreachable`. */
export interface Network {
  /** Where the feed ends; or what came after a cursor. `null`: it cannot be told, and all is to be listed again. */
  changes(cursor: string | null): Promise<{ changes: Told[]; cursor: string; more: boolean } | null>;
  /** The records that a device keeps. */
  list(): Promise<RecordOf[]>;
  record(id: string): Promise<RecordOf | null>;
  /** Makes changes for whoever is at this place of the feed. `null`: there is no such place any more, and nothing was done. */
  make(changes: Sent[], cursor: string): Promise<Verdict[] | null>;
}

/** The service was not reached, or said nothing that helps. */
export class Unreachable extends Error {
  /** Whether its person has to log in first. */
  readonly logIn: boolean;
  constructor(logIn = false) {
    super(logIn ? "log in first" : "the service was not reached");
    this.logIn = logIn;
  }
}

/** What is on the disk. */
export interface Kept {
  records: RecordOf[];
  comments: CommentOf[];
  entries: Entry[];
  cursor: string | null;
}

/** All of it is on the disk, or none. */
export interface Commit {
  records?: RecordOf[];
  recordsGone?: string[];
  comments?: CommentOf[];
  commentsGone?: string[];
  /** New ones. */
  entries?: Entry[];
  /** Others, as far as they are there still: their person may have thrown them away in another page. */
  entriesChanged?: Entry[];
  entriesGone?: string[];
  cursor?: string | null;
  /** Takes away first whatever the service has told. */
  afresh?: boolean;
}

export interface Disk {
  load(): Promise<Kept>;
  commit(change: Commit): Promise<void>;
}
