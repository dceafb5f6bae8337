const VALID = /^[A-Za-z0-9._-]{1,128}$/;

let start = "";
let count = 0;

/**
 * The request's id: the caller's own `x-request-id` where it is valid, else a new one. New ids are a random start per
 * process and a counter: unique, and cheaper than a random id each.
 */
export function requestIdOf(request: Request): string {
  const own = request.headers.get("x-request-id");
  if (own !== null && VALID.test(own)) return own;
  // Not at import: edge hosts give no randomness outside of a request.
  if (start === "") start = crypto.randomUUID().slice(0, 13);
  return `${start}-${(++count).toString(36)}`;
}
