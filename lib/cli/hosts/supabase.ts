import { type Host, type HostPlace, madeBy } from "./host.ts";

/** The function with all others in it: its address is the base address of a client. */
const ALL = "runnel";

/** Supabase Edge Functions. */
export const supabase: Host = {
  name: "supabase",
  title: "Supabase Edge Functions",
  facts: [
    "It runs about Deno 2.1. A worker lives for 150 seconds on the free plan, 400 on others, and has 256 MB",
    "A request may take 2 seconds of processor time, and its first byte must come within 150 seconds",
    "The path begins with the function's name: /functions/v1/publish/topic1. The function runnel is all of them",
    "By default it asks for a Supabase token itself: verify_jwt = false leaves that to Runnel",
    "Without a domain of your own it turns HTML into plain text: pages of Runnel, such as the console, are not shown",
    "There may be 100 secrets of 48 KiB; none may begin with SUPABASE_",
  ],
  variables: [
    { name: "REDIS_URL", value: "rediss://…", why: "a Redis that is reached from the internet" },
    { name: "RUNNEL_AUTH", value: "keys", why: "who is let in; or jwt, or jwt,keys" },
    { name: "RUNNEL_STREAM_SECONDS", value: "140", why: "below the life of a worker" },
    {
      name: "RUNNEL_CORS_ORIGINS",
      value: "https://app.example.com",
      why: "your pages: they are always of another origin",
    },
  ],
  steps: [
    "deno task deploy:check supabase --write .   # makes supabase/config.toml and supabase/functions/",
    "supabase secrets set --env-file .env --project-ref <ref>   # with the variables above",
    "supabase functions deploy --project-ref <ref>   # all; or one: supabase functions deploy runnel",
  ],
  address: "https://<ref>.supabase.co/functions/v1/runnel/publish/topic1",
  stream: { advised: 140, most: 400, why: "a worker lives for 150 seconds, or 400 on paid plans" },
  foreignPages: true,
  files(place) {
    const names = [ALL, ...place.functions];
    return [
      { path: "supabase/config.toml", text: configOf(names, place) },
      ...names.map((name) => ({
        path: `supabase/functions/${name}/index.ts`,
        text: wrapperOf(name, place),
      })),
    ];
  },
};

function configOf(names: readonly string[], { toRepository }: HostPlace): string {
  const tables = names.map((name) => `
[functions.${name}]
enabled = true
verify_jwt = false
import_map = "${toRepository("supabase", "import_map.json")}"
entrypoint = "./functions/${name}/index.ts"
`);
  return `${madeBy("#")}\n# Paths are relative to this file.\n${tables.join("")}`;
}

function wrapperOf(name: string, { toRepository }: HostPlace): string {
  const file = name === ALL ? "functions/main.ts" : `functions/${name}.ts`;
  return `${madeBy("//")}
import functions from "${toRepository(`supabase/functions/${name}`, file)}";

Deno.serve((request) => functions.fetch(request));
`;
}
