import { z } from "zod";
import { SPEC_VERSION } from "./cloud_event.ts";

const text = z.string().min(1);

const base = z.object({
  specversion: z.literal(SPEC_VERSION),
  id: text.meta({ examples: ["A-1"] }),
  source: text.meta({
    description: "A URI reference; together with `id` it tells the event from every other.",
    examples: ["/shop"],
  }),
  type: text.meta({ examples: ["order.created"] }),
  time: text.optional().meta({
    description: "A time of RFC 3339.",
    examples: ["2026-01-01T00:00:00Z"],
  }),
  subject: text.optional(),
  dataschema: text.optional().meta({ description: "A URI." }),
  datacontenttype: text.optional().meta({
    description: "The media type of `data`; JSON's if not given.",
  }),
  partitionkey: text.optional().meta({ description: "The message's key." }),
  data: z.unknown().optional().meta({
    description: "Any JSON value; a text where `datacontenttype` is not JSON's.",
  }),
  data_base64: z.string().optional().meta({
    description: "Bytes, in place of `data`.",
    contentEncoding: "base64",
  }),
});
const extension = z.union([z.string(), z.int32(), z.boolean()]);

/** A CloudEvent as JSON as a publisher sends it, for the API's description. */
export const eventSchema = base.extend({
  topic: text.optional().meta({
    description: "Where it goes, if the path names no topic; an extension of Runnel's.",
    examples: ["orders.eu"],
  }),
}).catchall(extension).meta({
  id: "CloudEvent",
  description: "A CloudEvent of version 1.0 as JSON; further attributes are extensions.",
});

/** A message as subscribers get it with `format=cloudevents`: what `eventJson` writes. */
export const deliveredEventSchema = base.extend({
  runnelid: text.optional().meta({
    description: "The message's id, for `POST /ack`; an ephemeral message has none.",
    examples: ["1767225600000-65536"],
  }),
  runneltopic: text.meta({ examples: ["orders.eu"] }),
  runnelcursor: text.optional().meta({
    description: "Of a line, where there are several partitions: where the subscription stands.",
  }),
  runneldeliveries: z.int().min(1).optional().meta({
    description: "With `group`: how often it was given out, with this time.",
  }),
  runnellease: text.optional().meta({ description: "With `group`: what holds it." }),
  runnelleaseuntil: z.iso.datetime().optional(),
  runnelreplyto: text.optional().meta({ description: "Where `POST /reply` sends an answer." }),
}).catchall(extension).meta({
  id: "DeliveredCloudEvent",
  description: "A message as a CloudEvent of version 1.0; further attributes are extensions.",
});
