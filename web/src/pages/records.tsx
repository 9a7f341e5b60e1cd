// The records that somebody looks for, and how a new one begins.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Me, type Person, type RecordOf, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { type TypeOf, type Values, defaults, label } from "../forms.ts";
import { go } from "../router.ts";
import { useLanguage, useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";
import { ValueFields } from "../ui/values.tsx";

interface People {
  /** What everybody is called who is or was here, by their id. */
  names: Map<string, string>;
  /** Those who are here. */
  colleagues: Map<string, string>;
}

export function usePeople(): People {
  const [people, setPeople] = useState<Person[]>([]);
  useEffect(() => {
    call<{ people: Person[] }>("GET", "/v1/people").then((answer) => {
      if (answer.ok) setPeople(answer.body.people);
    });
  }, []);
  const named = (some: Person[]) => new Map(some.map((it) => [it.id, it.name ?? ""]));
  return { names: named(people), colleagues: named(people.filter((it) => !it.removed)) };
}

/** The company's types; `null` until they are known. */
export function useTypes(): TypeOf[] | null {
  const [types, setTypes] = useState<TypeOf[] | null>(null);
  useEffect(() => {
    call<{ types: TypeOf[] }>("GET", "/v1/types").then((answer) => setTypes(answer.ok ? answer.body.types : []));
  }, []);
  return types;
}

interface Page {
  records: RecordOf[];
  next_cursor: string | null;
}

/** What is looked for. */
interface Question {
  words: string;
  type: string;
  which: "any" | "open" | "mine" | "due";
}

function queryOf({ words, type, which }: Question, me: Me): string {
  const query = new URLSearchParams({ limit: "50" });
  if (words.trim() !== "") query.set("words", words.trim());
  if (type) query.set("type", type);
  if (which !== "any") query.set("state", "open");
  if (which === "mine") query.set("assignee", me.user.id);
  if (which === "due") query.set("due_before", tomorrow());
  if (words.trim() === "" && which !== "due") query.set("order", "changed");
  return query.toString();
}

function tomorrow(): string {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  return day.toLocaleDateString("sv");
}

export function Records({ me }: { me: Me }) {
  const texts = useTexts();
  const language = useLanguage();
  const time = useTime();
  const types = useTypes();
  const [question, ask] = useState<Question>({ words: "", type: "", which: "any" });
  const [page, setPage] = useState<Page | null>(null);
  const newest = useRef("");
  const { busy, problem, run } = useAction();
  const query = queryOf(question, me);
  const load = (before: Page | null) =>
    run(async () => {
      newest.current = query;
      const at = before?.next_cursor ? `&cursor=${before.next_cursor}` : "";
      const answer = await call<Page>("GET", `/v1/records?${query}${at}`);
      // The answer to an earlier question comes too late.
      if (newest.current !== query) return null;
      if (!answer.ok) return answer.problem;
      setPage({ ...answer.body, records: [...(before?.records ?? []), ...answer.body.records] });
      return null;
    });
  useEffect(() => {
    // Not for each letter that somebody types.
    const waiting = setTimeout(() => void load(null), question.words === "" ? 0 : 200);
    return () => clearTimeout(waiting);
  }, [query]);
  const typeName = (name: string) => label(types?.find((it) => it.type === name)?.form.labels, language) || name;
  const stateName = (it: RecordOf) => {
    const states = types?.find((type) => type.type === it.type)?.form.states;
    return label(states?.find((state) => state.name === it.state)?.labels, language) || it.state;
  };
  return (
    <main>
      <h1>{texts.records}</h1>
      {me.user.role !== "viewer" && types && <NewRecord types={types} />}
      <search>
        <Field label={texts.search} name="words" type="search" value={question.words} set={(words) => ask({ ...question, words })} hint={texts.search_hint} />
        <div class="pair">
          <Select label={texts.which} value={question.which} set={(which) => ask({ ...question, which: which as Question["which"] })}
            options={[["any", texts.which_any], ["open", texts.which_open], ["mine", texts.which_mine], ["due", texts.which_due]]} />
          <Select label={texts.type} value={question.type} set={(type) => ask({ ...question, type })}
            options={[["", texts.all_types], ...(types ?? []).map((it): [string, string] => [it.type, typeName(it.type)])]} />
        </div>
      </search>
      <ProblemText problem={problem} />
      {page?.records.length === 0 && !page.next_cursor && (
        <p>{question.words || question.type || question.which !== "any" ? texts.nothing_found : texts.no_records}</p>
      )}
      <ul class="rows">
        {page?.records.map((it) => (
          <li key={it.id}>
            <a href={`/records/${it.id}`}>
              <strong>{it.number && <span class="number">{it.number}</span>} {it.title}</strong>
              <span>
                {[typeName(it.type), it.state && stateName(it), it.due && texts.due_on(it.due), time(it.changed_at)].filter(Boolean).join(" · ")}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {page?.next_cursor && <button type="button" class="quiet" disabled={busy} onClick={() => load(page)}>{texts.more}</button>}
    </main>
  );
}

function NewRecord({ types }: { types: TypeOf[] }) {
  const texts = useTexts();
  const language = useLanguage();
  const { colleagues } = usePeople();
  const offered = types.filter((it) => !it.form.retired);
  const [chosen, choose] = useState<TypeOf | undefined>(offered[0]);
  const [freeType, setFreeType] = useState("note");
  const [title, setTitle] = useState("");
  const [values, setValues] = useState<Values>(defaults(chosen?.form));
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const create = () =>
    run(async () => {
      const body = chosen
        ? { type: chosen.type, type_version: chosen.version, title, fields: values }
        : { type: freeType, title };
      const answer = await attempt.send(body, (key) =>
        call<RecordOf>("POST", "/v1/records", { body, key }));
      if (!answer.ok) return answer.problem;
      attempt.done();
      go(`/records/${answer.body.id}`);
      return null;
    });
  const select = (name: string) => {
    const type = offered.find((it) => it.type === name);
    choose(type);
    setValues(defaults(type?.form));
  };
  const options = offered.map((it): [string, string] => [it.type, label(it.form.labels, language) || it.type]);
  return (
    <details class="card">
      <summary>{texts.new_record}</summary>
      <Form does={texts.create_record} busy={busy} problem={problem} submit={create} fields={["type", "title"]}>
        {offered.length > 0
          ? <Select label={texts.type} value={chosen?.type ?? ""} set={select} options={options} />
          : <Field label={texts.type} name="type" value={freeType} set={setFreeType} required hint={texts.type_hint} problem={problem} />}
        <Field label={texts.record_title} name="title" value={title} set={setTitle} required problem={problem} />
        {chosen && <ValueFields form={chosen.form} values={values} set={setValues} people={colleagues} problem={problem} />}
      </Form>
    </details>
  );
}
