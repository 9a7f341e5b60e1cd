// The records that somebody looks for, among those that the device keeps, and how a new one begins.

import { useEffect, useState } from "preact/hooks";
import { type Me, type Person, type RecordOf, call } from "../api.ts";
import { type Which, hasWords, isOne, prepare, todayOf, wordsAsked } from "../find.ts";
import { type TypeOf, type Values, defaults, label } from "../forms.ts";
import { go } from "../router.ts";
import type { CommentOf } from "../sync/kept.ts";
import { useDevice, useFact, useKept } from "../sync/use.ts";
import { useLanguage, useTexts, useTime } from "../texts.ts";
import { ulid } from "../ulid.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";
import { ValueFields } from "../ui/values.tsx";

/** So many rows are shown at first. */
const SHOWN = 50;

interface People {
  /** What everybody is called who is or was here, by their id. */
  names: Map<string, string>;
  /** Those who are here. */
  colleagues: Map<string, string>;
}

export function usePeople(): People {
  const people = useFact<{ people: Person[] }>("/v1/people")?.people ?? [];
  const named = (some: Person[]) => new Map(some.map((it) => [it.id, it.name ?? ""]));
  return { names: named(people), colleagues: named(people.filter((it) => !it.removed)) };
}

/** The company's types; `null` until they are known. */
export function useTypes(): TypeOf[] | null {
  return useFact<{ types: TypeOf[] }>("/v1/types")?.types ?? null;
}

/** Of days and times, which are written alike. */
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const FIGURES: Which[] = ["open", "mine", "overdue", "unassigned", "new", "closed"];

export function Records({ me }: { me: Me }) {
  const texts = useTexts();
  const language = useLanguage();
  const time = useTime();
  const types = useTypes();
  const [words, setWords] = useState("");
  const [type, setType] = useState("");
  const [which, setWhich] = useState<Which>("any");
  const [shown, show] = useState(SHOWN);
  const views = useKept((device) => device.engine.views());
  const isFilled = useKept((device) => device.engine.isFilled || device.status.reached !== "unknown");
  const said = useKept(({ engine }) => {
    const by = new Map<string, CommentOf[]>();
    for (const it of engine.comments.values()) {
      const others = by.get(it.record_id);
      if (others) others.push(it);
      else by.set(it.record_id, [it]);
    }
    return by;
  });
  const all = useDevice().engine;
  useEffect(() => prepare([...all.records.values(), ...all.comments.values()]), [all, views.length]);
  const waiting = useKept(({ engine }) => new Set(engine.entries().map((it) => it.record)));
  const today = todayOf(new Date());
  const count = (one: Which) => views.filter((it) => isOne(one, it, me.user.id, today)).length;
  const asked = wordsAsked(words);
  const found = views.filter((it) =>
    isOne(which, it, me.user.id, today) && (!type || it.type === type) && hasWords(it, said.get(it.id) ?? [], asked));
  const isByDay = which === "due" || which === "overdue";
  found.sort((one, other) => isByDay
    ? compare(one.due ?? "", other.due ?? "")
    : compare(other.changed_at, one.changed_at));
  const typeName = (name: string) => label(types?.find((it) => it.type === name)?.form.labels, language) || name;
  const stateName = (it: RecordOf) => {
    const states = types?.find((one) => one.type === it.type)?.form.states;
    return label(states?.find((state) => state.name === it.state)?.labels, language) || it.state;
  };
  const rowOf = (it: RecordOf) => (
    <li key={it.id}>
      <a href={`/records/${it.id}`}>
        <strong>{it.number && <span class="number">{it.number}</span>} {it.title}</strong>
        <span>
          {[typeName(it.type), it.state && stateName(it), it.due && texts.due_on(it.due), it.changed_at && time(it.changed_at),
            waiting.has(it.id) && texts.not_sent_yet].filter(Boolean).join(" · ")}
        </span>
      </a>
    </li>
  );
  return (
    <main>
      <h1>{texts.records}</h1>
      {views.length > 0 && (
        <nav class="figures" aria-label={texts.figures}>
          {FIGURES.map((one) => (
            <button key={one} type="button" class="quiet" aria-pressed={which === one} onClick={() => setWhich(which === one ? "any" : one)}>
              <strong>{count(one)}</strong> {texts[`figure_${one}` as "figure_open"]}
            </button>
          ))}
        </nav>
      )}
      {me.user.role !== "viewer" && types && <NewRecord types={types} />}
      <search>
        <Field label={texts.search} name="words" type="search" value={words} set={setWords} hint={texts.search_hint} />
        <div class="pair">
          <Select label={texts.which} value={which} set={(it) => setWhich(it as Which)}
            options={[["any", texts.which_any], ["open", texts.which_open], ["mine", texts.which_mine], ["due", texts.which_due],
              ["overdue", texts.figure_overdue], ["unassigned", texts.figure_unassigned], ["new", texts.figure_new], ["closed", texts.figure_closed]]} />
          <Select label={texts.type} value={type} set={setType}
            options={[["", texts.all_types], ...(types ?? []).map((it): [string, string] => [it.type, typeName(it.type)])]} />
        </div>
      </search>
      {!isFilled && <p>{texts.loading}</p>}
      {isFilled && found.length === 0 && <p>{words || type || which !== "any" ? texts.nothing_found : texts.no_records}</p>}
      <ul class="rows">{found.slice(0, shown).map(rowOf)}</ul>
      {found.length > shown && <button type="button" class="quiet" onClick={() => show(shown + SHOWN)}>{texts.more}</button>}
      {words.trim() !== "" && <Further key={words} words={words} known={new Set(found.map((it) => it.id))} rowOf={rowOf} />}
    </main>
  );
}

/** What only the service finds: records that are older than what the device keeps. */
function Further({ words, known, rowOf }: { words: string; known: Set<string>; rowOf: (it: RecordOf) => preact.JSX.Element }) {
  const texts = useTexts();
  const [found, setFound] = useState<RecordOf[] | null>(null);
  const { busy, problem, run } = useAction();
  const look = () =>
    run(async () => {
      const query = new URLSearchParams({ words: words.trim(), limit: "50" });
      const answer = await call<{ records: RecordOf[] }>("GET", `/v1/records?${query}`);
      if (!answer.ok) return answer.problem;
      setFound(answer.body.records.filter((it) => !known.has(it.id)));
      return null;
    });
  return (
    <>
      {found ? <ul class="rows">{found.map(rowOf)}</ul> : (
        <button type="button" class="quiet" disabled={busy} onClick={look}>{texts.look_further}</button>
      )}
      {found?.length === 0 && <p>{texts.nothing_found}</p>}
      <ProblemText problem={problem} />
    </>
  );
}

/** What is kept of a record that somebody has begun, and not created. */
interface Begun {
  /** The record's, so that it is made once, whenever the browser is killed. */
  id: string;
  type: string;
  /** The form that it was begun with: it stays, whatever becomes of the type. */
  of: TypeOf | null;
  title: string;
  values: Values;
}

function begin(type: TypeOf | undefined): Begun {
  return { id: ulid(), type: type?.type ?? "note", of: type ?? null, title: "", values: defaults(type?.form) };
}

const BEGUN = "new";

function NewRecord({ types }: { types: TypeOf[] }) {
  const texts = useTexts();
  const language = useLanguage();
  const device = useDevice();
  const { colleagues } = usePeople();
  const offered = types.filter((it) => !it.form.retired);
  const [begun, setBegun] = useState<Begun>(() => begin(offered[0]));
  const [isOpen, open] = useState(false);
  const { busy, problem, run } = useAction();
  useEffect(() => {
    device.draft<Begun>(BEGUN).then((it) => {
      if (!it) return;
      if (device.engine.view(it.id)) return device.dropDraft(BEGUN);
      setBegun(it);
      open(true);
    });
  }, [device]);
  const chosen = begun.of;
  const write = (more: Partial<Begun>) => {
    const next = { ...begun, ...more };
    setBegun(next);
    void device.keepDraft(BEGUN, next);
  };
  const create = () =>
    run(async () => {
      const { id } = begun;
      const state = chosen?.form.states?.[0];
      const content = { title: begun.title.trim(), fields: begun.values, state: state?.name ?? null, assignees: [], due: null };
      const version = chosen ? { type_version: chosen.version } : {};
      const open = state ? { open: state.open } : {};
      await device.act(id, { kind: "create", type: begun.type, content, ...version, ...open });
      await device.dropDraft(BEGUN);
      go(`/records/${id}`);
      return null;
    });
  const options = offered.map((it): [string, string] => [it.type, label(it.form.labels, language) || it.type]);
  return (
    <details class="card" open={isOpen} onToggle={(event) => open(event.currentTarget.open)}>
      <summary>{texts.new_record}</summary>
      <Form does={texts.create_record} busy={busy} problem={problem} submit={create} fields={["type", "title"]}>
        {offered.length > 0
          ? <Select label={texts.type} value={begun.type} options={options}
              set={(type) => write({ ...begin(offered.find((it) => it.type === type)), id: begun.id, title: begun.title })} />
          : <Field label={texts.type} name="type" value={begun.type} set={(type) => write({ type })} required hint={texts.type_hint} problem={problem} />}
        <Field label={texts.record_title} name="title" value={begun.title} set={(title) => write({ title })} required problem={problem} />
        {chosen && <ValueFields form={chosen.form} values={begun.values} set={(values) => write({ values })} people={colleagues} problem={problem} />}
      </Form>
    </details>
  );
}
