/** Reading a partition to its end through the broker's reader, page by page. */
import assert from "node:assert/strict";
import type { Floors, Gap, Page } from "../../lib/broker/page.ts";
import type { Reader } from "../../lib/broker/reader.ts";
import type { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { compareIds, formatId, type Id, latestId } from "../../lib/codec/id.ts";

/** What a whole reading gave. */
export interface ReadAll {
  /** The ids in the order in which they came. */
  readonly ids: string[];
  /** The data, likewise. */
  readonly data: unknown[];
  readonly gaps: Gap[];
  readonly pages: readonly Page[];
  readonly cursor: Id;
}

/** Reads from a cursor until nothing follows; fails where a reading gets nowhere. */
export async function readAll(
  reader: Reader,
  filter: TopicFilter,
  options: { cursor: Id; floors?: Floors; eachPage?: () => Promise<unknown> },
): Promise<ReadAll> {
  const pages: Page[] = [];
  let { cursor } = options;
  let bound = await reader.position(filter, cursor);
  while (compareIds(cursor, bound.clock) < 0 || pages.length === 0) {
    const page = await reader.page({ filter, cursor, bound, floors: options.floors });
    pages.push(page);
    bound = page.position;
    if (page.position.lost) break;
    cursor = latestId(page.cursor, page.batch.last ?? page.cursor);
    assert.ok(pages.length < 10_000, "the reading gets nowhere");
    await options.eachPage?.();
  }
  return {
    ids: pages.flatMap(({ batch }) => batch.ids.map(formatId)),
    data: pages.flatMap(({ batch }) => batch.messages.map(({ body }) => JSON.parse(body).data)),
    gaps: pages.flatMap(({ gaps }) => gaps),
    pages,
    cursor,
  };
}
