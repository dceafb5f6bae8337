import { type ApiKey, newKey } from "../../codec/api_key.ts";
import type { KeyRecord } from "../../redis/key_records.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { KeyDesk, toldInPart } from "../keys/key_desk.ts";
import { draftKey, endOf } from "../keys/key_draft.ts";
import { keyLine, viewOfKey, viewOfRecord } from "../keys/key_view.ts";
import { readRedisSettings, type RedisSettings } from "../redis_settings.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task keys`: API keys. */
export const keys: Command = {
  name: "keys",
  usage: "keys create|list|rotate|revoke [name]",
  summary: "Creates, lists, rotates and revokes API keys",
  details: `
It is one of these:
  keys create <name> --publish <topics> …   makes a key and prints it: KEY=$(deno task keys create …)
  keys list                                 says what each key may do
  keys rotate <name>                        prints a new text for it; the old one ends, after --grace where given
  keys revoke <name>                        ends it, and what was opened with it, within five seconds
A key is shown once: only its hash is kept. For <name> its id will do too, which stands in the key: rnk_<id>_…
Topics are separated by commas, and may be patterns: --publish "orders.*,news" --subscribe "**"
"**" stands for no topic with a leading $: to read dead letters, a key needs --subscribe '**,$dead.**'
Keys are in the Redis of REDIS_URL; unset, in that of deno task start. With create --print they are in RUNNEL_KEYS, and
Redis is not asked: stdout gets the JSON for it, stderr the key.
  deno task keys create ci --publish "**" --print >keys.json, then RUNNEL_AUTH=keys RUNNEL_KEYS=keys.json`,
  examples: [
    'deno task keys create checkout --publish "orders.*" --expires 90d',
    `KEY=$(deno task keys create reader --subscribe '**,$dead.**')`,
    "deno task keys list --json",
    "deno task keys rotate checkout --grace 1h",
    "deno task keys revoke checkout",
  ],
  options: {
    publish: { value: "<topics>", help: "create: where it may publish" },
    subscribe: { value: "<topics>", help: "create: what it may subscribe to and read" },
    consume: { value: "<topics>", help: "create: whose work it may take" },
    manage: { help: "create: it may also manage topics and groups" },
    expires: { value: "<time>", help: "create, rotate: it ends after this time, such as 30d" },
    print: { help: "create: print the entry for RUNNEL_KEYS, keep nothing in Redis" },
    grace: { value: "<time>", help: "rotate: how long the old text is taken too, such as 1h" },
    all: { help: "list: also those that were revoked" },
    json: { help: "Print JSON; list: a key a line" },
  },
  positionals: { least: 1, most: 2 },
  async run(input, terminal) {
    const [what = "", name] = input.positionals;
    const action = Object.hasOwn(ACTIONS, what) ? ACTIONS[what] : undefined;
    if (action === undefined) throw wrongCall(`Cannot ${what} keys`);
    if (action.takesName !== (name !== undefined)) {
      throw wrongCall(
        action.takesName ? "The name of the key is missing" : `Cannot make sense of "${name}"`,
      );
    }
    const foreign = Object.keys(keys.options).find((option) =>
      !action.options.includes(option) && (input.has(option) || input.text(option) !== undefined)
    );
    if (foreign !== undefined) throw wrongCall(`Cannot use --${foreign} with keys ${what}`);
    return await action.run({ name: name ?? "", input, terminal });
  },
};

interface Scene {
  readonly name: string;
  readonly input: CommandInput;
  readonly terminal: Terminal;
}

interface Action {
  readonly takesName: boolean;
  readonly options: readonly string[];
  readonly run: (scene: Scene) => Promise<number>;
}

const GRANTS = ["publish", "subscribe", "consume", "manage"];

const ACTIONS: Readonly<Record<string, Action>> = {
  create: { takesName: true, options: [...GRANTS, "expires", "print", "json"], run: create },
  list: { takesName: false, options: ["all", "json"], run: list },
  rotate: { takesName: true, options: ["grace", "expires", "json"], run: rotate },
  revoke: { takesName: true, options: ["json"], run: revoke },
};

async function create({ name, input, terminal }: Scene): Promise<number> {
  const made = newKey();
  const now = Date.now();
  const key = draftKey(input, { made, name, now });
  if (input.has("print")) {
    if (input.has("json")) {
      terminal.out(JSON.stringify({ name, id: key.id, key: made.text, keys: [key] }));
      return 0;
    }
    terminal.out(JSON.stringify([key]));
    terminal.err(`The key, which is not shown again: ${made.text}`);
    terminal.err("What stdout got is a RUNNEL_KEYS: as it is, or as a file that it names");
    return 0;
  }
  const settings = readRedisSettings();
  await using desk = new KeyDesk(settings);
  assertFree(name, { settings, records: await desk.records() });
  const unkept = await desk.keep({ id: key.id, at: now, createdAt: now, key });
  handOut({ name, id: key.id, text: made.text }, { settings, input, terminal });
  if (unkept.length > 0) throw toldInPart(unkept, "deno task keys list");
  return 0;
}

async function list({ input, terminal }: Scene): Promise<number> {
  const settings = readRedisSettings();
  await using desk = new KeyDesk(settings);
  const records = (await desk.records()).toSorted((a, b) => a.createdAt - b.createdAt);
  const now = Date.now();
  const views = [
    ...(settings.auth.keys ?? []).map((key) => viewOfKey(key, now)),
    ...records.map((record) => viewOfRecord(record, now)),
  ].filter(({ state }) => state !== "revoked" || input.has("all"));
  for (const view of views) {
    terminal.out(input.has("json") ? JSON.stringify(view) : keyLine(view, terminal));
  }
  if (views.length === 0) {
    terminal.err('There are no keys: deno task keys create <name> --publish "**"');
  }
  return 0;
}

async function rotate({ name, input, terminal }: Scene): Promise<number> {
  const now = Date.now();
  const end = endOf(input, { option: "expires", now });
  const until = endOf(input, { option: "grace", now });
  const settings = readRedisSettings();
  await using desk = new KeyDesk(settings);
  const { at, createdAt, key } = inUse(name, { settings, records: await desk.records() });
  const { previous: _, ...kept } = key;
  const made = newKey(key.id);
  const next: ApiKey = {
    ...kept,
    hash: made.hash,
    ...(end === undefined ? {} : { expiresAt: end }),
    ...(until === undefined ? {} : { previous: { hash: key.hash, until } }),
  };
  if (next.expiresAt !== undefined && next.expiresAt <= now) {
    throw new CliError(`The key ${key.name} has expired`, {
      advice: [`To have a new end too: deno task keys rotate ${key.name} --expires 30d`],
    });
  }
  const unkept = await desk.keep({ id: key.id, at: Math.max(now, at + 1), createdAt, key: next });
  handOut({ name: key.name, id: key.id, text: made.text }, { settings, input, terminal });
  if (unkept.length > 0) throw toldInPart(unkept, "deno task keys list");
  return 0;
}

async function revoke({ name, input, terminal }: Scene): Promise<number> {
  const settings = readRedisSettings();
  await using desk = new KeyDesk(settings);
  const records = await desk.records();
  const revoked = records.filter(({ key }) => key === undefined)
    .toSorted((a, b) => b.at - a.at)
    .find((one) => one.name === name || one.id === name);
  // whoever could not tell every Redis comes again
  const isAgain = revoked !== undefined && matching(name, records).length === 0;
  const record = isAgain ? revoked : revocationOf(inUse(name, { settings, records }));
  const unkept = await desk.keep(record);
  const text = `${record.name ?? record.id} is revoked: what is open with it ends within seconds`;
  const { name: named, id, at } = record;
  terminal.out(input.has("json") ? JSON.stringify({ name: named, id, revokedAt: at }) : text);
  if (unkept.length > 0) throw toldInPart(unkept, `deno task keys revoke ${name}`);
  return 0;
}

type UsedRecord = KeyRecord & { readonly key: ApiKey };

function revocationOf({ id, at, createdAt, key }: UsedRecord): KeyRecord {
  return { id, at: Math.max(Date.now(), at + 1), createdAt, name: key.name };
}

interface Known {
  readonly settings: RedisSettings;
  readonly records: readonly KeyRecord[];
}

function assertFree(name: string, { settings, records }: Known): void {
  const others = [
    ...records.flatMap(({ key }) => key ?? []),
    ...(settings.auth.keys ?? []),
  ];
  if (!others.some((key) => key.name === name)) return;
  throw new CliError(`There is a key ${name} already`, {
    advice: [
      `For a new text: deno task keys rotate ${name}`,
      `For other rights: deno task keys revoke ${name}, and create it again`,
    ],
  });
}

/** The key of a name, or else of an id. */
function inUse(name: string, { settings, records }: Known): UsedRecord {
  const [found, ...others] = matching(name, records);
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    throw new CliError(`Two processes have made a key ${name} at once`, {
      advice: [
        "Say which by its id:",
        ...[found, ...others].map((one) =>
          `${one.id}, created ${new Date(one.createdAt).toISOString()}`
        ),
      ],
    });
  }
  const isConfigured = settings.auth.keys?.some((key) => key.name === name || key.id === name);
  throw new CliError(`There is no key ${name} in Redis`, {
    advice: [
      isConfigured ? "It is in RUNNEL_KEYS: change it there" : "deno task keys list names them all",
    ],
  });
}

function matching(name: string, records: readonly KeyRecord[]): UsedRecord[] {
  const used = records.flatMap(({ key, ...record }) =>
    key === undefined ? [] : [{ ...record, key }]
  );
  const named = used.filter(({ key }) => key.name === name);
  return named.length > 0 ? named : used.filter(({ id }) => id === name);
}

/** Gives the key out, and says what to do with it where that is not read as the key. */
function handOut(
  { name, id, text }: { name: string; id: string; text: string },
  { settings, input, terminal }: {
    settings: RedisSettings;
    input: CommandInput;
    terminal: Terminal;
  },
): void {
  if (input.has("json")) return terminal.out(JSON.stringify({ name, id, key: text }));
  terminal.out(text);
  terminal.err("This key is not shown again. Show it to the server so:");
  terminal.err(`  curl -H "Authorization: Bearer <key>" -d Hello ${settings.url}/publish/<topic>`);
  terminal.err("  RUNNEL_TOKEN=<key> deno task publish <topic> Hello");
  if (settings.auth.keys !== undefined) return;
  terminal.err(terminal.style("yellow", "RUNNEL_AUTH does not name keys here:"));
  terminal.err("  servers take this key that are started with RUNNEL_AUTH=keys, or jwt,keys");
}

function wrongCall(problem: string): CliError {
  return new CliError(problem, {
    exitCode: 2,
    advice: [
      "deno task keys create <name> --publish <topics> …",
      "deno task keys list",
      "deno task keys rotate <name>",
      "deno task keys revoke <name>",
      "Help:  deno task keys --help",
    ],
  });
}
