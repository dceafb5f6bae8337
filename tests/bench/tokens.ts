/** The tokens that publishers show in the benchmarks. */
import { token } from "../_support/credentials.ts";

/** What a token grants: not the first of it is what fits. */
const GRANTS = { publish: ["orders.**", "users.{sub}.**", "bench.*", "bench"], subscribe: ["**"] };

/** Tokens of as many subjects, signed with HS256 and good for an hour. */
export function tokensOf(publishers: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: publishers }, (_, i) => token(GRANTS, { sub: `${i}`, endsIn: 3_600 })),
  );
}

/** The header line that shows it. */
export function bearerLine(text: string): string {
  return `authorization: Bearer ${text}`;
}
