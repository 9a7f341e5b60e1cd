// Finding records among those that a device keeps, as the service finds them among all.

import type { RecordOf } from "./api.ts";
import type { CommentOf } from "./sync/kept.ts";

/** Without the ways in which one text is written differently. */
function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll("ß", "ss");
}

const runs = (text: string): string[] => text.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean);

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  return value && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

/** A part number is found whole and by its parts. */
function words(text: string): string[] {
  return folded(text).split(/\s+/).flatMap((token) => {
    const parts = runs(token);
    const pieces = parts.flatMap((part) => part.match(/\p{N}+|[^\p{N}]+/gu) ?? []);
    return [parts.join(""), ...parts, ...pieces.filter((it) => it.length > 1)];
  });
}

/** What a record or a comment has, split once: it is another object when it is changed. */
const known = new WeakMap<object, string[]>();

function wordsOf(it: RecordOf | CommentOf): string[] {
  const before = known.get(it);
  if (before) return before;
  const all = "text" in it ? [it.text] : [it.title, it.number ?? "", ...texts(it.fields)];
  const split = [...new Set(words(all.join(" ")))];
  known.set(it, split);
  return split;
}

/** So many are split at once, so that nobody waits for it. */
const AT_ONCE = 200;

/** Splits what will be looked through, in the pauses of what somebody does. The answer stops it. */
export function prepare(all: (RecordOf | CommentOf)[]): () => void {
  let timer = 0;
  const some = (from: number) => {
    for (const it of all.slice(from, from + AT_ONCE)) wordsOf(it);
    if (from + AT_ONCE < all.length) timer = Number(setTimeout(() => some(from + AT_ONCE)));
  };
  timer = Number(setTimeout(() => some(0)));
  return () => clearTimeout(timer);
}

/** What somebody typed, as words. */
export const wordsAsked = (asked: string): string[] => runs(folded(asked));

/** Whether a record has, for each word that was typed, one that begins so; or what was said about it has. */
export function hasWords(record: RecordOf, said: CommentOf[], asked: string[]): boolean {
  return asked.every((it) => {
    const fits = (word: string) => (it.length < 3 ? word === it : word.startsWith(it));
    return wordsOf(record).some(fits) || said.some((comment) => wordsOf(comment).some(fits));
  });
}

export type Which = "any" | "open" | "mine" | "overdue" | "due" | "new" | "closed" | "unassigned";

/** A day as the calendar on the wall has it. */
export const dayOf = (time: Date): string => time.toLocaleDateString("sv");

/** Today, and when the week began: on Monday. */
export interface Today {
  day: string;
  week: string;
}

export function todayOf(now: Date): Today {
  const monday = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7));
  return { day: dayOf(now), week: monday.toISOString() };
}

/** Whether a record is one of these. */
export function isOne(which: Which, it: RecordOf, me: string, { day, week }: Today): boolean {
  // Times are written alike, so they sort as text.
  const since = (time?: string) => time !== undefined && time >= week;
  switch (which) {
    case "any": return true;
    case "open": return it.open === true;
    case "mine": return it.open === true && (it.assignees ?? []).includes(me);
    case "overdue": return it.open !== false && it.due !== undefined && it.due < day;
    case "due": return it.open !== false && it.due !== undefined && it.due <= day;
    case "new": return since(it.created_at);
    case "closed": return since(it.closed_at);
    case "unassigned": return it.open === true && (it.assignees ?? []).length === 0;
  }
}
