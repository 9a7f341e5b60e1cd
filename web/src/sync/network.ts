// The service, as a device asks it.

import { type Answer, type RecordOf, call } from "../api.ts";
import { type Network, type Sent, type Told, Unreachable, type Verdict } from "./kept.ts";

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

  async make(changes: Sent[], cursor: string): Promise<Verdict[] | null> {
    const body = { changes, cursor };
    const answer = await call<{ verdicts: Verdict[] }>("POST", "/v1/changes", { body });
    if (answer.ok) return answer.body.verdicts;
    const { status } = answer.problem;
    // Together they are refused: what is wrong is said of each by itself.
    if (status >= 400 && status < 500 && ![401, 410, 429].includes(status)) {
      const [one] = changes;
      if (one && changes.length === 1) return [{ key: one.key, status, body: answer.problem }];
      const verdicts: Verdict[] = [];
      for (const it of changes) {
        const some = await service.make([it], cursor);
        if (some === null) return null;
        verdicts.push(...some);
      }
      return verdicts;
    }
    if (status === 410) return null;
    throw new Unreachable(status === 401);
  },
};
