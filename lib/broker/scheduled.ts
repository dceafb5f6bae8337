import { z } from "zod";

/** What a publisher is told of a message that is kept for later. */
export const scheduledSchema = z.object({
  token: z.string().meta({ description: "What `DELETE /scheduled/{token}` cancels it with." }),
  at: z.iso.datetime().meta({ description: "When it is published." }),
}).meta({ id: "Scheduled" });

/** A message that is kept for later: what cancels it, and when it is due, in milliseconds since 1970. */
export interface Scheduled {
  readonly token: string;
  readonly at: number;
}

/** What a publisher is told of a message that is kept for later; nothing of others. */
export function scheduledJson(
  scheduled: Scheduled | undefined,
): { scheduled?: { token: string; at: string } } {
  if (scheduled === undefined) return {};
  const { token, at } = scheduled;
  return { scheduled: { token, at: new Date(at).toISOString() } };
}
