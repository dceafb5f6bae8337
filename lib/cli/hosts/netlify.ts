import { type Host, madeBy } from "./host.ts";

/** Netlify Edge Functions. */
export const netlify: Host = {
  name: "netlify",
  title: "Netlify Edge Functions",
  facts: [
    "A request may take 50 milliseconds of processor time, streams too: it is for publishing and short streams",
    "The headers of an answer must come within 40 seconds: keep waitMs of /pull and timeoutMs of /request below",
    "An edge function is a function with a path: /runnel/* goes to all of Runnel, and the rest to your site",
    "Variables in netlify.toml do not reach it: set them in the site's settings, with the scope Functions",
    "Imports are mapped by deno_import_map in netlify.toml; imports of deno.json are not read",
    "Nothing says that connections by TCP are possible, which Redis needs: try that first",
  ],
  variables: [
    { name: "REDIS_URL", value: "rediss://…", why: "a Redis that is reached from the internet" },
    { name: "RUNNEL_AUTH", value: "keys", why: "who is let in; or jwt, or jwt,keys" },
    { name: "RUNNEL_STREAM_SECONDS", value: "30", why: "a stream's processor time adds up" },
    { name: "REDIS_CONNECTIONS", value: "1", why: "instances are many and short" },
  ],
  steps: [
    "deno task deploy:check netlify --write .   # makes netlify.toml and netlify/edge-functions/runnel.ts",
    "netlify env:set RUNNEL_AUTH keys --scope functions   # and so on with the variables above",
    "netlify deploy --prod",
  ],
  address: "https://<site>.netlify.app/runnel/publish/topic1",
  stream: {
    advised: 30,
    most: undefined,
    why: "a request has 50 ms of processor time, which a long stream uses up",
  },
  foreignPages: false,
  files: ({ toRepository }) => [
    {
      path: "netlify.toml",
      text: `${madeBy("#")}

[build]
edge_functions = "netlify/edge-functions"

[functions]
deno_import_map = "${toRepository("", "import_map.json")}"

[[edge_functions]]
function = "runnel"
path = "/runnel/*"
`,
    },
    {
      path: "netlify/edge-functions/runnel.ts",
      text: `${madeBy("//")}
import functions from "${toRepository("netlify/edge-functions", "functions/main.ts")}";

export default (request: Request): Promise<Response> => functions.fetch(request);
`,
    },
  ],
};
