import { useState } from "preact/hooks";
import { type Problem, call, logIn } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { go } from "../router.ts";
import { useTexts } from "../texts.ts";
import { Field, Form, PasswordField, useAction } from "../ui/form.tsx";

export function SignIn({ signedIn, isEnded }: { signedIn: () => Promise<void>; isEnded: boolean }) {
  const texts = useTexts();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [companies, setCompanies] = useState<Problem["companies"]>();
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const enter = (customer?: string) =>
    run(async () => {
      const answer = await attempt.send([name, password, customer], (key) =>
        logIn(name, password, key, customer));
      if (answer.ok) {
        attempt.done();
        await signedIn();
        return null;
      }
      if (answer.problem.code === "choose_company") {
        setCompanies(answer.problem.companies);
        return null;
      }
      return answer.problem;
    });
  if (companies) {
    return (
      <main>
        <h1>{texts.choose_company}</h1>
        <ul class="choices">
          {companies.map((it) => (
            <li key={it.customer_id}>
              <button type="button" disabled={busy} onClick={() => enter(it.customer_id)}>{it.name}</button>
            </li>
          ))}
        </ul>
      </main>
    );
  }
  return (
    <main>
      <h1>{texts.sign_in_title}</h1>
      {isEnded && <p role="alert">{texts.problem_no_session} {texts.kept_here}</p>}
      <Form does={texts.sign_in} busy={busy} problem={problem} submit={() => enter()} fields={["sign_in_name"]}>
        <Field label={texts.sign_in_name} name="sign_in_name" value={name} set={setName} required
          hint={texts.sign_in_name_hint} complete="username" problem={problem} />
        <PasswordField label={texts.password} name="password" value={password} set={setPassword} />
      </Form>
      <p><a href="/password">{texts.forgot}</a></p>
      <p><a href="/sign-up">{texts.create_account}</a></p>
    </main>
  );
}

/** Logs somebody in who has just chosen a password, and goes to work. */
export async function enterAs(name: string, password: string, customer: string | undefined, signedIn: () => Promise<void>): Promise<Problem | null> {
  const answer = await logIn(name, password, crypto.randomUUID(), customer);
  if (!answer.ok) return answer.problem;
  go("/");
  await signedIn();
  return null;
}

/** A problem: the service was not reached, and the log-in stands. */
export async function logOut(): Promise<Problem | null> {
  const answer = await call("DELETE", "/v1/session");
  return answer.ok || answer.problem.status === 401 ? null : answer.problem;
}
