import { Broker } from "./broker/broker.ts";
import { type Config, loadConfig } from "./config.ts";
import { RunnelError } from "./errors.ts";
import { Gate, type GatePolicy } from "./http/gate.ts";
import type { HttpOptions } from "./http/handler.ts";
import { JwtVerifier } from "./http/jwt_verifier.ts";
import { KeyRing } from "./http/key_ring.ts";
import { createLimits, type Limits } from "./http/limits.ts";
import { TicketOffice } from "./http/ticket_office.ts";
import { createLogger, type Logger } from "./log.ts";
import { Metrics } from "./metrics/metrics.ts";
import { loadTracing, type Tracing } from "./metrics/tracing.ts";
import { Deployment } from "./redis/deployment.ts";
import { KeyStore } from "./redis/key_store.ts";

/** One instance of Runnel: what every function works with. */
export interface App {
  readonly config: Config;
  readonly log: Logger;
  readonly broker: Broker;
  /** What is counted of this instance's work. */
  readonly metrics: Metrics;
  /** Undefined where nobody collects spans. */
  readonly tracing: Tracing | undefined;
  /** What the HTTP handlers need of the configuration. */
  readonly http: HttpOptions;
  /** Issues tickets. */
  readonly tickets: TicketOffice;
  /** Keeps clients within limits. */
  readonly limits: Limits;
  /** Ends all streams with `$bye` and answers what is under way. */
  drain(): Promise<void>;
  /** Drains, and closes every connection. */
  close(): Promise<void>;
}

/** What only whoever runs the server can know. */
export interface AppOptions {
  /** Whether the server listens on a loopback address only. @default false */
  readonly loopback?: boolean;
  /** Makes spans of what is published and delivered. @default nobody collects any */
  readonly tracing?: Tracing | undefined;
}

/**
 * Puts an instance together. Nothing waits for Redis: what needs it says so when it is asked.
 *
 * @throws RunnelError `not_configured` where no Redis is configured
 */
export function createApp(config: Config, log: Logger, options: AppOptions = {}): App {
  const { loopback = false, tracing } = options;
  if (config.redis === undefined) {
    throw new RunnelError("not_configured", "No Redis is configured: set REDIS_URL");
  }
  const metrics = new Metrics();
  const deployment = new Deployment({
    shards: config.redis,
    prefix: config.prefix,
    partitions: config.partitions,
    log,
    metrics,
  });
  const broker = new Broker({
    deployment,
    metrics,
    tracing,
    log,
    prefix: config.prefix,
    retention: config.retention,
    idempotencyMs: config.idempotencyMs,
    backlogFactor: config.backlogFactor,
    heartbeatMs: config.stream.heartbeatMs,
  });
  const keys = new KeyRing({
    configured: config.auth.keys ?? [],
    source: new KeyStore({ deployment, prefix: config.prefix }),
    log,
  });
  const tickets = new TicketOffice({
    store: {
      secret: () => broker.secret(),
      spend: (id, ms) => broker.spendTicket(id, ms),
    },
    holderOf: (keyRef) => keys.holderOf(keyRef),
  });
  const gate = createGate(config.auth, { loopback, keys, tickets });
  let closing: Promise<void> | undefined;
  const close = async () => {
    keys[Symbol.dispose]();
    await broker[Symbol.asyncDispose]();
    await deployment[Symbol.asyncDispose]();
  };
  return {
    config,
    log,
    broker,
    metrics,
    tracing,
    http: { log, gate, corsOrigins: config.corsOrigins, metrics },
    tickets,
    limits: createLimits(config.limits, {
      take: (name, question) => broker.takePoints(name, question),
    }),
    drain: () => broker.drain(),
    close: () => closing ??= close(),
  };
}

function createGate(
  { mode, allowOpen, jwt, keys: configured }: Config["auth"],
  { loopback, keys, tickets }: { loopback: boolean; keys: KeyRing; tickets: TicketOffice },
): Gate {
  const policy: GatePolicy = { mode, allowOpen, loopback };
  return new Gate(policy, {
    ...(jwt === undefined ? {} : { jwt: new JwtVerifier(jwt) }),
    ...(configured === undefined ? {} : { keys }),
    tickets,
  });
}

/** How long whoever asks this process to stop waits before it is killed: hosts give five seconds. */
const STOP_MS = 4_500;
/** After the last answer was given, so that it also leaves. */
const FLUSH_MS = 200;

let configured: AppOptions | undefined;
let instance: Promise<App> | undefined;

/** Says what the server knows; before the first request, by whoever starts it and so stops it too. */
export function configureApp(options: AppOptions): void {
  configured = options;
}

/**
 * The instance of this isolate, made from the environment at its first use.
 *
 * @throws ConfigError with every problem of the environment
 */
export function app(): Promise<App> {
  return instance ??= create();
}

// a promise, so that a wrong configuration is answered at every request and found once
function create(): Promise<App> {
  return Promise.try(async () => {
    const config = loadConfig((name) => Deno.env.get(name));
    const runnel = createApp(config, createLogger({ level: config.logLevel }), {
      ...configured,
      tracing: await loadTracing(),
    });
    if (configured === undefined) stopOnSignals(runnel);
    return runnel;
  });
}

// under `deno serve` nobody else does: connections to Redis and open streams would keep the process for ever
function stopOnSignals(runnel: App): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => Deno.exit(1), STOP_MS);
    await runnel.close();
    setTimeout(() => Deno.exit(0), FLUSH_MS);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    try {
      Deno.addSignalListener(signal, stop);
    } catch (error) {
      runnel.log.debug("signal cannot be trapped here", { signal, error });
    }
  }
}
