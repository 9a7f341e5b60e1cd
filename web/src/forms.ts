// Types of records, as a company defines them, and what a change of a record is. Nothing here knows the screen.

import type { RecordOf, Refusal } from "./api.ts";
import type { Language } from "./texts.ts";

export type Labels = Partial<Record<Language, string>>;

export interface Choice {
  name: string;
  labels: Labels;
}

export interface FieldOf extends Choice {
  kind: string;
  help?: Labels;
  required?: boolean;
  when?: { field: string; is: unknown[] };
  default?: unknown;
  unit?: string;
  min?: number;
  max?: number;
  decimals?: number;
  options?: Choice[];
  lines?: Choice[];
  columns?: FieldOf[];
}

export interface State extends Choice {
  open: boolean;
  next?: string[];
}

export interface Form {
  labels: Labels;
  class?: "case" | "thing";
  states?: State[];
  fields?: FieldOf[];
  retired?: boolean;
}

export interface TypeOf {
  type: string;
  form: Form;
  version: number;
}

export type Values = Record<string, unknown>;

/** What something is called in the person's language, or in whichever there is. */
export function label(labels: Labels | undefined, language: Language): string {
  return labels?.[language] ?? labels?.en ?? labels?.sv ?? labels?.de ?? "";
}

/** Whether a field is asked for: its condition holds, and that of the field it depends on. */
export function isAsked(fields: FieldOf[], field: FieldOf, values: Values): boolean {
  if (!field.when) return true;
  const { when } = field;
  const other = fields.slice(0, fields.indexOf(field)).find((it) => it.name === when.field);
  if (!other) return true;
  const value = values[other.name];
  const holds = Array.isArray(value) ? value.some((it) => when.is.includes(it)) : when.is.includes(value);
  return holds && isAsked(fields, other, values);
}

/** What a new record starts with. */
export function defaults(form: Form | undefined): Values {
  const withDefault = (form?.fields ?? []).filter((it) => it.default !== undefined);
  return Object.fromEntries(withDefault.map((it) => [it.name, it.default]));
}

/** What is required of a record that is closed, and is not there. */
export function missing(form: Form | null, values: Values): Refusal[] {
  const fields = form?.fields ?? [];
  const isEmpty = (it: unknown) => it === undefined || it === null || it === "" || (Array.isArray(it) && it.length === 0);
  const lacks = fields.filter((it) => it.required && isAsked(fields, it, values) && isEmpty(values[it.name]));
  return lacks.map((it) => ({ field: `/fields/${it.name}`, rule: "required" }));
}

/** What somebody may change of a record. */
export interface Draft {
  title: string;
  fields: Values;
  state: string | null;
  assignees: string[];
  due: string | null;
}

export function draftOf(record: RecordOf): Draft {
  const { title, fields, state = null, assignees = [], due = null } = record;
  return { title, fields, state, assignees, due };
}

const isObject = (it: unknown): it is Values => typeof it === "object" && it !== null && !Array.isArray(it);

/** In one spelling: members by name, and none that is null, as the service keeps them. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value ?? null;
  const kept = Object.entries(value).filter(([, it]) => it !== null && it !== undefined);
  return Object.fromEntries(kept.map(([name, it]): [string, unknown] => [name, canonical(it)]).sort(([one], [other]) => (one < other ? -1 : 1)));
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));

/** What a merge patch (RFC 7396) says of a value that becomes another one. */
function patched(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after ?? null;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const differing = [...names].filter((name) => !same(before[name], after[name]));
  return Object.fromEntries(differing.map((name) => [name, patched(before[name], after[name])]));
}

/** A draft as flat members, so that each can be compared by itself. */
function members({ fields, ...rest }: Draft): Map<string, unknown> {
  const all = Object.entries(fields).map(([name, value]): [string, unknown] => [`fields/${name}`, value]);
  return new Map([...Object.entries(rest), ...all]);
}

/** The value of a member, by its name. */
export const valueOf = (draft: Draft, name: string): unknown => members(draft).get(name) ?? null;

/** The names of the members that differ. */
export function changed(before: Draft, after: Draft): string[] {
  const [one, other] = [members(before), members(after)];
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => !same(one.get(name), other.get(name)));
}

/** What both have changed, and not to the same. */
export function conflicts(base: Draft, mine: Draft, theirs: Draft): string[] {
  const [ours, of] = [members(mine), members(theirs)];
  const both = changed(base, mine).filter((name) => changed(base, theirs).includes(name));
  return both.filter((name) => !same(ours.get(name), of.get(name)));
}

/** A merge patch of what differs: null takes a member away. */
export function patch(before: Draft, after: Draft): Record<string, unknown> {
  const [was, now] = [members(before), members(after)];
  const body: Record<string, unknown> = {};
  const fields: Values = {};
  for (const name of changed(before, after)) {
    const value = now.get(name) ?? null;
    const [place, field] = name.split("/", 2);
    if (place === "fields" && field) fields[field] = patched(was.get(name), value);
    else body[name] = value;
  }
  return Object.keys(fields).length > 0 ? { ...body, fields } : body;
}

/** Theirs, with what is mine where they have not changed it, or where I keep mine. */
export function merged(base: Draft, mine: Draft, theirs: Draft, keep: (name: string) => boolean): Draft {
  const result: Draft = { ...theirs, fields: { ...theirs.fields } };
  const ours = members(mine);
  const disputed = conflicts(base, mine, theirs);
  for (const name of changed(base, mine)) {
    if (disputed.includes(name) && !keep(name)) continue;
    const [place, field] = name.split("/", 2);
    if (place === "fields" && field) result.fields[field] = ours.get(name);
    else Object.assign(result, { [name]: ours.get(name) });
  }
  return result;
}
