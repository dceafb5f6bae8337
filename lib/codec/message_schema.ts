import { z } from "zod";

const id = z.string().nullable().meta({
  description:
    "`<ms>-<seq>`, rising within a partition; null for an ephemeral message and a reply.",
  examples: ["1767225600000-65536"],
});

/** A message as subscribers get it: what {@link messageJson} writes. */
export const messageSchema = z.object({
  id,
  topic: z.string().meta({ examples: ["orders.eu"] }),
  time: z.iso.datetime().meta({
    description: "When it was published, on Redis's clock.",
    examples: ["2026-01-01T00:00:00.000Z"],
  }),
  type: z.string().optional().meta({ examples: ["order-placed"] }),
  key: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  contentType: z.string().optional().meta({
    description: "The payload's media type, where it is not JSON's.",
  }),
  replyTo: z.string().optional().meta({ description: "Where `POST /reply` sends an answer." }),
  data: z.unknown().optional().meta({ description: "The payload, any JSON value." }),
  dataBase64: z.string().optional().meta({
    description: "A binary payload, in place of `data`.",
    contentEncoding: "base64",
  }),
}).meta({
  id: "Message",
  description: "A message as subscribers get it, with exactly one of `data` and `dataBase64`.",
});

/** A message that was leased to a group's consumer. */
export const leasedMessageSchema = messageSchema.extend({
  deliveries: z.int().min(1).meta({ description: "How often it was given out, with this time." }),
  lease: z.string().optional().meta({
    description: "What holds it, for `POST /ack`; of a pulled message the answer says it once.",
  }),
  leaseUntil: z.iso.datetime().optional(),
}).meta({ id: "LeasedMessage", description: "A message that was leased to a group's consumer." });
