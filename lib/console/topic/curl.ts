import { payloadText, type RawMessage } from "./raw_message.ts";

const DEAD = "$dead.";
/** What a dead letter's headers say of its death. */
const DEATH = /^dead-(reason|group|deliveries|id)$/;

/** Most characters of a command's argument; Linux takes 128 KB. */
const ARGUMENT_MOST = 60_000;

/** A word for a POSIX shell that stands for exactly this text. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Where a message that is published again goes; undefined where nobody may publish. */
export function republishTopic(topic: string): string | undefined {
  const target = topic.startsWith(DEAD) ? topic.slice(DEAD.length) : topic;
  return target.startsWith("$") ? undefined : target;
}

/** The body of a `POST /publish` that publishes a message again; undefined where nobody may. */
export function republishBody(message: RawMessage): string | undefined {
  const topic = republishTopic(message.topic);
  if (topic === undefined) return undefined;
  const isDead = topic !== message.topic;
  const { type, key, contentType, isBinary } = message;
  const kept = Object.entries(message.headers ?? {}).filter(([name]) =>
    !isDead || !DEATH.test(name)
  );
  const headers = kept.length === 0 ? undefined : Object.fromEntries(kept);
  const head = JSON.stringify({ topic, type, key, headers, contentType }).slice(0, -1);
  // as it was written: parsing would change numbers
  return `${head},"${isBinary ? "dataBase64" : "data"}":${payloadText(message)}}`;
}

/**
 * A command for a POSIX shell that publishes a message again; undefined where nobody may publish.
 *
 * @param base where the functions are, with a slash at the end
 * @param withToken whether it needs a credential, which it takes from `RUNNEL_TOKEN`
 */
export function curlCommand(
  message: RawMessage,
  { base, withToken }: { readonly base: URL; readonly withToken: boolean },
): string | undefined {
  const body = republishBody(message);
  if (body === undefined) return undefined;
  const words = ["curl", shellQuote(new URL("publish", base).href)];
  words.push("-H", shellQuote("content-type: application/json"));
  if (withToken) words.push("-H", '"authorization: Bearer $RUNNEL_TOKEN"');
  if (body.length <= ARGUMENT_MOST) return [...words, "--data-raw", shellQuote(body)].join(" ");
  // the body has no line of its own that could end it
  return [...words, "--data-binary", "@-", "<<'JSON'\n"].join(" ") + body + "\nJSON";
}
