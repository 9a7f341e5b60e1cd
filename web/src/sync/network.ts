// The service, as a device asks it.

import { type Answer, type RecordOf, call } from "../api.ts";
import { type Network, type Sent, type Told, Unreachable, type Verdict } from "./engine.ts";

/** A device keeps no more: what is older is found by the service. */
const KEPT_MAX = 20_000;

function found<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.body;
  throw new Unreachable(answer.problem.status === 401);
}

/** The answer, or `null` where the service says that it knows no such thing. */
function foundUnless<T>(status: number, answer: Answer<T>): T | null {
  return !answer.ok && answer.problem.status === status ? null : found(answer);
}

async function listed(query: string, into: Map<string, RecordOf>): Promise<void> {
  for (let cursor = ""; into.size < KEPT_MAX;) {
    const page = found(await call<{ records: RecordOf[]; next_cursor: string | null }>("GET", `/v1/records?limit=100&${query}${cursor}`));
    for (const it of page.records) into.set(it.id, it);
    if (!page.next_cursor) return;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

export const service: Network = {
  async changes(cursor) {
    const query = cursor === null ? "" : `?cursor=${cursor}`;
    return foundUnless(410, await call<{ changes: Told[]; cursor: string; more: boolean }>("GET", `/v1/changes${query}`));
  },

  /** What is open, however old, and then what was changed last. */
  async list() {
    const records = new Map<string, RecordOf>();
    await listed("state=open", records);
    await listed("order=changed", records);
    return [...records.values()];
  },

  async record(id) {
    return foundUnless(404, await call<RecordOf>("GET", `/v1/records/${id}`));
  },

  async make(changes: Sent[], cursor: string) {
    const body = { changes, cursor };
    const answer = foundUnless(410, await call<{ verdicts: Verdict[] }>("POST", "/v1/changes", { body }));
    return answer && answer.verdicts;
  },
};
