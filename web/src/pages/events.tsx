import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import type { Texts } from "../locales/en.ts";
import { useTexts, useTime } from "../texts.ts";
import { ProblemText, useAction } from "../ui/form.tsx";
import { usePeople } from "./records.tsx";

interface EventOf {
  at: string;
  kind: string;
  by: string | null;
  whom: string | null;
  source: string | null;
  device: string | null;
}

/** What happened to the security of the company, the newest first. */
export function Events() {
  const texts = useTexts();
  const time = useTime();
  const { names } = usePeople();
  const [events, setEvents] = useState<EventOf[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const { busy, problem, run } = useAction();
  const load = (from: string | null, before: EventOf[]) =>
    run(async () => {
      const at = from ? `&cursor=${from}` : "";
      const answer = await call<{ events: EventOf[]; next_cursor: string | null }>("GET", `/v1/events?limit=50${at}`);
      if (!answer.ok) return answer.problem;
      setEvents([...before, ...answer.body.events]);
      setCursor(answer.body.next_cursor);
      return null;
    });
  useEffect(() => void load(null, []), []);
  const who = (it: EventOf) => {
    if (it.by) return names.get(it.by) || texts.somebody;
    return it.source ? texts.not_logged_in : texts.operator;
  };
  return (
    <main>
      <h1>{texts.security}</h1>
      <ProblemText problem={problem} />
      {events?.length === 0 && <p>{texts.no_events}</p>}
      <ul class="rows">
        {events?.map((it) => (
          <li key={`${it.at}${it.kind}${it.by}${it.whom}`}>
            <div>
              <strong>{kind(texts, it.kind)}{it.whom && `: ${names.get(it.whom) || texts.somebody}`}</strong>
              <span>{[who(it), time(it.at), it.source, it.device].filter(Boolean).join(" · ")}</span>
            </div>
          </li>
        ))}
      </ul>
      {cursor && <button type="button" class="quiet" disabled={busy} onClick={() => load(cursor, events ?? [])}>{texts.more}</button>}
    </main>
  );
}

/** A kind that is newer than this page is shown by its name. */
function kind(texts: Texts, kind: string): string {
  const text = texts[`event_${kind}` as keyof Texts];
  return typeof text === "string" ? text : kind;
}
