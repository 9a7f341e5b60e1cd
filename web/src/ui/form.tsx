// What forms are made of: a label, its field, a hint, and what is wrong with it, said where it is.

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { type Problem, said } from "../api.ts";
import { useTexts } from "../texts.ts";

interface FieldProps {
  label: string;
  name: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  type?: "text" | "email" | "number" | "date" | "search";
  complete?: string;
  required?: boolean;
  problem?: Problem | null;
  max?: number;
  min?: number;
}

/** The text of a problem that is about this field; the others are said below the form. */
function useFieldProblem(name: string, problem?: Problem | null): string | null {
  const texts = useTexts();
  if (!problem || problem.field !== `/${name}`) return null;
  return problem.rule ? said(texts, problem) : problem.detail;
}

interface FrameProps {
  id: string;
  hint?: string;
  wrong: string | null;
}

/** What is around a field: its label, a hint, and what is wrong with it. */
function Framed({ id, label, hint, wrong, children }: FrameProps & { label: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {wrong && <p class="wrong" id={`${id}-wrong`}>{wrong}</p>}
    </div>
  );
}

function describedBy({ id, hint, wrong }: FrameProps): string | undefined {
  return [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined;
}

export function Field({ label, name, value, set, hint, problem, complete, type = "text", ...rest }: FieldProps) {
  const id = useId();
  const wrong = useFieldProblem(name, problem);
  return (
    <Framed {...{ id, label, hint, wrong }}>
      <input
        id={id}
        name={name}
        type={type as "text"}
        value={value}
        autocomplete={complete ?? "off"}
        autocapitalize={complete ? "none" : undefined}
        aria-describedby={describedBy({ id, hint, wrong })}
        aria-invalid={wrong ? true : undefined}
        onInput={(event) => set(event.currentTarget.value)}
        {...rest}
      />
    </Framed>
  );
}

/** A password: it may be pasted, and looked at. */
export function PasswordField({ label, name, value, set, hint, problem, complete }: FieldProps) {
  const texts = useTexts();
  const id = useId();
  const [shown, show] = useState(false);
  const wrong = useFieldProblem(name, problem);
  return (
    <Framed {...{ id, label, hint, wrong }}>
      <div class="joined">
        <input
          id={id}
          name={name}
          type={(shown ? "text" : "password") as "password"}
          value={value}
          autocomplete={complete ?? "current-password"}
          autocapitalize="none"
          spellcheck={false}
          required
          aria-describedby={describedBy({ id, hint, wrong })}
          aria-invalid={wrong ? true : undefined}
          onInput={(event) => set(event.currentTarget.value)}
        />
        <button type="button" class="quiet" onClick={() => show(!shown)}>
          {shown ? texts.hide_password : texts.show_password}
        </button>
      </div>
    </Framed>
  );
}

interface SelectProps {
  label: string;
  value: string;
  set: (value: string) => void;
  options: [value: string, text: string][];
}

export function Select({ label, value, set, options }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </div>
  );
}

interface FormProps {
  /** What the button says. */
  does: string;
  busy: boolean;
  problem?: Problem | null;
  /** The fields of the form, whose problems are said there. */
  fields?: string[];
  submit: () => void;
  children: ComponentChildren;
}

export function Form({ does, busy, problem, fields = [], submit, children }: FormProps) {
  return (
    <form
      noValidate={false}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) submit();
      }}
    >
      {children}
      <ProblemText problem={problem && fields.includes(problem.field?.slice(1) ?? "") ? null : problem} />
      <button type="submit" disabled={busy}>{does}</button>
    </form>
  );
}

export function ProblemText({ problem }: { problem?: Problem | null }) {
  const texts = useTexts();
  return <div role="alert">{problem && <p class="wrong">{said(texts, problem)}</p>}</div>;
}

/** Does something once at a time, and keeps its problem. */
export function useAction(): {
  busy: boolean;
  problem: Problem | null;
  run: (action: () => Promise<Problem | null>) => Promise<void>;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    busy,
    problem,
    async run(action) {
      setBusy(true);
      try {
        setProblem(await action());
      } catch (error) {
        // Nothing that is asked of the service throws: it is the device that could not keep something.
        setProblem({ status: 0, code: "storage", detail: String(error), request_id: "" });
      }
      setBusy(false);
    },
  };
}
