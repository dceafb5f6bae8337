import type { Command } from "../command.ts";
export const deployCheck: Command = {
  name: "deploy:check",
  usage: "deploy:check",
  summary: "Says what Deno Deploy, Supabase and Netlify need, and checks it",
  examples: ["deno task deploy:check"],
  options: {},
  positionals: { least: 0, most: 3 },
  run: () => Promise.resolve(0),
};
