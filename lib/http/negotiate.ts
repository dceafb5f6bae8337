import { RunnelError } from "../errors.ts";
import { accepts } from "./std.ts";

/**
 * The media type among `offers` that the request's Accept header likes best; the first where it has none.
 *
 * @throws {RunnelError} `not_acceptable` where it accepts none of them.
 */
export function negotiate<const T extends string>(request: Request, offers: readonly T[]): T {
  const accept = request.headers.get("accept");
  const wanted = accept === null || accept === "*/*" ? offers[0] : accepts(request, ...offers);
  const found = offers.find((offer) => offer === wanted);
  if (found !== undefined) return found;
  throw new RunnelError("not_acceptable", `Can answer with: ${offers.join(", ")}`);
}
