import { advanceId, formatId, type Id, readId } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";

/** The messages of one topic that were committed together, as they travel live. */
export interface Frame {
  readonly kind: "frame";
  readonly topic: string;
  /** Id of the frame before it in the partition's log. */
  readonly logPrevious: Id;
  /** Id of the message before it in its topic. */
  readonly topicPrevious: Id;
  readonly first: Id;
  readonly last: Id;
  readonly count: number;
  /** Unset where the frame was too large to travel and carries ids only. */
  readonly messages?: readonly StoredMessage[];
}

/** A message that was never stored. */
export interface EphemeralFrame {
  readonly kind: "ephemeral";
  readonly topic: string;
  readonly message: StoredMessage;
}

/** Proof that the feed's link carries everything up to the clock. */
export interface Probe {
  readonly kind: "probe";
  readonly generation: number;
  readonly clock: Id;
  readonly number: number;
}

/** Work of a group may be due. */
export interface WakeFrame {
  readonly kind: "wake";
  /** The group's key, `<topic or pattern>|<name>`. */
  readonly group: string;
  /** From when on, in milliseconds since 1970 on Redis's clock. */
  readonly due: number;
}

/** A reply to a request of this process. */
export interface ReplyFrame {
  readonly kind: "reply";
  /** The request's id. */
  readonly id: string;
  /** Which of the request's replies it is, from 1 on. */
  readonly index: number;
  /** When it was taken, in milliseconds since 1970 on Redis's clock. */
  readonly time: number;
  /** Unset where it was too large to travel and is only kept with the request. */
  readonly body?: string;
}

/** How many have confirmed a message that a publisher of this process waits for. */
export interface ConfirmationFrame {
  readonly kind: "confirmation";
  /** The message's id. */
  readonly id: string;
  readonly count: number;
}

/** A message that was put off is due, and none was due earlier. */
export interface LaterFrame {
  readonly kind: "later";
  /** When, in milliseconds since 1970 on Redis's clock. */
  readonly due: number;
}

/** The partition has left the place that this came from. */
export interface MovedFrame {
  readonly kind: "moved";
}

/** What goes to processes rather than to the subscribers of a topic; {@link WakeFrame} goes to both. */
export type Notice = WakeFrame | ReplyFrame | ConfirmationFrame | LaterFrame | MovedFrame;

/** Writes an ephemeral frame; the counterpart of {@link readFrame} for messages that no script stores. */
export function ephemeralFrame(topic: string, message: { time: number; body: string }): string {
  return `E ${message.time} ${topic}\n${message.body}`;
}

/**
 * Reads what came on a channel: `F`, `X` or `I <log previous> <topic previous> <first> <count> <time> <topic>` and for
 * each message a line, its body (`F`), `[<expires>] <body>` (`X`) or none (`I`), `E <time> <topic>` and a body, `P <generation> <clock> <number>`,
 * `W <due> <group>`, `R <request> <index> <time>` and perhaps a body, `C <message> <count>`, `L <due>`, or `M`.
 *
 * @throws TypeError where it is none of these
 */
export function readFrame(payload: string): Frame | EphemeralFrame | Probe | Notice {
  const lines = payload.split("\n");
  const head = (lines[0] ?? "").split(" ");
  switch (head[0]) {
    case "F":
    case "X":
    case "I":
      return readStored(head, lines);
    case "E":
      return readEphemeral(head, lines);
    case "P":
      return readProbe(head);
    case "W":
    case "R":
    case "C":
    case "L":
    case "M":
      return readNotice(head, lines[1]);
    default:
      throw new TypeError("Cannot read a frame: its kind is unknown");
  }
}

function readStored(head: string[], lines: string[]): Frame {
  const [
    kind,
    logPrevious = "",
    topicPrevious = "",
    firstText = "",
    countText,
    timeText,
    topic = "",
  ] = head;
  const first = readId(firstText);
  const count = Number(countText);
  const time = Number(timeText);
  const whole = kind === "I" || lines.length === count + 1;
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(time) || !whole) {
    throw new TypeError("Cannot read a frame: its numbers are none");
  }
  const frame = {
    kind: "frame" as const,
    topic,
    logPrevious: readId(logPrevious),
    topicPrevious: readId(topicPrevious),
    first,
    last: advanceId(first, count - 1),
    count,
  };
  if (kind === "I") return frame;
  const messages: StoredMessage[] = [];
  for (let i = 0; i < count; i++) {
    const line = lines[i + 1] ?? "";
    const space = kind === "X" ? line.indexOf(" ") : -1;
    messages.push({
      id: formatId(advanceId(first, i)),
      topic,
      time,
      body: line.slice(space + 1),
      ...(space > 0 ? { expires: Number(line.slice(0, space)) } : {}),
    });
  }
  return { ...frame, messages };
}

function readEphemeral([, timeText, topic = ""]: string[], lines: string[]): EphemeralFrame {
  const time = Number(timeText);
  const [, body] = lines;
  if (!Number.isSafeInteger(time) || topic === "" || body === undefined) {
    throw new TypeError("Cannot read a frame: it is no ephemeral message");
  }
  return { kind: "ephemeral", topic, message: { id: null, topic, time, body } };
}

function readProbe([, generationText, clock = "", numberText]: string[]): Probe {
  const [generation, number] = [Number(generationText), Number(numberText)];
  if (!Number.isSafeInteger(generation) || !Number.isSafeInteger(number)) {
    throw new TypeError("Cannot read a frame: it is no probe");
  }
  return { kind: "probe", generation, clock: readId(clock), number };
}

function readNotice(
  [kind, first = "", second = "", third = ""]: string[],
  body: string | undefined,
): Notice {
  switch (kind) {
    case "W":
      return { kind: "wake", due: readNumber(first), group: readWord(second) };
    case "C":
      return { kind: "confirmation", id: readWord(first), count: readNumber(second) };
    case "L":
      return { kind: "later", due: readNumber(first) };
    case "M":
      return { kind: "moved" };
    default:
      return {
        kind: "reply",
        id: readWord(first),
        index: readNumber(second),
        time: readNumber(third),
        ...(body === undefined ? {} : { body }),
      };
  }
}

function readNumber(text: string): number {
  const number = text === "" ? NaN : Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new TypeError("Cannot read a frame: its numbers are none");
}

function readWord(text: string): string {
  if (text !== "") return text;
  throw new TypeError("Cannot read a frame: a name is missing");
}
