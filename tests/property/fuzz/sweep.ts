/** Makes Runnel empty again. */
import { type Answer, type Fetch, send, type SendOptions } from "../../_support/http.ts";
import { HERE } from "./fuzz_route.ts";

/** Options of {@link sweep}. */
export interface SweepOptions {
  readonly fetch: Fetch;
  /** Headers of all requests, such as credentials. @default none */
  readonly headers?: readonly (readonly [string, string])[];
}

/** No path leads to these: whatever writes a URL takes them for steps in it. */
const UNREACHABLE = [".", ".."];

/** Deletes every topic and every group that Runnel tells of, through its API. */
export async function sweep({ fetch, headers = [] }: SweepOptions): Promise<void> {
  const call = (path: string, options: SendOptions = {}): Promise<Answer> =>
    send(`${HERE}/topics${path}`, { ...options, fetch, headers: Object.fromEntries(headers) });
  const { body } = await call("?limit=1000");
  // as GET /topics gives them
  const topics = (body.topics as { topic: string }[]).map(({ topic }) => topic);
  for (const topic of topics.filter((name) => !UNREACHABLE.includes(name))) {
    const path = `/${encodeURIComponent(topic)}`;
    const { body } = await call(path);
    // as GET /topics/{topic} gives them; none where it has gone meanwhile
    const groups = (body.groups ?? []) as { topic: string; group: string }[];
    for (const { topic, group } of groups) {
      const of = `/${encodeURIComponent(topic)}/groups/${encodeURIComponent(group)}`;
      await call(of, { method: "DELETE" });
    }
    await call(path, { method: "DELETE" });
  }
}
