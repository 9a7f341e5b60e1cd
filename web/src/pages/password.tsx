import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { usePlace } from "../router.ts";
import { useTexts } from "../texts.ts";
import { Form, PasswordField, useAction } from "../ui/form.tsx";
import { AskForLetter } from "./sign-up.tsx";

export function Password() {
  const texts = useTexts();
  const { token } = usePlace();
  if (!token) {
    return <AskForLetter title={texts.reset_title} intro={texts.reset_intro} path="/v1/password-reset-requests" />;
  }
  return <SetPassword token={token} />;
}

function SetPassword({ token }: { token: string }) {
  const texts = useTexts();
  const [password, setPassword] = useState("");
  const [done, setDone] = useState(false);
  const { busy, problem, run } = useAction();
  const set = () =>
    run(async () => {
      const answer = await call("POST", "/v1/password-resets", { body: { token, new_password: password } });
      if (!answer.ok) return answer.problem;
      setDone(true);
      return null;
    });
  if (done) {
    return (
      <main>
        <h1>{texts.reset_title}</h1>
        <p role="status">{texts.reset_done}</p>
        <p><a href="/">{texts.sign_in}</a></p>
      </main>
    );
  }
  return (
    <main>
      <h1>{texts.reset_title}</h1>
      <Form does={texts.set_password} busy={busy} problem={problem} submit={set} fields={["new_password"]}>
        <PasswordField label={texts.new_password} name="new_password" value={password} set={setPassword}
          hint={texts.new_password_hint} complete="new-password" problem={problem} />
      </Form>
    </main>
  );
}
