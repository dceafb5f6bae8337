import type { ApiError } from "./api.ts";

/** Why a credential is wanted, of the refusal that says so; without a final period. */
export function wantedText({ code, message }: ApiError): string {
  return code === "unauthenticated"
    ? "This server lets in whoever it knows"
    : `You are signed out: ${message}`;
}

/** Why one may not sign in with a credential, of whatever that may throw. */
export function refusedText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isRefused = "status" in error && error.status === 401;
  return isRefused ? `This key or token is not taken here: ${error.message}` : error.message;
}
