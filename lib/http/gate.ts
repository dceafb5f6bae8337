import { isKeyText } from "../codec/api_key.ts";
import { RunnelError } from "../errors.ts";
import { type Cookie, cookiesOf } from "./cookies.ts";
import { CombinedIdentity } from "./combined_identity.ts";
import { EVERYBODY, type Identity } from "./identity.ts";
import type { JwtVerifier } from "./jwt_verifier.ts";
import type { KeyRing } from "./key_ring.ts";
import { cookieOf, isSessionCookie, type Session, type TicketOffice } from "./ticket_office.ts";

/** Who is let in. */
export interface GatePolicy {
  /** `none`: not configured, so every request is refused. `open`: everybody may do everything. */
  readonly mode: "none" | "open" | "credentials";
  /** Whether `open` was acknowledged for servers that others can reach. */
  readonly allowOpen: boolean;
  /** Whether the server is known to listen on a loopback address only. */
  readonly loopback: boolean;
}

/** What credentials are verified with; what is absent is not taken. */
export interface Verifiers {
  readonly jwt?: JwtVerifier;
  readonly keys?: KeyRing;
  readonly tickets?: TicketOffice;
}

/** What a request has to show. */
export interface Credentials {
  readonly authorization: string | null;
  readonly ticket: string | undefined;
  readonly cookie: string | null;
}

/** Somebody who was let in. */
export interface Admission {
  readonly identity: Identity;
  /** Whether a cookie alone did it, which a browser sends by itself, also for a page that must not use it. */
  readonly byCookie: boolean;
  /** Where a ticket was spent: the cookie that stands for it from now on. */
  readonly session?: Session;
}

/** The cookie in which an application hands a browser its token. */
const TOKEN_COOKIE = "runnel";
/** Cookies that are looked at. */
const COOKIES_MOST = 8;
const BEARER = /^bearer +([^\s]+) *$/i;

/** Lets requests in by what they have to show: the header wins over a ticket, that over cookies. */
export class Gate {
  readonly #policy: GatePolicy;
  readonly #verifiers: Verifiers;

  constructor(policy: GatePolicy, verifiers: Verifiers = {}) {
    this.#policy = policy;
    this.#verifiers = verifiers;
  }

  /** Whether anybody may do everything, or must show who they are. */
  get isOpen(): boolean {
    return this.#policy.mode !== "credentials";
  }

  /** Whether the server has a public name, so that any Host is answered. */
  get anyHost(): boolean {
    return this.#policy.mode === "credentials" || this.#policy.allowOpen;
  }

  /**
   * Who makes a request.
   *
   * @throws {RunnelError} `auth_not_configured` where nobody can be let in yet, `unauthenticated`, `invalid_token`, or
   * why the credential cannot be verified now.
   */
  admit(credentials: Credentials): Admission | Promise<Admission> {
    if (this.#policy.mode !== "credentials") {
      requireOpen(this.#policy);
      return { identity: EVERYBODY, byCookie: false };
    }
    const { authorization, ticket, cookie } = credentials;
    if (authorization !== null) {
      const identity = this.#bearer(authorization);
      return identity instanceof Promise
        ? identity.then((identity) => ({ identity, byCookie: false }))
        : { identity, byCookie: false };
    }
    const cookies = cookie === null ? [] : cookiesOf(cookie);
    if (ticket !== undefined) return this.#ticket(ticket, cookies);
    if (cookies.length > 0) return this.#cookies(cookies);
    throw unauthenticated();
  }

  #bearer(authorization: string): Identity | Promise<Identity> {
    const [, token] = BEARER.exec(authorization) ?? [];
    if (token === undefined) {
      throw new RunnelError("invalid_token", "The Authorization header is not Bearer and a token");
    }
    return this.#token(token);
  }

  #token(token: string): Identity | Promise<Identity> {
    const { jwt, keys } = this.#verifiers;
    if (isKeyText(token)) {
      if (keys === undefined) throw new RunnelError("invalid_token", "No API keys are taken here");
      return keys.identify(token);
    }
    if (jwt === undefined) {
      throw new RunnelError("invalid_token", "This is no API key, and nothing else is taken here");
    }
    return jwt.identify(token);
  }

  async #ticket(ticket: string, cookies: readonly Cookie[]): Promise<Admission> {
    const { tickets } = this.#verifiers;
    if (tickets === undefined) throw new RunnelError("invalid_token", "No tickets are taken here");
    const name = cookieOf(ticket);
    const cookie = cookies.find((one) => one.name === name);
    if (name !== undefined && cookie !== undefined) {
      return {
        identity: await tickets.resume({ cookie: name, value: cookie.value }),
        byCookie: true,
      };
    }
    const { identity, session } = await tickets.redeem(ticket);
    return { identity, byCookie: false, session };
  }

  /** The application's own cookie wins; else what was opened with tickets is one. */
  async #cookies(cookies: readonly Cookie[]): Promise<Admission> {
    const [own, another] = cookies.filter(({ name }) => name === TOKEN_COOKIE);
    if (another !== undefined) throw ambiguous();
    if (own !== undefined) return { identity: await this.#token(own.value), byCookie: true };
    const { tickets } = this.#verifiers;
    const sessions = cookies.filter(({ name }) => isSessionCookie(name)).slice(-COOKIES_MOST);
    if (tickets === undefined || sessions.length === 0) throw unauthenticated();
    const results = await Promise.allSettled(
      sessions.map(({ name: cookie, value }) => tickets.resume({ cookie, value })),
    );
    const identities = results.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const [first, ...others] = identities;
    if (first !== undefined) {
      const identity = others.length === 0 ? first : new CombinedIdentity(identities);
      return { identity, byCookie: true };
    }
    throw results.find((one) => one.status === "rejected")?.reason ?? unauthenticated();
  }
}

function requireOpen({ mode, allowOpen, loopback }: GatePolicy): void {
  if (mode === "none") {
    throw new RunnelError(
      "auth_not_configured",
      "No authentication is configured: set RUNNEL_AUTH to jwt, keys or both, or to open for a server that everybody may use",
    );
  }
  if (!allowOpen && !loopback) {
    throw new RunnelError(
      "auth_not_configured",
      "RUNNEL_AUTH=open lets in everybody who can reach this server: acknowledge that with RUNNEL_ALLOW_OPEN=1",
    );
  }
}

// a sibling domain may have set one, and neither order nor name tells which
function ambiguous(): RunnelError {
  return new RunnelError("invalid_token", `There are several cookies named ${TOKEN_COOKIE}`);
}

function unauthenticated(): RunnelError {
  return new RunnelError(
    "unauthenticated",
    "Show a token or an API key as Authorization: Bearer, or a ticket from POST /token as ?ticket=",
  );
}
