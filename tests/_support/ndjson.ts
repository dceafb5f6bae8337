/** Reading NDJSON answers in tests. */
import { deadline } from "./until.ts";

/** The JSON values of an NDJSON body, one a line, as they come. Ending the loop early cancels the body. */
export async function* ndjsonLines(
  response: Response,
  { timeoutMs = 10_000 } = {},
): AsyncGenerator<Record<string, unknown>> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    while (true) {
      const { done, value } = await deadline(reader.read(), timeoutMs, "an NDJSON line");
      text += value ?? "";
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line);
      if (!done) continue;
      if (text !== "") yield JSON.parse(text);
      return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** All values of an NDJSON body. */
export async function readNdjson(response: Response): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  for await (const line of ndjsonLines(response)) lines.push(line);
  return lines;
}
