import { createHmac } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { type Grants, grantsSchema, TOPIC_ACTIONS } from "../codec/grants.ts";
import { RunnelError } from "../errors.ts";
import { CLOCK_TOLERANCE_MS, EVERYBODY, GrantedIdentity, type Identity } from "./identity.ts";

/** What tickets need of Redis. */
export interface TicketStore {
  /**
   * What tickets are signed with, the same for all processes.
   *
   * @throws {RunnelError} Why it cannot be read.
   */
  secret(): Promise<string>;
  /**
   * Notes that a ticket was used, for so many milliseconds; false where it was before.
   *
   * @throws {RunnelError} Why it cannot be noted.
   */
  spend(id: string, ms: number): Promise<boolean>;
}

/** Options of {@link TicketOffice}. */
export interface TicketOfficeOptions {
  readonly store: TicketStore;
  /** The identity behind a `keyRef`. */
  readonly holderOf: (keyRef: string) => Promise<Identity>;
}

/** A ticket as its owner gets it. */
export interface Ticket {
  readonly ticket: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What a good ticket gives. */
export interface Redeemed {
  readonly identity: Identity;
  /** The cookie that stands for the ticket from now on. */
  readonly session: Session;
}

/** A cookie that stands for a ticket which was spent. */
export interface Session {
  readonly cookie: string;
  readonly value: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The longest that what a ticket has opened can be opened again, in milliseconds. */
const SESSION_MS = 86_400_000;
/** Patterns of a ticket together, in characters: its session must fit into a cookie. */
const GRANTS_LENGTH = 2_048;
const TICKET_LENGTH = 6_144;
const TICKET = "rn-ticket", SESSION = "rn-session";
const COOKIE = "runnel-";

const claimsSchema = z.object({
  jti: z.string().regex(/^[\w-]{22}$/),
  sub: z.string(),
  exp: z.number(),
  g: grantsSchema,
  /** When the credential ends that it was given for. */
  end: z.number().optional(),
  k: z.string().optional(),
});

type Claims = z.infer<typeof claimsSchema>;

/**
 * Tickets: credentials for places that can send no header, as a browser's EventSource. Each is used once; what it opened
 * can be opened again with the cookie that came with the answer, since EventSource comes back to the same URL.
 *
 * Both are signed with the deployment's secret, and give nothing that the credential behind them does not give any more.
 */
export class TicketOffice {
  readonly #options: TicketOfficeOptions;
  #key: { readonly secret: string; readonly bytes: Uint8Array } | undefined;

  constructor(options: TicketOfficeOptions) {
    this.#options = options;
  }

  /**
   * Issues a ticket for some of what an identity may do.
   *
   * @throws {RunnelError} `invalid_request` where that is too much for one, or why Redis cannot be reached.
   */
  async issue(
    { name, expiresAt, keyRef }: Identity,
    { grants, ttlMs }: { grants: Grants; ttlMs: number },
  ): Promise<Ticket> {
    if (JSON.stringify(grants).length > GRANTS_LENGTH) {
      const detail = `The patterns of a ticket have at most ${GRANTS_LENGTH} characters together`;
      throw new RunnelError("invalid_request", detail, { errors: [{ pointer: "#", detail }] });
    }
    const until = Math.min(Date.now() + ttlMs, expiresAt ?? Infinity);
    const ticket = await this.#sign(TICKET, {
      jti: randomId(),
      sub: name,
      exp: until / 1000,
      g: grants,
      ...(expiresAt === undefined ? {} : { end: expiresAt }),
      ...(keyRef === undefined ? {} : { k: keyRef }),
    });
    return { ticket, expiresAt: until };
  }

  /**
   * Takes a ticket, once.
   *
   * @throws {RunnelError} `invalid_token`, or why Redis cannot be reached.
   */
  async redeem(ticket: string): Promise<Redeemed> {
    const claims = await this.#verify(ticket, TICKET);
    const identity = await this.#identityOf(claims, claims.end);
    const ms = Math.max(1, Math.ceil(claims.exp * 1000 - Date.now()) + CLOCK_TOLERANCE_MS);
    if (!await this.#options.store.spend(claims.jti, ms)) throw refused();
    const ends = Math.min(claims.end ?? Infinity, Date.now() + SESSION_MS);
    const value = await this.#sign(SESSION, { ...claims, exp: ends / 1000 });
    return { identity, session: { cookie: COOKIE + claims.jti, value, expiresAt: ends } };
  }

  /**
   * Who a session's cookie is of.
   *
   * @throws {RunnelError} `invalid_token`, also where it is another ticket's that was put in its place, or why Redis
   * cannot be reached.
   */
  async resume({ cookie, value }: Pick<Session, "cookie" | "value">): Promise<Identity> {
    const claims = await this.#verify(value, SESSION);
    if (cookie !== COOKIE + claims.jti) throw refused();
    return await this.#identityOf(claims, claims.exp * 1000);
  }

  async #identityOf({ sub, g, k }: Claims, expiresAt: number | undefined): Promise<Identity> {
    // what was given while everybody was let in is of no use where that is over
    if (sub === EVERYBODY.name) throw refused();
    const holder = k === undefined ? undefined : await this.#options.holderOf(k);
    if (holder !== undefined && !hasAll(holder, g)) throw refused();
    return new GrantedIdentity({
      name: sub,
      grants: g,
      isTicket: true,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(holder?.revoked === undefined ? {} : { revoked: holder.revoked }),
      ...(k === undefined ? {} : { keyRef: k }),
    });
  }

  async #sign(typ: string, claims: JWTPayload): Promise<string> {
    const key = await this.#secret();
    return await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ }).sign(key);
  }

  async #verify(text: string, typ: string): Promise<Claims> {
    if (text.length > TICKET_LENGTH) throw refused();
    const key = await this.#secret();
    try {
      const { payload } = await jwtVerify(text, key, { algorithms: ["HS256"], typ });
      return claimsSchema.parse(payload);
    } catch (error) {
      const isInvalid = error instanceof errors.JOSEError || error instanceof z.ZodError;
      if (!isInvalid) throw error;
      throw refused(error);
    }
  }

  async #secret(): Promise<Uint8Array> {
    const secret = await this.#options.store.secret();
    if (this.#key?.secret !== secret) {
      // a key of its own, so that nothing else that is signed with the secret passes for a ticket
      this.#key = { secret, bytes: createHmac("sha256", secret).update("tickets").digest() };
    }
    return this.#key.bytes;
  }
}

/** Whether an identity may still do all that was granted: a key's grants can have been narrowed. */
function hasAll(identity: Identity, grants: Grants): boolean {
  return TOPIC_ACTIONS.every((action) =>
    (grants[action] ?? []).every((topic) => identity.may(action, topic))
  );
}

/** The name of the cookie that stands for a ticket; undefined for what is no ticket. It is not verified. */
export function cookieOf(ticket: string): string | undefined {
  const [, payload = ""] = ticket.split(".");
  try {
    const id = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))).jti;
    return typeof id === "string" && /^[\w-]{22}$/.test(id) ? COOKIE + id : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a cookie's name is one that stands for a ticket. */
export function isSessionCookie(name: string): boolean {
  return name.startsWith(COOKIE);
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");
}

function refused(cause?: unknown): RunnelError {
  const detail = "The ticket or its cookie was used already, has ended, or was never given";
  return new RunnelError("invalid_token", detail, cause === undefined ? {} : { cause });
}
