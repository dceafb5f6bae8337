import { z } from "zod";
import { type ErrorCode, ERRORS } from "../errors.ts";

// the codes are the keys of a table that has no others
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** A problem document (RFC 9457): what every error is answered with. */
export const problemSchema = z.object({
  type: z.string().meta({ examples: ["urn:runnel:problem:invalid_request"] }),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What is wrong, for people." }),
  code: z.enum(CODES).meta({ description: "What is wrong, for programs." }),
  retryable: z.boolean().meta({ description: "Whether the same request can succeed later." }),
  errors: z.array(z.object({
    pointer: z.string().meta({
      description: "A JSON pointer, `?name` of a parameter, `/{name}` of the path, or a header.",
      examples: ["#/topic"],
    }),
    detail: z.string(),
  })).optional().meta({ description: "The fields at fault." }),
  requestId: z.string().optional().meta({ description: "Also the header `x-request-id`." }),
  id: z.string().optional().meta({
    description: "Of `not_replicated`: the message, which is stored.",
  }),
  replicas: z.int().min(0).optional().meta({
    description: "Of `not_replicated`: how many replicas have it.",
  }),
}).meta({ id: "Problem", description: "A problem document (RFC 9457)." });
