import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { useTexts, useTime } from "../texts.ts";
import { Form, PasswordField, ProblemText, useAction } from "../ui/form.tsx";

interface SessionOf {
  id: string;
  device: string;
  used_at: string;
  current: boolean;
}

export function Account() {
  const texts = useTexts();
  return (
    <main>
      <h1>{texts.account}</h1>
      <ChangePassword />
      <Sessions />
    </main>
  );
}

function ChangePassword() {
  const texts = useTexts();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [done, setDone] = useState(false);
  const { busy, problem, run } = useAction();
  const change = () =>
    run(async () => {
      setDone(false);
      const body = { current_password: current, new_password: next };
      const answer = await call("PUT", "/v1/password", { body });
      if (!answer.ok) return answer.problem;
      setCurrent("");
      setNext("");
      setDone(true);
      return null;
    });
  return (
    <section>
      <h2>{texts.change_password}</h2>
      <Form does={texts.change_password} busy={busy} problem={problem} submit={change} fields={["new_password"]}>
        <PasswordField label={texts.current_password} name="current_password" value={current} set={setCurrent} />
        <PasswordField label={texts.new_password} name="new_password" value={next} set={setNext}
          hint={texts.new_password_hint} complete="new-password" problem={problem} />
      </Form>
      <p role="status">{done && texts.password_changed}</p>
    </section>
  );
}

function Sessions() {
  const texts = useTexts();
  const time = useTime();
  const [sessions, setSessions] = useState<SessionOf[]>([]);
  const { busy, problem, run } = useAction();
  const load = async () => {
    const answer = await call<{ sessions: SessionOf[] }>("GET", "/v1/sessions");
    if (!answer.ok) return answer.problem;
    setSessions(answer.body.sessions);
    return null;
  };
  useEffect(() => void run(load), []);
  const end = (which: string) =>
    run(async () => {
      const answer = await call("DELETE", `/v1/sessions${which}`);
      return answer.ok ? load() : answer.problem;
    });
  return (
    <section>
      <h2>{texts.sessions}</h2>
      <ProblemText problem={problem} />
      <ul class="rows">
        {sessions.map((it) => (
          <li key={it.id}>
            <div>
              <strong>{it.device}</strong>
              <span>{it.current ? texts.this_one : texts.last_used(time(it.used_at))}</span>
            </div>
            {!it.current && (
              <button type="button" class="quiet" disabled={busy} onClick={() => end(`?id=${it.id}`)}>{texts.end}</button>
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <button type="button" class="quiet" disabled={busy} onClick={() => end("")}>{texts.end_others}</button>
      )}
    </section>
  );
}
