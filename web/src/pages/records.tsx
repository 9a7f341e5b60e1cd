import { useCallback, useEffect, useState } from "preact/hooks";
import { type Me, type Person, type Problem, type RecordOf, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { go } from "../router.ts";
import { useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, useAction } from "../ui/form.tsx";

/** What people are called, by their id. */
export function useNames(): Map<string, string> {
  const [names, setNames] = useState(new Map<string, string>());
  useEffect(() => {
    call<{ people: Person[] }>("GET", "/v1/people").then((answer) => {
      if (answer.ok) setNames(new Map(answer.body.people.map((it) => [it.id, it.name ?? ""])));
    });
  }, []);
  return names;
}

interface Page {
  records: RecordOf[];
  next_cursor: string | null;
}

export function Records({ me }: { me: Me }) {
  const texts = useTexts();
  const time = useTime();
  const [records, setRecords] = useState<RecordOf[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const { busy, problem, run } = useAction();
  const load = useCallback((from: string | null, before: RecordOf[]) =>
    run(async () => {
      const at = from ? `&cursor=${from}` : "";
      const answer = await call<Page>("GET", `/v1/records?order=changed&limit=50${at}`);
      if (!answer.ok) return answer.problem;
      setRecords([...before, ...answer.body.records]);
      setCursor(answer.body.next_cursor);
      return null;
    }), []);
  useEffect(() => void load(null, []), []);
  return (
    <main>
      <h1>{texts.records}</h1>
      {me.user.role !== "viewer" && <NewRecord />}
      <ProblemText problem={problem} />
      {records?.length === 0 && <p>{texts.no_records}</p>}
      <ul class="rows">
        {records?.map((it) => (
          <li key={it.id}>
            <a href={`/records/${it.id}`}>
              <strong>{it.title}</strong>
              <span>{it.type} · {time(it.changed_at)}</span>
            </a>
          </li>
        ))}
      </ul>
      {cursor && <button type="button" class="quiet" disabled={busy} onClick={() => load(cursor, records ?? [])}>{texts.more}</button>}
    </main>
  );
}

function NewRecord() {
  const texts = useTexts();
  const [type, setType] = useState("deviation");
  const [title, setTitle] = useState("");
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const create = () =>
    run(async () => {
      const body = { type, title };
      const answer = await attempt.send(body, (key) =>
        call<RecordOf>("POST", "/v1/records", { body, key }));
      if (!answer.ok) return answer.problem;
      attempt.done();
      go(`/records/${answer.body.id}`);
      return null;
    });
  return (
    <details class="card">
      <summary>{texts.new_record}</summary>
      <Form does={texts.create_record} busy={busy} problem={problem} submit={create} fields={["type", "title"]}>
        <Field label={texts.record_title} name="title" value={title} set={setTitle} required problem={problem} />
        <Field label={texts.type} name="type" value={type} set={setType} required hint={texts.type_hint} problem={problem} />
      </Form>
    </details>
  );
}

export function RecordPage({ id, me }: { id: string; me: Me }) {
  const texts = useTexts();
  const time = useTime();
  const names = useNames();
  const [record, setRecord] = useState<RecordOf | null>(null);
  const [title, setTitle] = useState("");
  const [theirs, setTheirs] = useState<RecordOf | null>(null);
  const [saved, setSaved] = useState(false);
  const { busy, problem, run } = useAction();
  const path = `/v1/records/${id}`;
  const show = (it: RecordOf) => {
    setRecord(it);
    setTitle(it.title);
    setTheirs(null);
  };
  useEffect(() => void run(async () => {
    const answer = await call<RecordOf>("GET", path);
    if (!answer.ok) return answer.problem;
    show(answer.body);
    return null;
  }), [id]);
  const save = (over: RecordOf) =>
    run(async (): Promise<Problem | null> => {
      setSaved(false);
      // Fields stay as they are in what is saved over.
      const body = { type: over.type, title, fields: over.fields };
      const answer = await call<RecordOf>("PUT", path, { body, version: over.version });
      if (answer.ok) {
        show(answer.body);
        setSaved(true);
        return null;
      }
      if (answer.problem.code !== "stale_version") return answer.problem;
      const current = await call<RecordOf>("GET", path);
      if (!current.ok) return current.problem;
      setTheirs(current.body);
      return null;
    });
  const who = (it: RecordOf) => names.get(it.changed_by) || texts.somebody;
  if (!record) return <main>{problem ? <ProblemText problem={problem} /> : <p>{texts.loading}</p>}</main>;
  return (
    <main>
      <p><a href="/">{texts.back}</a></p>
      <h1>{record.title}</h1>
      <p class="hint">{record.type} · {texts.version(record.version)} · {texts.changed_by(who(record), time(record.changed_at))}</p>
      {theirs ? (
        <section class="card" role="alert">
          <p>{texts.stale(who(theirs))}</p>
          <dl>
            <dt>{texts.theirs}</dt>
            <dd>{theirs.title}</dd>
            <dt>{texts.mine}</dt>
            <dd>{title}</dd>
          </dl>
          <p class="buttons">
            <button type="button" disabled={busy} onClick={() => save(theirs)}>{texts.keep_mine}</button>
            <button type="button" class="quiet" disabled={busy} onClick={() => show(theirs)}>{texts.take_theirs}</button>
          </p>
          <ProblemText problem={problem} />
        </section>
      ) : me.user.role !== "viewer" && (
        <Form does={texts.save} busy={busy} problem={problem} submit={() => save(record)} fields={["title"]}>
          <Field label={texts.record_title} name="title" value={title} set={setTitle} required problem={problem} />
        </Form>
      )}
      <p role="status">{saved && texts.saved}</p>
    </main>
  );
}
