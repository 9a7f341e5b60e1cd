// One record: what is in it, where it stands, and what somebody else has changed meanwhile.

import { useEffect, useState } from "preact/hooks";
import { type Me, type Problem, type RecordOf, call } from "../api.ts";
import { type Draft, type Form as FormOf, type TypeOf, changed, conflicts, draftOf, label, merged, patch } from "../forms.ts";
import { useLanguage, useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";
import { ValueFields } from "../ui/values.tsx";
import { usePeople } from "./records.tsx";

export function RecordPage({ id, me }: { id: string; me: Me }) {
  const texts = useTexts();
  const language = useLanguage();
  const time = useTime();
  const { names, colleagues } = usePeople();
  const [record, setRecord] = useState<RecordOf | null>(null);
  const [form, setForm] = useState<FormOf | null>(null);
  const [about, setAbout] = useState<RecordOf | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [theirs, setTheirs] = useState<RecordOf | null>(null);
  const [saved, setSaved] = useState(false);
  const { busy, problem, run } = useAction();
  const path = `/v1/records/${id}`;
  const show = (it: RecordOf) => {
    setRecord(it);
    setDraft(draftOf(it));
    setTheirs(null);
  };
  useEffect(() => void run(async () => {
    const answer = await call<RecordOf>("GET", path);
    if (!answer.ok) return answer.problem;
    const it = answer.body;
    if (it.type_version) {
      const type = await call<TypeOf>("GET", `/v1/types/${it.type}?version=${it.type_version}`);
      if (type.ok) setForm(type.body.form);
    }
    if (it.about) {
      const thing = await call<RecordOf>("GET", `/v1/records/${it.about}`);
      if (thing.ok) setAbout(thing.body);
    }
    show(it);
    return null;
  }), [id]);
  /** Saves what was changed since `base`. What others have changed meanwhile stays, unless it is the same. */
  const save = (base: RecordOf, wanted: Draft) =>
    run(async (): Promise<Problem | null> => {
      setSaved(false);
      const body = patch(draftOf(base), wanted);
      const answer = await call<RecordOf>("PATCH", path, { body, version: base.version });
      if (answer.ok) {
        show(answer.body);
        setSaved(true);
        return null;
      }
      const current = answer.problem.code === "stale_version" ? answer.problem.current : undefined;
      if (!current) return answer.problem;
      if (conflicts(draftOf(base), wanted, draftOf(current)).length > 0) {
        setTheirs(current);
        return null;
      }
      const both = merged(draftOf(base), wanted, draftOf(current), () => true);
      const again = await call<RecordOf>("PATCH", path, { body: patch(draftOf(current), both), version: current.version });
      if (!again.ok) return again.problem;
      show(again.body);
      setSaved(true);
      return null;
    });
  if (!record || !draft) return <main>{problem ? <ProblemText problem={problem} /> : <p>{texts.loading}</p>}</main>;
  const who = (it: RecordOf) => names.get(it.changed_by) || texts.somebody;
  const typeName = label(form?.labels, language) || record.type;
  const state = form?.states?.find((it) => it.name === record.state);
  const mayChange = me.user.role !== "viewer";
  const isChanged = changed(draftOf(record), draft).length > 0;
  return (
    <main>
      <p><a href="/">{texts.back}</a></p>
      <h1>{record.title}</h1>
      <p class="hint">
        {[record.number, typeName, texts.version(record.version), texts.changed_by(who(record), time(record.changed_at))].filter(Boolean).join(" · ")}
      </p>
      {about && <p>{texts.about} <a href={`/records/${about.id}`}>{about.title}</a></p>}
      {state && (
        <p class="buttons">
          <strong class={state.open ? "state" : "state done"}>{label(state.labels, language) || state.name}</strong>
          {mayChange && !theirs && (state.next ?? []).map((name) => {
            const next = form?.states?.find((it) => it.name === name);
            return (
              <button key={name} type="button" class="quiet" disabled={busy} onClick={() => save(record, { ...draft, state: name })}>
                {texts.move_to(label(next?.labels, language) || name)}
              </button>
            );
          })}
        </p>
      )}
      {theirs
        ? <Disputed {...{ base: record, mine: draft, theirs, form, busy, problem }} who={who(theirs)}
            keepMine={() => save(theirs, merged(draftOf(record), draft, draftOf(theirs), () => true))}
            takeTheirs={() => save(theirs, merged(draftOf(record), draft, draftOf(theirs), () => false))} />
        : mayChange && (
          <Form does={texts.save} busy={busy} problem={problem} submit={() => save(record, draft)} fields={["title"]}>
            <Field label={texts.record_title} name="title" value={draft.title} set={(title) => setDraft({ ...draft, title })} required problem={problem} />
            {form && <ValueFields form={form} values={draft.fields} set={(fields) => setDraft({ ...draft, fields })} people={colleagues} problem={problem} />}
            <Select label={texts.assignee} value={draft.assignees[0] ?? ""}
              set={(it) => setDraft({ ...draft, assignees: it ? [it, ...draft.assignees.slice(1).filter((other) => other !== it)] : [] })}
              options={[["", texts.nobody], ...colleagues]} />
            <Field label={texts.due} name="due" type="date" value={draft.due ?? ""} set={(due) => setDraft({ ...draft, due: due || null })} problem={problem} />
          </Form>
        )}
      <p role="status">{saved && !isChanged && texts.saved}</p>
    </main>
  );
}

interface DisputedProps {
  base: RecordOf;
  mine: Draft;
  theirs: RecordOf;
  form: FormOf | null;
  who: string;
  busy: boolean;
  problem: Problem | null;
  keepMine: () => void;
  takeTheirs: () => void;
}

/** What two people have changed, side by side. */
function Disputed({ base, mine, theirs, form, who, busy, problem, keepMine, takeTheirs }: DisputedProps) {
  const texts = useTexts();
  const language = useLanguage();
  const disputed = conflicts(draftOf(base), mine, draftOf(theirs));
  const name = (member: string) => {
    const field = form?.fields?.find((it) => `fields/${it.name}` === member);
    const known: Record<string, string> = { title: texts.record_title, due: texts.due, assignees: texts.assignee, state: texts.which };
    return label(field?.labels, language) || known[member] || member;
  };
  const shown = (draft: Draft, member: string): string => {
    const [place, field] = member.split("/", 2);
    const value = place === "fields" && field ? draft.fields[field] : draft[member as keyof Draft];
    if (value === undefined || value === null || value === "") return "–";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  return (
    <section class="card" role="alert">
      <p>{texts.stale(who)}</p>
      {disputed.map((member) => (
        <dl key={member}>
          <dt>{name(member)}, {texts.theirs}</dt>
          <dd>{shown(draftOf(theirs), member)}</dd>
          <dt>{name(member)}, {texts.mine}</dt>
          <dd>{shown(mine, member)}</dd>
        </dl>
      ))}
      <p class="buttons">
        <button type="button" disabled={busy} onClick={keepMine}>{texts.keep_mine}</button>
        <button type="button" class="quiet" disabled={busy} onClick={takeTheirs}>{texts.take_theirs}</button>
      </p>
      <ProblemText problem={problem} />
    </section>
  );
}
