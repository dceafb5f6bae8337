import { useState } from "preact/hooks";
import { refusedText } from "../credential_words.ts";
import type { Session } from "../session.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";

const MAKE_KEY = 'deno task keys create <name> --manage --publish "**" --subscribe "**"';

/** Asks for a key or a token. */
export function SignIn(
  { session, wanted }: { readonly session: Session; readonly wanted: string },
) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const text = token.trim().replace(/^Bearer\s+/i, "");
    if (!/^[\x21-\x7e]+$/.test(text)) {
      return setError("Paste a key or a token: letters, digits and signs, in one line");
    }
    setBusy(true);
    setError(undefined);
    try {
      await session.signIn(text);
    } catch (error) {
      setError(refusedText(error));
      setBusy(false);
    }
  };
  return (
    <form class="card padded stack sign-in" onSubmit={submit}>
      <div class="stack close">
        <h1>Sign in</h1>
        <p class="muted small">{wanted}. An API key or a token says who you are.</p>
      </div>
      <Field
        label="Key or token"
        error={error}
        hint="It is kept in this tab alone, until you sign out or close it."
      >
        {(control) => (
          <input
            {...control}
            type="password"
            name="token"
            autocomplete="off"
            autofocus
            spellcheck={false}
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        )}
      </Field>
      <Button kind="primary" type="submit" disabled={isBusy}>Sign in</Button>
      <p class="muted small">
        A key is made on the server: <code>{MAKE_KEY}</code>
      </p>
    </form>
  );
}
