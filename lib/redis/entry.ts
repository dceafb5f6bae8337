import { type Id, readId } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";

/** One entry of a topic's stream. */
export interface TopicEntry {
  readonly id: Id;
  /** Id of the topic's message before it; trimming has removed it where it is not in the stream. */
  readonly previous: Id;
  /** Its number within the topic, from 1. */
  readonly number: number;
  readonly message: StoredMessage;
}

/** One entry of the log: a frame of `count` messages of `topic`, from `first` to `last`. */
export interface LogEntry {
  readonly topic: string;
  readonly first: Id;
  readonly last: Id;
  readonly count: number;
  /** Bytes of its bodies. */
  readonly bytes: number;
  /** Id of the log entry before it. */
  readonly previous: Id;
}

/** An entry as the client gives it: its id and a flat list of names and values. */
export type RawEntry = [id: string, fields: string[]];

/** Reads an entry of a topic's stream. */
export function readTopicEntry(topic: string, [text, fields]: RawEntry): TopicEntry {
  const id = readId(text);
  let body = "", previous = "", number = 0, time = id.ms;
  let expires: number | undefined;
  let key: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] ?? "";
    switch (fields[i]) {
      case "m":
        body = value;
        break;
      case "p":
        previous = value;
        break;
      case "s":
        number = Number(value);
        break;
      case "x":
        expires = Number(value);
        break;
      case "t":
        time = Number(value);
        break;
      case "k":
        key = value;
        break;
    }
  }
  const message = {
    id: text,
    topic,
    time,
    body,
    ...(expires === undefined ? {} : { expires }),
    ...(key === undefined ? {} : { key }),
  };
  return { id, previous: readId(previous), number, message };
}

/** Reads an entry of the log. */
export function readLogEntry([id, fields]: RawEntry): LogEntry {
  const values: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) values[fields[i] ?? ""] = fields[i + 1] ?? "";
  return {
    topic: values.t ?? "",
    first: readId(values.f ?? ""),
    last: readId(id),
    count: Number(values.n),
    bytes: Number(values.b),
    previous: readId(values.p ?? ""),
  };
}
