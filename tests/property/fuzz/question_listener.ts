/** Hears the questions of a run while they still wait for an answer. */
import type { Fetch } from "../../_support/http.ts";
import { HERE } from "./fuzz_route.ts";
import { ASKED } from "./names.ts";

/** Options of {@link listenForQuestions}. */
export interface QuestionListenerOptions {
  readonly fetch: Fetch;
  /** Headers of the subscription, such as credentials. @default none */
  readonly headers?: readonly (readonly [string, string])[];
  /** Told of each question as soon as it is heard. */
  readonly onText: (text: string) => void;
}

/** Subscribes to where questions go; disposing it ends that. */
export async function listenForQuestions(
  { fetch, headers = [], onText }: QuestionListenerOptions,
): Promise<AsyncDisposable> {
  const url = `${HERE}/subscribe?topic=${ASKED}`;
  const { body } = await fetch(
    new Request(url, { headers: headers.map(([name, value]): [string, string] => [name, value]) }),
  );
  const reader = (body ?? new Blob().stream()).pipeThrough(new TextDecoderStream()).getReader();
  const listening = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onText(value);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      await reader.cancel();
      await listening;
    },
  };
}
