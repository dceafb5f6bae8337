import assert from "node:assert/strict";
import { parse } from "yaml";
import { PERSISTENCE } from "../lib/cli/redis/persistence.ts";
import { loadConfig, VARIABLES } from "../lib/config.ts";

/** The part of a compose service that is looked at here. */
interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** A compose file, as far as it is looked at here. */
interface Compose {
  readonly services: { readonly redis: Service; readonly functions: Service };
  readonly volumes: Readonly<Record<string, unknown>>;
}

// The file is ours: a shape that does not fit fails the tests below.
const compose = parse(await Deno.readTextFile("docker-compose.yml")) as Compose;
const { redis, functions } = compose.services;

Deno.test("docker-compose.yml runs Redis with the flags of the managed one", () => {
  assert.deepEqual(redis.command, ["redis-server", ...PERSISTENCE]);
});

Deno.test("docker-compose.yml keeps the data of Redis in a volume and waits until it is healthy", () => {
  assert.deepEqual(redis.volumes, ["redis-data:/data"]);
  assert.ok(redis.healthcheck?.test.join(" ").includes("redis-cli ping"));
  assert.equal(functions.depends_on?.redis?.condition, "service_healthy");
});

Deno.test("docker-compose.yml names every volume that a service uses", () => {
  const used = [...redis.volumes, ...functions.volumes]
    .map((volume) => volume.split(":")[0]!)
    .filter((name) => !name.startsWith("."));
  assert.deepEqual(used.sort(), Object.keys(compose.volumes).sort());
});

Deno.test("docker-compose.yml publishes ports on loopback only", () => {
  for (const port of [...redis.ports, ...functions.ports]) assert.match(port, /^127\.0\.0\.1:/);
});

Deno.test("docker-compose.yml gives the functions settings with which they answer", () => {
  const environment = functions.environment ?? {};
  const known: readonly string[] = VARIABLES.map(({ name }) => name);
  for (const name of Object.keys(environment)) assert.ok(known.includes(name), name);
  const config = loadConfig((name) => environment[name]);
  assert.deepEqual([config.server.host, config.server.port], ["0.0.0.0", 8000]);
  assert.deepEqual([config.redis?.[0]?.address.host, config.redis?.[0]?.address.port], [
    "redis",
    6379,
  ]);
  assert.deepEqual(config.auth, { mode: "open", allowOpen: true });
});

Deno.test("docker-compose.yml runs a file that is there, on the Deno that the README names", async () => {
  const file = functions.command.find((part) => part.endsWith(".ts"))!;
  assert.ok((await Deno.stat(file)).isFile);
  const version = functions.image.split(":")[1];
  assert.ok((await Deno.readTextFile("README.md")).includes(`deno@${version}`));
  assert.ok((await Deno.readTextFile(".ci/run")).includes(`DENO_VERSION=${version}`));
});
