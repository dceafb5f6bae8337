import { type Host, madeBy } from "./host.ts";

/** Deno Deploy, at console.deno.com. */
export const denoDeploy: Host = {
  name: "deno",
  title: "Deno Deploy",
  facts: [
    "It runs Deno 2.5 with all permissions and takes no flags: all functions are one app, behind one handler",
    "An app is stopped when nothing was sent for 5 seconds to 10 minutes: heartbeats keep open streams there",
    "It may be moved at any time: SIGINT, and five seconds later the end. Streams end with $bye and resume",
    "Where nobody asks, nothing runs: delayed messages and retention wait for the next request",
  ],
  variables: [
    { name: "REDIS_URL", value: "rediss://…", why: "a Redis that is reached from the internet" },
    { name: "RUNNEL_AUTH", value: "keys", why: "who is let in; or jwt, or jwt,keys" },
    { name: "RUNNEL_STREAM_SECONDS", value: "600", why: "streams end well before they are cut" },
    {
      name: "RUNNEL_CORS_ORIGINS",
      value: "https://app.example.com",
      why: "pages elsewhere that may use it",
    },
  ],
  steps: [
    "deno task deploy:check deno --write .   # makes deno_deploy.ts, the entrypoint",
    "In the app's configuration: no framework preset, runtime dynamic, entrypoint deno_deploy.ts",
    'or in deno.json: "deploy": { "runtime": { "type": "dynamic", "entrypoint": "./deno_deploy.ts" } }',
    "In the app's settings: the variables above, for the context Production; then push, or: deno deploy",
  ],
  address: "https://<app>.<org>.deno.net/publish/topic1",
  stream: {
    advised: 600,
    most: undefined,
    why: "the app may be moved at any time, and a stream that lasts for ever ends where it hurts",
  },
  foreignPages: false,
  files: ({ toRepository }) => [{
    path: "deno_deploy.ts",
    text: `${madeBy("//")}
import functions from "${toRepository("", "functions/main.ts")}";

Deno.serve((request) => functions.fetch(request));
`,
  }],
};
