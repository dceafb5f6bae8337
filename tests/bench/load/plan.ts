/** What a load process is told to do (as JSON in its first argument) and what it answers (a JSON line). */

import type { Effort } from "./effort.ts";

/** A closed loop: each connection sends the next request when the last one is answered. */
export interface RequestPlan {
  readonly role: "requests";
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Bodies that the connections send in turn, as JSON texts. */
  readonly bodies: readonly string[];
  /** Header lines, of which the requests take turns. @default none */
  readonly headers?: readonly string[];
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Readers of a stream while a closed loop publishes; what counts is what arrives. */
export interface FanOutPlan {
  readonly role: "fanout";
  readonly port: number;
  readonly publishPath: string;
  readonly streamPath: string;
  readonly streamKind: StreamKind;
  readonly publishers: number;
  readonly subscribers: number;
  /** Further subscribers, which read a byte a second and whose messages do not count. @default 0 */
  readonly slow?: number;
  /** One message or several; the text of each holds {@link MARK} once. */
  readonly body: string;
  /** Bytes from one mark in the stream to the next at least. */
  readonly marksApart: number;
  /** Requests that a publisher sends in one write and has answered before the next. */
  readonly pipeline: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What messages travel in: Server-Sent Events, or Socket.IO over WebSocket alone. */
export type StreamKind = "sse" | "socket.io";

/** A fixed rate of messages over HTTP: to the topic `latency`, or in turn to `latency.<n>`; each topic has one subscriber. */
export interface LatencyPlan {
  readonly role: "latency";
  readonly port: number;
  readonly publishPath: string;
  /** Without a query. */
  readonly streamPath: string;
  /** @default 1 */
  readonly topics?: number;
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** The same over bare Redis Pub/Sub. */
export interface PubSubLatencyPlan {
  readonly role: "pubsub_latency";
  readonly port: number;
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Publishers and subscribers that go on until stdin ends; each line there is answered with a {@link TrafficCount}. */
export interface TrafficPlan {
  readonly role: "traffic";
  readonly port: number;
  /** Bodies of `POST /publish` that are sent in turn; the text of each holds {@link MARK} once. */
  readonly bodies: readonly string[];
  /** Sends each body to so many topics in turn, `<topic>.<n>` in place of its own. @default its own alone */
  readonly topics?: number;
  /** Bytes of JSON that the data of each body, an object, is filled up to. @default as they are */
  readonly dataBytes?: number;
  /** Sends so many copies of each body at a time, by `POST /batch`. @default 1, by `POST /publish` */
  readonly batch?: number;
  /** Connections that send as fast as they are answered, or so many messages a second. */
  readonly load: { readonly connections: number } | { readonly rate: number };
  readonly streams: readonly {
    readonly path: string;
    readonly count: number;
    /** Whether these read a byte a second, and what they get does not count. @default false */
    readonly slow?: boolean;
  }[];
  /** Whether the streams are read in turns, which costs less and is for counting alone. @default false */
  readonly turns?: boolean;
  /** Bytes from one mark in a stream to the next at least. @default 1 */
  readonly marksApart?: number;
}

/** What happened since the traffic began. */
export interface TrafficCount {
  /** Messages whose requests were answered. */
  readonly published: number;
  /** Messages that came to all subscribers together. */
  readonly delivered: number;
  /** Answers other than 2xx. */
  readonly failures: number;
  /** Seconds of CPU time that the load process has used. */
  readonly cpuSeconds: number;
}

/** Groups of publishers, each connection of them in a closed loop, at the same time. */
export interface GroupsPlan {
  readonly role: "groups";
  readonly port: number;
  readonly groups: readonly PublisherGroup[];
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Connections that post the same. */
export interface PublisherGroup {
  readonly connections: number;
  /** Bodies of `POST /publish` that are sent in turn. */
  readonly bodies: readonly string[];
}

/** What each group got, in order. */
export interface GroupsResult {
  readonly seconds: number;
  /** Milliseconds from request to answer, ascending. */
  readonly latenciesMs: readonly (readonly number[])[];
  /** Answers other than 2xx. */
  readonly failures: number;
}

/** One stream, read from its beginning until it has given so many messages. */
export interface ReplayPlan {
  readonly role: "replay";
  readonly port: number;
  readonly streamPath: string;
  readonly count: number;
}

/** The same messages read from their Redis stream, page after page. */
export interface PagesPlan {
  readonly role: "pages";
  /** Of Redis. */
  readonly port: number;
  readonly key: string;
  readonly count: number;
  /** Messages of a page. */
  readonly page: number;
}

/**
 * Subscribers that connect, wait for a line of stdin, and then all ask at once for what came after an event. Answers a
 * line when they are connected, and a {@link StormResult} when each has what it missed.
 */
export interface StormPlan {
  readonly role: "storm";
  readonly port: number;
  readonly streamPath: string;
  readonly subscribers: number;
  readonly lastEventId: string;
  /** Messages that each has missed; each has {@link MARK} once. */
  readonly missed: number;
}

/** Seconds from the first request until a subscriber had all that it missed: the one in the middle, and the last. */
export interface StormResult {
  readonly median: number;
  readonly last: number;
}

/** Streams that are opened and held until stdin ends. */
export interface IdlePlan {
  readonly role: "idle";
  readonly port: number;
  readonly streamPath: string;
  readonly subscribers: number;
}

/** A queue that is filled and then worked off, each message once. */
export interface WorkPlan {
  readonly role: "work";
  readonly system: WorkSystem;
  /** Of Runnel, or of Redis. */
  readonly port: number;
  readonly consumers: number;
  /** Messages that a consumer asks for at a time. */
  readonly batch: number;
  /** Messages that the queue is filled with. */
  readonly count: number;
  /** Of these, how many are worked off before the clock starts. */
  readonly warmUp: number;
}

/** What a queue can be made of: Runnel's groups, BullMQ, or the consumer groups of a bare Redis stream. */
export type WorkSystem = "runnel" | "bullmq" | "stream";

/** Requests that are answered, each requester sending the next when it has the reply. */
export interface RoundTripPlan {
  readonly role: "round_trip";
  readonly system: RoundTripSystem;
  /** Of Runnel, or of Redis. */
  readonly port: number;
  readonly inFlight: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Who answers: a subscriber of Runnel, a consumer of one of its groups, or a reader of a bare Redis list. */
export type RoundTripSystem = "subscriber" | "group" | "list";

/** Requests that are sent and held without an answer until stdin ends. */
export interface HoldPlan {
  readonly role: "hold";
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
}

/** Any of the roles. */
export type LoadPlan =
  | RequestPlan
  | FanOutPlan
  | LatencyPlan
  | PubSubLatencyPlan
  | TrafficPlan
  | GroupsPlan
  | ReplayPlan
  | PagesPlan
  | StormPlan
  | IdlePlan
  | WorkPlan
  | RoundTripPlan
  | HoldPlan;

/** A rate: what happened in how many seconds. */
export interface RateResult {
  readonly count: number;
  readonly seconds: number;
  /** Answers other than 2xx; a run with any is not worth its numbers. */
  readonly failures: number;
}

/** A rate, and what it took to make the load. */
export interface LoadedRate extends RateResult, Effort {}

/** Milliseconds from sending to receiving, ascending, and what it took to make the load. */
export interface LatencyResult extends Effort {
  readonly latenciesMs: readonly number[];
  readonly sent: number;
}

/**
 * Stands once in the data of each message, so that readers count messages by counting bytes; nothing else in a stream has
 * it, cursors neither.
 */
export const MARK = "^";
