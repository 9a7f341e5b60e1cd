// The service, as the client asks it. An answer is what was wanted, or the problem: nothing is thrown.

import type { Texts } from "./locales/en.ts";

export type Role = "viewer" | "member" | "admin" | "owner";

export interface User {
  id: string;
  name: string | null;
  sign_in_name: string | null;
  role: Role;
}

export interface Person extends User {
  version: number;
  removed: boolean;
}

export interface Me {
  user: User;
  customer: { id: string; name: string; short_name: string | null };
}

export interface RecordOf {
  id: string;
  type: string;
  title: string;
  fields: Record<string, unknown>;
  type_version?: number;
  number?: string;
  state?: string;
  open?: boolean;
  assignees?: string[];
  due?: string;
  about?: string;
  closed_at?: string;
  version: number;
  created_at: string;
  created_by: string;
  changed_at: string;
  changed_by: string;
}

export interface Invitation {
  id: string;
  role: Role;
  email: string | null;
  state: "open" | "accepted" | "withdrawn";
  expires_at: string;
}

export interface Problem {
  status: number;
  code: string;
  detail: string;
  request_id: string;
  field?: string;
  rule?: string;
  arguments?: { min?: number };
  /** All rules that are broken, where there may be several. */
  errors?: Refusal[];
  /** With `stale_version` of a record: as it is now. */
  current?: RecordOf;
  companies?: { customer_id: string; name: string }[];
}

export interface Refusal {
  field: string;
  rule: string;
  arguments?: Record<string, unknown>;
}

export type Answer<T> = { ok: true; body: T } | { ok: false; problem: Problem };

interface Options {
  body?: unknown;
  /** Names the attempt, so that it is done once however often it is sent. */
  key?: string;
  /** The version that was seen. */
  version?: number;
}

/** So long an answer may take: a connection that is there and says nothing is none. */
const PATIENCE = 20_000;

/** Whose device it is that asks. */
let asked_as: string | null = null;

/** From now on the service refuses whatever is asked with somebody else's log-in. */
export function askAs(user: string | null): void {
  asked_as = user;
}

export async function call<T>(method: string, path: string, { body, key, version }: Options = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key) headers["idempotency-key"] = key;
  if (version) headers["if-match"] = `"${version}"`;
  if (asked_as) headers["am-user"] = asked_as;
  try {
    const sent = body === undefined ? null : JSON.stringify(body);
    const answer = await fetch(path, { method, headers, body: sent, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    const text = await answer.text();
    const read = text === "" ? undefined : JSON.parse(text);
    return answer.ok ? { ok: true, body: read } : { ok: false, problem: read };
  } catch {
    return { ok: false, problem: { status: 0, code: "offline", detail: "", request_id: "" } };
  }
}

/** Logs in: the session is a cookie that no script can read. */
export function logIn(sign_in_name: string, password: string, key: string, customer_id?: string): Promise<Answer<unknown>> {
  const body = { sign_in_name, password, delivery: "cookie", ...(customer_id ? { customer_id } : {}) };
  return call("POST", "/v1/sessions", { body, key });
}

/** What is wrong with the value at a pointer, or below it where nothing else says it. */
export function refused(texts: Texts, problem: Problem | null, pointer: string): string | null {
  const about = (it: Refusal) => it.field === pointer || it.field.startsWith(`${pointer}/`);
  const found = problem?.errors?.find(about);
  if (!found) return problem?.field === pointer ? problem.detail : null;
  const rule = texts.rules[found.rule as keyof Texts["rules"]] ?? texts.rules.other;
  return rule(found.arguments ?? {});
}

/** What to tell the person. */
export function said(texts: Texts, problem: Problem): string {
  const { code, rule, detail, request_id, errors } = problem;
  if (errors?.some((it) => it.field.startsWith("/fields/"))) return texts.problem_fields;
  if (rule === "password_too_short") return texts.problem_password_too_short(problem.arguments?.min ?? 15);
  const name = `problem_${rule ?? code}` as keyof Texts;
  const text = texts[name];
  return typeof text === "string" ? text : texts.problem_unknown(detail, request_id);
}
