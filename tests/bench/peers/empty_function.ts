/** The least that `deno serve` can serve: what a function's cold start is measured against. */
export default { fetch: () => new Response() } satisfies Deno.ServeDefaultExport;
