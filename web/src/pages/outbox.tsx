// What was done here and is not at the service yet: what, when, and why it waits.

import { said } from "../api.ts";
import { type Draft, changed, valueOf } from "../forms.ts";
import type { Entry } from "../sync/kept.ts";
import { useDevice, useKept } from "../sync/use.ts";
import { useTexts, useTime } from "../texts.ts";

/** How the device stands with the service, always in sight. */
export function SyncChip() {
  const texts = useTexts();
  const [entries, status] = useKept((device) => [device.engine.entries(), device.status] as const);
  const halted = entries.filter((it) => it.halted).length;
  const waiting = entries.length - halted;
  const parts = [
    status.reached === "no" && texts.offline,
    status.reached === "full" && texts.device_full,
    halted > 0 && texts.needs_you(halted),
    waiting > 0 && texts.waiting(waiting),
  ].filter(Boolean);
  const isWell = halted === 0 && waiting === 0;
  return (
    <span role="status">
      <a href="/outbox" class={isWell ? "chip" : "chip owed"}>
        {isWell && status.reached === "yes" ? texts.sent_all : parts.join(" · ") || texts.loading}
      </a>
    </span>
  );
}

export function Outbox() {
  const texts = useTexts();
  const device = useDevice();
  const entries = useKept(({ engine }) => engine.entries());
  return (
    <main>
      <h1>{texts.outbox}</h1>
      <p>{entries.length > 0 ? texts.outbox_intro : texts.nothing_waits}</p>
      <ul class="rows">{entries.map((it) => <Waiting key={it.id} entry={it} />)}</ul>
      {entries.length > 0 && <button type="button" onClick={() => device.kick()}>{texts.send_now}</button>}
    </main>
  );
}

/** A value that somebody gave, so that they can read and copy it, whatever becomes of the record. */
function shown(draft: Draft, member: string): string {
  const value = valueOf(draft, member);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Waiting({ entry }: { entry: Entry }) {
  const texts = useTexts();
  const time = useTime();
  const device = useDevice();
  const record = useKept(({ engine }) => engine.view(entry.record));
  const { deed, halted } = entry;
  const what = deed.kind === "create" ? texts.deed_create : deed.kind === "change" ? texts.deed_change : texts.deed_comment;
  const why = !halted ? texts.waits : "disputed" in halted
    ? texts.disputed
    : `${said(texts, halted.problem)} ${texts.refused_with(halted.problem.code)}`;
  const throwAway = () => {
    if (confirm(texts.throw_away_sure)) void device.decide((engine) => engine.discard(entry.id));
  };
  return (
    <li>
      <a href={`/records/${entry.record}`}>
        <strong>{what}: {deed.kind === "comment" ? deed.text : record?.title ?? (deed.kind === "create" ? deed.content : deed.wanted).title}</strong>
        <span>{time(entry.at)} · {why}</span>
      </a>
      {deed.kind === "change" && (
        <ul class="words">{changed(deed.base, deed.wanted).map((member) => <li key={member}>{shown(deed.wanted, member)}</li>)}</ul>
      )}
      <p class="buttons">
        {halted && "problem" in halted && (
          <button type="button" class="quiet" onClick={() => device.decide((engine) => engine.retry(entry.id))}>{texts.try_again}</button>
        )}
        <button type="button" class="quiet" onClick={throwAway}>{texts.throw_away}</button>
      </p>
    </li>
  );
}
