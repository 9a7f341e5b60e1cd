// What concerns whoever is logged in.

import { useEffect, useState } from "preact/hooks";
import { type Me, call } from "../api.ts";
import { useTexts, useTime } from "../texts.ts";
import { ProblemText, useAction } from "../ui/form.tsx";
import { usePeople } from "./records.tsx";

interface Notice {
  id: string;
  reason: "assigned" | "mentioned" | "commented" | "changed";
  at: string;
  by: string;
  record_id: string;
  /** Null: it was deleted. */
  record: { title: string; number?: string } | null;
  read: boolean;
}

interface Page {
  notices: Notice[];
  daily_mail: boolean;
  next_cursor: string | null;
}

export function Inbox({ me }: { me: Me }) {
  const texts = useTexts();
  const time = useTime();
  const { names } = usePeople();
  const [page, setPage] = useState<Page | null>(null);
  const { busy, problem, run } = useAction();
  const load = (before: Page | null) =>
    run(async () => {
      const at = before?.next_cursor ? `?cursor=${before.next_cursor}` : "";
      const answer = await call<Page>("GET", `/v1/inbox${at}`);
      if (!answer.ok) return answer.problem;
      setPage({ ...answer.body, notices: [...(before?.notices ?? []), ...answer.body.notices] });
      return null;
    });
  useEffect(() => void load(null), []);
  const unread = (page?.notices ?? []).filter((it) => !it.read).map((it) => it.id).slice(0, 100);
  const mark = (notices: string[]) =>
    run(async () => {
      const answer = await call("POST", "/v1/inbox/read", { body: { notices } });
      if (!answer.ok) return answer.problem;
      const isRead = (it: Notice) => it.read || notices.includes(it.id);
      setPage((now) => now && { ...now, notices: now.notices.map((it) => ({ ...it, read: isRead(it) })) });
      return null;
    });
  const wantMail = (daily: boolean) =>
    run(async () => {
      const answer = await call("PUT", "/v1/inbox/mail", { body: { daily } });
      if (!answer.ok) return answer.problem;
      setPage((now) => now && { ...now, daily_mail: daily });
      return null;
    });
  return (
    <main>
      <h1>{texts.inbox}</h1>
      <ProblemText problem={problem} />
      {!page && !problem && <p>{texts.loading}</p>}
      {page?.notices.length === 0 && <p>{texts.no_notices}</p>}
      {unread.length > 0 && <button type="button" class="quiet" disabled={busy} onClick={() => mark(unread)}>{texts.mark_read}</button>}
      <ul class="rows">
        {page?.notices.map((it) => (
          <li key={it.id} class={it.read ? "" : "unread"}>
            <a href={`/records/${it.record_id}`} onClick={() => void (it.read || mark([it.id]))}>
              <strong>{it.record?.number && <span class="number">{it.record.number}</span>} {it.record?.title ?? texts.problem_not_found}</strong>
              <span>{texts[`reason_${it.reason}`](names.get(it.by) || texts.somebody)} · {time(it.at)}</span>
            </a>
          </li>
        ))}
      </ul>
      {page?.next_cursor && <button type="button" class="quiet" disabled={busy} onClick={() => load(page)}>{texts.more}</button>}
      {page && me.user.sign_in_name?.includes(".") && (
        <label class="ticked">
          <input type="checkbox" checked={page.daily_mail} disabled={busy} onChange={(event) => wantMail(event.currentTarget.checked)} />
          {texts.daily_mail}
        </label>
      )}
    </main>
  );
}
