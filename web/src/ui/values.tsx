// The fields of a form: one for each kind of value. What is wrong with a value is said where it is.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type Problem, refused } from "../api.ts";
import { type Choice, type FieldOf, type Form, type Values, isAsked, label } from "../forms.ts";
import { useLanguage, useTexts } from "../texts.ts";

interface Props {
  form: Form;
  values: Values;
  set: (values: Values) => void;
  people: Map<string, string>;
  problem: Problem | null;
}

/** All fields that are asked for. */
export function ValueFields({ form, values, set, people, problem }: Props) {
  const fields = form.fields ?? [];
  return (
    <>
      {fields.filter((it) => isAsked(fields, it, values)).map((it) => (
        <ValueField key={it.name} field={it} value={values[it.name]} people={people} problem={problem}
          pointer={`/fields/${it.name}`} set={(value) => set({ ...values, [it.name]: value })} />
      ))}
    </>
  );
}

interface FieldProps {
  field: FieldOf;
  value: unknown;
  set: (value: unknown) => void;
  people: Map<string, string>;
  problem: Problem | null;
  pointer: string;
}

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
/** An empty field has no value. */
const orNone = (value: string): string | null => (value === "" ? null : value);

function ValueField(props: FieldProps) {
  const language = useLanguage();
  const texts = useTexts();
  const id = useId();
  const { field, value, set, people, problem, pointer } = props;
  const name = label(field.labels, language) || field.name;
  const wrong = refused(texts, problem, pointer);
  const about = { id, "aria-invalid": wrong ? true : undefined, "aria-describedby": wrong ? `${id}-wrong` : undefined };
  const help = label(field.help, language);
  const named = field.unit ? `${name} (${field.unit})` : name;
  const framed = (children: ComponentChildren) => (
    <div class="field">
      <label for={id}>{named}{field.required && <span class="hint"> {texts.required}</span>}</label>
      {children}
      {help && <p class="hint">{help}</p>}
      {wrong && <p class="wrong" id={`${id}-wrong`}>{wrong}</p>}
    </div>
  );
  const grouped = (children: ComponentChildren) => (
    <fieldset class="field">
      <legend>{named}{field.required && <span class="hint"> {texts.required}</span>}</legend>
      {children}
      {help && <p class="hint">{help}</p>}
      {wrong && <p class="wrong">{wrong}</p>}
    </fieldset>
  );
  const input = (type: "text" | "date" | "time") => framed(
    <input {...about} type={type as "text"} value={text(value)} autocomplete="off"
      onInput={(event) => set(orNone(event.currentTarget.value))} />,
  );
  switch (field.kind) {
    case "heading": return <h2>{name}</h2>;
    case "text": case "code": return input("text");
    case "number": return framed(<NumberInput about={about} value={value} set={set} step={step(field.decimals)} />);
    case "date": return input("date");
    case "time": return input("time");
    case "long_text": return framed(
      <textarea {...about} rows={3} value={text(value)} onInput={(event) => set(orNone(event.currentTarget.value))} />,
    );
    case "yes_no": return framed(
      <Options about={about} value={value === true ? "true" : value === false ? "false" : ""}
        options={[["true", texts.yes], ["false", texts.no]]} set={(it) => set(it === null ? null : it === "true")} />,
    );
    case "choice": return framed(
      <Options about={about} value={text(value)} options={named_(field.options, language)} set={set} />,
    );
    case "person": return framed(
      <Options about={about} value={text(value)} options={[...people]} set={set} />,
    );
    case "choices": return grouped(<Choices {...props} />);
    case "checklist": return grouped(<Checklist {...props} />);
    case "table": return grouped(<Rows {...props} />);
    default: return value === undefined || value === null
      ? null
      : framed(<output {...about} class="hint">{JSON.stringify(value)}</output>);
  }
}

function named_(choices: Choice[] | undefined, language: "sv" | "en" | "de"): [string, string][] {
  return (choices ?? []).map((it) => [it.name, label(it.labels, language) || it.name]);
}

/** What is typed stays as it is typed: 0.0 is on its way to 0.05. */
function NumberInput({ about, value, set, step }: { about: Record<string, unknown>; value: unknown; set: (value: unknown) => void; step: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, type] = useState(text(value));
  useEffect(() => {
    // Somebody else has changed it, or it was never typed here.
    if (input.current && number(input.current) !== (value ?? null)) type(text(value));
  }, [value]);
  return (
    <input {...about} ref={input} type="number" inputMode="decimal" step={step} value={typed} autocomplete="off"
      onInput={(event) => {
        type(event.currentTarget.value);
        set(number(event.currentTarget));
      }} />
  );
}

/** What is no number is sent as it is, so that the service says what is wrong. */
function number(input: HTMLInputElement): number | string | null {
  if (input.value === "") return input.validity.badInput ? "?" : null;
  return Number(input.value);
}

const step = (decimals?: number): string => (decimals === undefined ? "any" : String(10 ** -decimals));

interface OptionsProps {
  about: Record<string, unknown>;
  value: string;
  options: [string, string][];
  set: (value: string | null) => void;
}

function Options({ about, value, options, set }: OptionsProps) {
  return (
    <select {...about} value={value} onChange={(event) => set(orNone(event.currentTarget.value))}>
      <option value="">–</option>
      {options.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
    </select>
  );
}

function Choices({ field, value, set }: FieldProps) {
  const language = useLanguage();
  const chosen = Array.isArray(value) ? (value as string[]) : [];
  const toggle = (name: string) => set(chosen.includes(name) ? chosen.filter((it) => it !== name) : [...chosen, name]);
  return (
    <>
      {named_(field.options, language).map(([name, text]) => (
        <label key={name} class="ticked">
          <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {text}
        </label>
      ))}
    </>
  );
}

type Line = { verdict?: string | null; remark?: string | null };

function Checklist({ field, value, set }: FieldProps) {
  const language = useLanguage();
  const texts = useTexts();
  const lines = (value ?? {}) as Record<string, Line>;
  const change = (name: string, line: Line) => set({ ...lines, [name]: { ...lines[name], ...line } });
  const verdicts: [string, string][] = [["ok", texts.verdict_ok], ["not_ok", texts.verdict_not_ok], ["not_applicable", texts.verdict_not_applicable]];
  return (
    <>
      {named_(field.lines, language).map(([name, text]) => (
        <fieldset key={name} class="line">
          <legend>{text}</legend>
          <div class="tabs">
            {verdicts.map(([verdict, said]) => (
              <label key={verdict}>
                <input type="radio" name={`${field.name}-${name}`} checked={lines[name]?.verdict === verdict}
                  onChange={() => change(name, { verdict })} />
                {said}
              </label>
            ))}
          </div>
          <input aria-label={`${text}: ${texts.remark}`} placeholder={texts.remark} value={lines[name]?.remark ?? ""}
            onInput={(event) => change(name, { remark: orNone(event.currentTarget.value) })} />
        </fieldset>
      ))}
    </>
  );
}

function Rows(props: FieldProps) {
  const texts = useTexts();
  const { field, value, set, pointer } = props;
  const rows = Array.isArray(value) ? (value as Values[]) : [];
  return (
    <>
      {rows.map((row, at) => (
        <div key={at} class="card">
          {(field.columns ?? []).map((column) => (
            <ValueField key={column.name} {...props} field={column} value={row[column.name]}
              pointer={`${pointer}/${at}/${column.name}`}
              set={(it) => set(rows.map((other, n) => (n === at ? { ...other, [column.name]: it } : other)))} />
          ))}
          <p><button type="button" class="quiet" onClick={() => set(rows.filter((_, n) => n !== at))}>{texts.remove}</button></p>
        </div>
      ))}
      <p><button type="button" class="quiet" onClick={() => set([...rows, {}])}>{texts.add_row}</button></p>
    </>
  );
}
