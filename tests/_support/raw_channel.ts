/** What really travels on Redis channels, seen by a client that is not Runnel's. */
import { Redis } from "ioredis";
import { parseRedisUrl } from "../../lib/redis/address.ts";
import { clientOptions } from "../../lib/redis/connection.ts";
import { until } from "./until.ts";

/** An open subscription to channels. Disposing it closes its connection. */
export interface RawChannel extends AsyncDisposable {
  /** What came so far, in order. */
  readonly payloads: readonly { readonly channel: string; readonly text: string }[];
  /** Waits until this many came on a channel and gives them. */
  texts(channel: string, count: number): Promise<string[]>;
}

/** Subscribes to channels; resolves when Redis has confirmed them. */
export async function listenRaw(url: string, channels: readonly string[]): Promise<RawChannel> {
  const address = parseRedisUrl(url);
  const timeouts = { connectTimeoutMs: 2_000, commandTimeoutMs: 5_000 };
  const client = new Redis({
    ...clientOptions({ address, connections: 1, ...timeouts }),
    retryStrategy: () => null,
  });
  const payloads: { channel: string; text: string }[] = [];
  client.on("error", () => {});
  client.on("message", (channel: string, text: string) => void payloads.push({ channel, text }));
  await client.connect();
  await client.subscribe(...channels);
  const on = (channel: string) =>
    payloads.filter((one) => one.channel === channel).map(({ text }) => text);
  return {
    payloads,
    texts: (channel, count) =>
      until(() => on(channel).length >= count && on(channel), { what: `${count} on ${channel}` }),
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => client.once("end", resolve));
      client.disconnect();
      await ended;
    },
  };
}
