import {
  createRemoteJWKSet,
  customFetch,
  errors,
  importSPKI,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from "jose";
import { z } from "zod";
import { type Grants, grantsSchema, withSubject } from "../codec/grants.ts";
import { algorithmOf, type JwtAlgorithm } from "../codec/jwt_algorithm.ts";
import { RunnelError } from "../errors.ts";
import { fetchBounded } from "./bounded_fetch.ts";
import { CLOCK_TOLERANCE_MS, GrantedIdentity, type Identity } from "./identity.ts";

/** What tokens are verified with: one kind of key, so that none can pass for another. */
export type JwtKeySource =
  | { readonly secret: string }
  /** PEM texts; a token that any of them has signed is taken. */
  | { readonly publicKeys: readonly string[] }
  | { readonly jwksUrl: string };

/** Which tokens are taken. */
export interface JwtSettings {
  readonly source: JwtKeySource;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer?: string;
  /** Tokens that name an audience must name this one; without it they may name none. */
  readonly audience?: string;
}

/** Tokens that are known to be right: how many, and of how many characters together. */
const REMEMBERED = 10_000;
const REMEMBERED_LENGTH = 16_000_000;
/** How long, so that a key that leaves a key set is of no use soon. */
const REMEMBERED_MS = 600_000;
/** The longest token that is looked at, in characters. */
const TOKEN_LENGTH = 16_384;
const JWKS_TIMEOUT_MS = 3_000;
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_KEPT_MS = 600_000;
const JWKS_BYTES = 262_144;

const claimsSchema = z.object({
  sub: z.string().max(1_024).optional(),
  exp: z.number(),
  runnel: grantsSchema.default({}),
});

type Verify = (token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult<JWTPayload>>;

interface Remembered {
  readonly identity: Identity;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/**
 * Verifies JSON Web Tokens (RFC 7519) and reads what they grant from the claim `runnel`. A token that was verified is
 * known until it ends, or for ten minutes.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #known = new Map<string, Remembered>();
  #knownLength = 0;
  #verify: Promise<Verify> | undefined;

  constructor(settings: JwtSettings) {
    this.#settings = settings;
  }

  /**
   * Who a token is of.
   *
   * @throws {RunnelError} `invalid_token`, or `jwks_unavailable` where the key set cannot be had.
   */
  identify(token: string): Identity | Promise<Identity> {
    const known = this.#known.get(token);
    if (known !== undefined) {
      if (Date.now() < known.until) return known.identity;
      this.#forget(token);
    }
    return this.#identify(token);
  }

  async #identify(token: string): Promise<Identity> {
    if (token.length > TOKEN_LENGTH) throw refused("The token is too long");
    const identity = identityOf(await this.#claims(token));
    this.#remember(token, identity);
    return identity;
  }

  async #claims(token: string): Promise<JWTPayload> {
    const { algorithms, issuer, audience, source } = this.#settings;
    try {
      this.#verify ??= verifierOf(source, algorithms);
      const verify = await this.#verify;
      const { payload } = await verify(token, {
        algorithms: [...algorithms],
        clockTolerance: CLOCK_TOLERANCE_MS / 1000,
        requiredClaims: ["exp"],
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      // it is for somebody else, and nobody said that this is who is meant (RFC 7519, 4.1.3)
      if (audience === undefined && payload.aud !== undefined) {
        throw refused("The token is for an audience, and this server is not told which it is");
      }
      return payload;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  #remember(token: string, identity: Identity): void {
    // it may have been verified twice at once
    this.#forget(token);
    const until = Math.min(identity.expiresAt ?? Infinity, Date.now() + REMEMBERED_MS);
    this.#known.set(token, { identity, until });
    this.#knownLength += token.length;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED && this.#knownLength <= REMEMBERED_LENGTH) return;
      this.#forget(oldest);
    }
  }

  #forget(token: string): void {
    if (this.#known.delete(token)) this.#knownLength -= token.length;
  }
}

/** The identity of verified claims. */
function identityOf(payload: JWTPayload): Identity {
  const result = claimsSchema.safeParse(payload);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue?.path.map(String).join(".") ?? "";
    throw refused(`The token's claim ${where} is not valid: ${issue?.message ?? ""}`);
  }
  const { sub, exp, runnel } = result.data;
  return new GrantedIdentity({
    name: `jwt:${sub ?? ""}`,
    grants: grantsOf(runnel, sub),
    expiresAt: exp * 1000,
  });
}

function grantsOf(grants: Grants, subject: string | undefined): Grants {
  try {
    return withSubject(grants, subject);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refused(error.message);
  }
}

async function verifierOf(
  source: JwtKeySource,
  algorithms: readonly JwtAlgorithm[],
): Promise<Verify> {
  if ("secret" in source) {
    const key = new TextEncoder().encode(source.secret);
    return (token, options) => jwtVerify(token, key, options);
  }
  if ("jwksUrl" in source) {
    const keys = createRemoteJWKSet(new URL(source.jwksUrl), {
      timeoutDuration: JWKS_TIMEOUT_MS,
      cooldownDuration: JWKS_COOLDOWN_MS,
      cacheMaxAge: JWKS_KEPT_MS,
      [customFetch]: (url, init) => fetchBounded(url, { ...init, maxBytes: JWKS_BYTES }),
    });
    return (token, options) => jwtVerify(token, keys, options);
  }
  const keys = await Promise.all(source.publicKeys.map(async (pem) => {
    const algorithm = algorithmOf(pem);
    return { algorithm, key: await importSPKI(pem, algorithm ?? "RS256") };
  }));
  return async (token, options) => {
    let failure: unknown;
    for (const { algorithm, key } of keys) {
      try {
        // each key verifies what is made with its own algorithm, and nothing else
        const own = algorithms.filter((one) => one === algorithm);
        return await jwtVerify(token, key, { ...options, algorithms: own });
      } catch (error) {
        if (!isOtherKey(error)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };
}

function isOtherKey(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed;
}

function refusalOf(error: unknown): RunnelError {
  if (error instanceof RunnelError) return error;
  if (error instanceof errors.JWTExpired) return refused("The token has expired", error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused(`The token's claim ${error.claim} is not accepted`, error);
  }
  const isUnknownKey = error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  if (error instanceof errors.JOSEError && (isUnknownKey || !isKeySetFault(error))) {
    return refused("The token is not valid", error);
  }
  return new RunnelError("jwks_unavailable", undefined, { cause: error });
}

/** Whether the key set, and not the token, is to blame. */
function isKeySetFault(error: errors.JOSEError): boolean {
  // what answered with something else than a key set is told as the plain JOSEError
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid ||
    error.code === "ERR_JOSE_GENERIC";
}

function refused(detail: string, cause?: unknown): RunnelError {
  return new RunnelError("invalid_token", detail, cause === undefined ? {} : { cause });
}
