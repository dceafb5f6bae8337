import assert from "node:assert/strict";
import { parse } from "yaml";
import { PERSISTENCE } from "../lib/cli/redis/persistence.ts";
import {
  CLUSTER_FLAGS,
  DATA_FLAGS,
  MASTER,
  QUORUM,
  REPLICATION_FLAGS,
  SENTINEL_SETTINGS,
} from "../lib/cli/topology/flags.ts";
import { loadConfig, VARIABLES } from "../lib/config.ts";
import { CERT, KEY } from "./_support/pem.ts";
import { range } from "./_support/fill.ts";

/** The part of a compose service that is looked at here. */
interface Service {
  readonly image: string;
  readonly hostname?: string;
  readonly command: readonly string[];
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?:
    | readonly string[]
    | Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: Readonly<Record<string, { readonly ipv4_address: string }>>;
}

/** A compose file, as far as it is looked at here. */
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

// The file is ours: a shape that does not fit fails the tests below.
const compose = parse(await Deno.readTextFile("docker-compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);

function service(name: string): Service {
  const found = compose.services[name];
  assert.ok(found !== undefined, name);
  return found;
}

/** The shell script that a service runs, as the shell gets it. */
function scriptOf(name: string): string {
  const [shell, option, text = ""] = service(name).command;
  assert.deepEqual([shell, option], ["sh", "-c"]);
  return text.replaceAll("$$", "$");
}

Deno.test("docker-compose.yml runs Redis with the flags of the managed one", () => {
  assert.deepEqual(service("redis").command, ["redis-server", ...PERSISTENCE]);
});

Deno.test("docker-compose.yml keeps the data of Redis in a volume and waits until it is healthy", () => {
  const { volumes, healthcheck } = service("redis");
  assert.deepEqual(volumes, ["redis-data:/data"]);
  assert.ok(healthcheck?.test.join(" ").includes("redis-cli ping"));
  assert.deepEqual(service("functions").depends_on, { redis: { condition: "service_healthy" } });
});

Deno.test("docker-compose.yml starts one Redis and Runnel alone where no profile is named", () => {
  const plain = services.filter(([, { profiles }]) => profiles === undefined);
  assert.deepEqual(plain.map(([name]) => name), ["redis", "functions"]);
});

Deno.test("docker-compose.yml names every volume that a service uses, and gives each Redis its own", () => {
  const used = services.flatMap(([, { volumes = [] }]) => volumes)
    .map((volume) => volume.split(":")[0] ?? "")
    .filter((name) => !name.startsWith("."));
  assert.deepEqual([...new Set(used)].sort(), Object.keys(compose.volumes).sort());
  const data = services.flatMap(([, { volumes = [] }]) =>
    volumes.filter((one) => one.endsWith(":/data"))
  );
  assert.equal(new Set(data).size, data.length);
  assert.equal(data.length, 1 + 3 + 3 + 6 + 1);
});

Deno.test("docker-compose.yml publishes ports on loopback only, each once", () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  assert.equal(new Set(ports.map((port) => port.split(":")[1])).size, ports.length);
});

Deno.test("docker-compose.yml gives the functions of each profile settings with which they answer", () => {
  const known: readonly string[] = VARIABLES.map(({ name }) => name);
  const addresses = ["", "-sentinel", "-cluster", "-tls"].map((kind) => {
    const { environment = {} } = service(`functions${kind}`);
    for (const name of Object.keys(environment)) assert.ok(known.includes(name), name);
    const config = loadConfig((name) => environment[name], pemOf);
    assert.deepEqual([config.server.host, config.server.port], ["0.0.0.0", 8000]);
    assert.deepEqual(config.auth, { mode: "open", allowOpen: true });
    return config.redis?.[0]?.address;
  });
  const [plain, sentinel, cluster, tls] = addresses;
  assert.deepEqual([plain?.host, plain?.port], ["redis", 6379]);
  assert.equal(sentinel?.sentinel?.master, MASTER);
  assert.deepEqual(
    sentinel?.sentinel?.endpoints,
    range(1, 4).map((i) => ({ host: `sentinel-${i}`, port: 26_379 })),
  );
  assert.deepEqual(
    cluster?.cluster?.map(({ host }) => host),
    range(1, 4).map((i) => addressOf(`cluster-${i}`)),
  );
  assert.deepEqual([tls?.host, tls?.tls], ["redis-tls", true]);
});

function pemOf(path: string | URL): string {
  return `${path}`.endsWith(".key") ? KEY : CERT;
}

function addressOf(name: string): string {
  return service(name).networks?.cluster?.ipv4_address ?? "";
}

Deno.test("docker-compose.yml runs a file that is there, on the Deno that the README names", async () => {
  const { command, image } = service("functions");
  const file = command.find((part) => part.endsWith(".ts")) ?? "";
  assert.ok((await Deno.stat(file)).isFile);
  const version = image.split(":")[1];
  assert.ok((await Deno.readTextFile("README.md")).includes(`deno@${version}`));
  assert.ok((await Deno.readTextFile(".ci/run")).includes(`DENO_VERSION=${version}`));
});

Deno.test("the Redis of the profile sentinel are set up as those of deno task redis sentinel", () => {
  const flags = [...DATA_FLAGS, ...REPLICATION_FLAGS, "--replica-announce-ip", "$HOSTNAME"];
  for (const i of range(1, 4)) {
    const name = `sentinel-data-${i}`;
    const [keep = "", start = ""] = scriptOf(name).replaceAll("\\\n", "").trim().split("\n");
    assert.match(keep, /^test -f \/data\/redis.conf \|\| echo "\$FIRST" > \/data\/redis.conf$/);
    assert.deepEqual(start.split(/ +/), [
      ...["exec", "docker-entrypoint.sh", "redis-server", "/data/redis.conf"],
      ...flags,
    ]);
    const { environment, hostname } = service(name);
    assert.deepEqual(environment, { FIRST: i === 1 ? "" : "replicaof sentinel-data-1 6379" });
    assert.equal(hostname, name);
  }
});

Deno.test("the Sentinels of the profile sentinel are told what those of deno task redis sentinel are", () => {
  for (const i of range(1, 4)) {
    const lines = scriptOf(`sentinel-${i}`).split("\n").filter((line) =>
      line.startsWith("sentinel ")
    );
    assert.deepEqual(lines.slice(3), [
      `sentinel monitor ${MASTER} sentinel-data-1 6379 ${QUORUM}`,
      ...SENTINEL_SETTINGS.map(([name, value]) => `sentinel ${name} ${MASTER} ${value}`),
    ]);
  }
  assert.ok(SENTINEL_SETTINGS.some((one) => `${one}` === "down-after-milliseconds,5000"));
  assert.ok(SENTINEL_SETTINGS.some((one) => `${one}` === "failover-timeout,10000"));
  assert.equal(QUORUM, 2);
});

Deno.test("the nodes of the profile cluster are set up as those of deno task redis cluster, and all of them joined", () => {
  const flags = ["redis-server", ...DATA_FLAGS, ...CLUSTER_FLAGS, ...REPLICATION_FLAGS];
  const names = range(1, 7).map((i) => `cluster-${i}`);
  for (const name of names) assert.deepEqual(service(name).command, flags);
  const joined = [...scriptOf("cluster-create").matchAll(/(\S+):6379/g)].map(([, host]) => host);
  assert.deepEqual(joined, names.map(addressOf));
  assert.deepEqual(service("cluster-create").depends_on, names);
});

Deno.test("the Redis of the profile tls speaks TLS alone and asks for a client's certificate", () => {
  const { command } = service("redis-tls");
  assert.deepEqual(command.slice(0, 1 + DATA_FLAGS.length), ["redis-server", ...DATA_FLAGS]);
  const flags = command.slice(1 + DATA_FLAGS.length).join(" ");
  assert.match(flags, /--port 0 --tls-port 6379 /);
  assert.match(flags, / --tls-auth-clients yes$/);
});

Deno.test("the certificates that the profile tls makes are good for its server and its client", async () => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-compose-" });
  try {
    const script = scriptOf("certificates").replaceAll("/certificates", dir)
      .replace("apk add --no-cache openssl", "true");
    await run("sh", ["-ec", script], dir);
    for (const [name, purpose] of [["server", "sslserver"], ["client", "sslclient"]]) {
      await run("openssl", [
        ...["verify", "-CAfile", "ca.crt", "-purpose", `${purpose}`, `${name}.crt`],
      ], dir);
    }
    const text = await run("openssl", ["x509", "-in", "server.crt", "-noout", "-text"], dir);
    assert.match(text, /DNS:redis-tls/);
    // those that are there stay
    const before = await Deno.readTextFile(`${dir}/client.crt`);
    await run("sh", ["-ec", script], dir);
    assert.equal(await Deno.readTextFile(`${dir}/client.crt`), before);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd })
    .output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, text + new TextDecoder().decode(stderr));
  return text;
}
