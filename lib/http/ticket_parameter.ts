const NAME = "ticket=";

/** A query (with its `?`, empty where there is none) without its ticket, which is no function's business, and the ticket. */
export function takeTicket(search: string): { search: string; ticket: string | undefined } {
  if (!search.includes(NAME)) return { search, ticket: undefined };
  const pairs = search.slice(1).split("&");
  const tickets = pairs.filter((pair) => pair.startsWith(NAME));
  const [first] = tickets;
  // one that is there twice stays, and is refused as what is not known
  if (first === undefined || tickets.length > 1) return { search, ticket: undefined };
  const others = pairs.filter((pair) => pair !== first).join("&");
  return { search: others === "" ? "" : `?${others}`, ticket: first.slice(NAME.length) };
}
