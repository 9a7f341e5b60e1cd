// One record: what is in it, where it stands, what is said about it, and what somebody else has changed meanwhile.

import { useEffect, useState } from "preact/hooks";
import { type Me, type Problem, type RecordOf, call, said } from "../api.ts";
import { type Draft, type Form as FormOf, type TypeOf, changed, draftOf, label, missing, valueOf } from "../forms.ts";
import type { Entry } from "../sync/kept.ts";
import { useDevice, useFact, useKept } from "../sync/use.ts";
import { useLanguage, useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";
import { ValueFields } from "../ui/values.tsx";
import { Comments } from "./comments.tsx";
import { usePeople, useTypes } from "./records.tsx";

/** What somebody has begun to change, and what they had seen. */
interface Begun {
  base: Draft;
  draft: Draft;
}

export function RecordPage({ id, me }: { id: string; me: Me }) {
  const texts = useTexts();
  const language = useLanguage();
  const time = useTime();
  const device = useDevice();
  const { names, colleagues } = usePeople();
  const kept = useKept(({ engine }) => engine.view(id));
  const [older, setOlder] = useState<RecordOf | "looking" | undefined>("looking");
  const record = kept ?? (older === "looking" ? undefined : older);
  const entries = useKept(({ engine }) => engine.entries().filter((it) => it.record === id));
  const types = useTypes();
  const newest = types?.find((it) => it.type === record?.type);
  // Of a record that was written under an earlier version of its type, that one counts.
  const isOlder = types !== null && record?.type_version !== undefined && newest?.version !== record.type_version;
  const earlier = useFact<TypeOf>(isOlder ? `/v1/types/${record?.type}?version=${record?.type_version}` : null);
  const type = record?.type_version === undefined ? undefined : isOlder ? earlier : newest;
  const about = useKept(({ engine }) => (record?.about ? engine.view(record.about) : undefined));
  const [begun, setBegun] = useState<Begun | null>(null);
  const [wrong, setWrong] = useState<Problem | null>(null);
  const [isSaved, setSaved] = useState(false);
  const { busy, problem, run } = useAction();
  const path = `record/${id}`;
  useEffect(() => {
    device.draft<Begun>(path).then((it) => it && setBegun(it));
    // What the device does not keep, the service has.
    if (device.engine.view(id)) setOlder(undefined);
    else device.fetch(id).then(setOlder);
  }, [device, id]);
  const isRefused = entries.some((it) => it.halted && "problem" in it.halted);
  useEffect(() => {
    if (isRefused) setSaved(false);
  }, [isRefused]);
  if (!record) return <main><p>{older === "looking" ? texts.loading : texts.problem_not_found}</p></main>;

  const form: FormOf | null = type?.form ?? null;
  const refused = entries.find((it) => it.halted && "problem" in it.halted);
  const disputed = entries.find((it) => it.halted && "disputed" in it.halted);
  const refusal = refused?.halted && "problem" in refused.halted ? refused.halted.problem : null;
  const draft = begun?.draft ?? draftOf(record);
  const base = begun?.base ?? draftOf(record);
  const isChanged = changed(base, draft).length > 0;
  const write = (more: Partial<Draft>) => {
    const next = { base, draft: { ...draft, ...more } };
    setBegun(next);
    setSaved(false);
    void device.keepDraft(path, next);
  };
  const forgetDraft = async () => {
    setBegun(null);
    await device.dropDraft(path);
  };
  /** Keeps what is wanted. A refused change is made again as it is wanted now. */
  const save = (wanted: Draft) =>
    run(async () => {
      setWrong(null);
      const isToClose = form?.states?.some((it) => it.name === wanted.state && !it.open) ?? false;
      const lacks = isToClose ? missing(form, wanted.fields) : [];
      if (lacks.length > 0) {
        setWrong({ status: 422, code: "invalid_field", detail: "", request_id: "", errors: lacks });
        return null;
      }
      const isAmended = refused !== undefined && (await device.decide((engine) => engine.amend(refused.id, wanted)));
      if (!isAmended && changed(base, wanted).length > 0) {
        if (!kept) await device.decide((engine) => engine.keepRecord(record));
        const state = form?.states?.find((it) => it.name === wanted.state);
        await device.act(id, { kind: "change", base, wanted, ...(state ? { open: state.open } : {}) });
      }
      await forgetDraft();
      setSaved(true);
      return null;
    });
  const changedBy = names.get(record.changed_by) || texts.somebody;
  const state = form?.states?.find((it) => it.name === record.state);
  const mayChange = me.user.role !== "viewer";
  return (
    <main>
      <p><a href="/">{texts.back}</a></p>
      <h1>{record.title}</h1>
      <p class="hint">
        {[record.number, label(form?.labels, language) || record.type, record.version > 0 && texts.version(record.version),
          record.changed_by && texts.changed_by(changedBy, time(record.changed_at)), entries.length > 0 && texts.not_sent_yet].filter(Boolean).join(" · ")}
      </p>
      {record.about && <p>{texts.about} <a href={`/records/${record.about}`}>{about?.title ?? record.about}</a></p>}
      {refused && refusal && <Refused entry={refused} problem={refusal} />}
      {disputed && <Disputed entry={disputed} form={form} names={names} />}
      {state && (
        <p class="buttons">
          <strong class={state.open ? "state" : "state done"}>{label(state.labels, language) || state.name}</strong>
          {mayChange && !disputed && (state.next ?? []).map((name) => {
            const next = form?.states?.find((it) => it.name === name);
            return (
              <button key={name} type="button" class="quiet" disabled={busy} onClick={() => save({ ...draft, state: name })}>
                {texts.move_to(label(next?.labels, language) || name)}
              </button>
            );
          })}
        </p>
      )}
      {begun && isChanged && !isSaved && <p class="hint">{texts.unfinished}</p>}
      {mayChange && !disputed && (
        <Form does={texts.save} busy={busy} problem={problem ?? wrong} submit={() => save(draft)} fields={["title"]}>
          <Field label={texts.record_title} name="title" value={draft.title} set={(title) => write({ title })} required problem={refusal} />
          {form && <ValueFields form={form} values={draft.fields} set={(fields) => write({ fields })} people={colleagues} problem={wrong ?? refusal} />}
          <Select label={texts.assignee} value={draft.assignees[0] ?? ""}
            set={(it) => write({ assignees: it ? [it, ...draft.assignees.slice(1).filter((other) => other !== it)] : [] })}
            options={[["", texts.nobody], ...colleagues]} />
          <Field label={texts.due} name="due" type="date" value={draft.due ?? ""} set={(due) => write({ due: due || null })} problem={refusal} />
        </Form>
      )}
      <p role="status">{isSaved && !isChanged && !refused && !disputed && (entries.length > 0 ? texts.saved_here : texts.saved)}</p>
      {record.version > 0 && <Follow record={id} />}
      <Comments record={id} mayComment={mayChange} names={names} colleagues={colleagues} />
    </main>
  );
}

/** Whether somebody is told of what others do to the record. It takes a connection: nobody is told anything without one. */
function Follow({ record }: { record: string }) {
  const texts = useTexts();
  const path = `/v1/records/${record}/follow`;
  const told = useFact<{ follows: boolean }>(path);
  const [chosen, choose] = useState<boolean | null>(null);
  const { busy, problem, run } = useAction();
  const follows = chosen ?? told?.follows;
  const toggle = () =>
    run(async () => {
      const answer = await call("PUT", path, { body: { follows: !follows } });
      if (!answer.ok) return answer.problem;
      choose(!follows);
      return null;
    });
  if (follows === undefined) return null;
  return (
    <>
      <p><button type="button" class="quiet" disabled={busy} onClick={toggle}>{follows ? texts.unfollow : texts.follow}</button></p>
      <ProblemText problem={problem} />
    </>
  );
}

/** What the service refuses, and what its person may do about it. */
function Refused({ entry, problem }: { entry: Entry; problem: Problem }) {
  const texts = useTexts();
  const device = useDevice();
  const throwAway = () => {
    if (confirm(texts.throw_away_sure)) void device.decide((engine) => engine.discard(entry.id));
  };
  return (
    <section class="card" role="alert">
      <p>{said(texts, problem)}</p>
      <p class="buttons">
        <button type="button" onClick={() => device.decide((engine) => engine.retry(entry.id))}>{texts.try_again}</button>
        <button type="button" class="quiet" onClick={throwAway}>{texts.throw_away}</button>
      </p>
    </section>
  );
}

/** What two people have changed, side by side: each is decided by itself. */
function Disputed({ entry, form, names }: { entry: Entry; form: FormOf | null; names: Map<string, string> }) {
  const texts = useTexts();
  const language = useLanguage();
  const device = useDevice();
  const now = useKept(({ engine }) => engine.records.get(entry.record));
  const disputed = entry.halted && "disputed" in entry.halted ? entry.halted.disputed : [];
  const [chosen, setChosen] = useState<Readonly<Record<string, boolean>>>({});
  if (!now || entry.deed.kind !== "change") return null;
  const { base, wanted } = entry.deed;
  const name = (member: string) => {
    const field = form?.fields?.find((it) => `fields/${it.name}` === member);
    const known: Record<string, string> = { title: texts.record_title, due: texts.due, assignees: texts.assignee, state: texts.which };
    return label(field?.labels, language) || known[member] || member;
  };
  const shown = (draft: Draft, member: string): string => {
    const value = valueOf(draft, member);
    if (value === null || value === "") return "–";
    if (Array.isArray(value)) return value.map((it) => names.get(String(it)) ?? String(it)).join(", ") || "–";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const choose = (member: string, isMine: boolean) => setChosen({ ...chosen, [member]: isMine });
  const decide = () => void device.decide((engine) => engine.resolve(entry.id, now, (member) => chosen[member] ?? false));
  return (
    <section class="card" role="alert">
      <p>{texts.stale(names.get(now.changed_by) || texts.somebody)}</p>
      {disputed.map((member) => (
        <fieldset key={member} class="sides">
          <legend>{name(member)}</legend>
          <p class="hint">{texts.before}: {shown(base, member)}</p>
          <label>
            <input type="radio" name={member} checked={chosen[member] === false} onChange={() => choose(member, false)} />
            <span><span class="hint">{texts.theirs}</span> {shown(draftOf(now), member)}</span>
          </label>
          <label>
            <input type="radio" name={member} checked={chosen[member] === true} onChange={() => choose(member, true)} />
            <span><span class="hint">{texts.mine}</span> {shown(wanted, member)}</span>
          </label>
        </fieldset>
      ))}
      <p><button type="button" disabled={disputed.some((it) => chosen[it] === undefined)} onClick={decide}>{texts.save}</button></p>
    </section>
  );
}
