/**
 * The parts of std/http that Runnel uses, typed: the package under that name ships no types, and here they are given
 * once. Where JSR can be relied on, the import map may point the same names at `jsr:@std/http`.
 */
// @ts-types="./std_http.d.ts"
export { setCookie } from "std/http/cookie";
// @ts-types="./std_http.d.ts"
export { accepts } from "std/http/negotiation";
// @ts-types="./std_http.d.ts"
export { STATUS_CODE } from "std/http/status";
// @ts-types="./std_http.d.ts"
export { ServerSentEventParseStream } from "std/http/server_sent_event_parse_stream";
