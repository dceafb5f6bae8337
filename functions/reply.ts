import { type App, app } from "../lib/app.ts";
import { replySchema } from "../lib/broker/request_input.ts";
import { readJson } from "../lib/http/body.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";

/** `POST /reply`: hands a reply to whoever waits for it; the address, which cannot be guessed, is all that it needs. */
export function replyRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "reply",
      handle: async (context) => {
        const runnel = await source();
        readQuery(context, {});
        const { bodyBytes: maxBytes } = runnel.config.limits;
        const input = await readJson(context.request, { maxBytes, schema: replySchema });
        await runnel.broker.reply(input);
        return jsonResponse({}, 202);
      },
    },
  ];
}

export default {
  fetch: createHandler(replyRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
