// Finding records among those that a device keeps, as the service finds them among all.

import type { RecordOf } from "./api.ts";

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

/** Whether a record has, for each word that was typed, one that begins so; `said` is what was said about it. */
export function hasWords(record: RecordOf, said: string[], asked: string): boolean {
  const wanted = runs(folded(asked));
  if (wanted.length === 0) return true;
  const has = words([record.title, record.number ?? "", ...texts(record.fields), ...said].join(" "));
  return wanted.every((it) => has.some((word) => (it.length < 3 ? word === it : word.startsWith(it))));
}

export type Which = "any" | "open" | "mine" | "overdue" | "due" | "new" | "closed" | "unassigned";

/** A day as the calendar on the wall has it. */
export const dayOf = (time: Date): string => time.toLocaleDateString("sv");

/** When the week began: on Monday. */
export function weekOf(now: Date): Date {
  const monday = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7));
  return monday;
}

/** Whether a record is one of these. */
export function isOne(which: Which, it: RecordOf, me: string, now: Date): boolean {
  const since = (time?: string) => time !== undefined && Date.parse(time) >= weekOf(now).getTime();
  switch (which) {
    case "any": return true;
    case "open": return it.open === true;
    case "mine": return it.open === true && (it.assignees ?? []).includes(me);
    case "overdue": return it.open !== false && it.due !== undefined && it.due < dayOf(now);
    case "due": return it.open !== false && it.due !== undefined && it.due <= dayOf(now);
    case "new": return since(it.created_at);
    case "closed": return since(it.closed_at);
    case "unassigned": return it.open === true && (it.assignees ?? []).length === 0;
  }
}
