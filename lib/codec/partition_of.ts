/**
 * The partition of a topic among so many, a power of two, so that each partition of twice as many has all its topics
 * from one of them.
 *
 * A `{tag}` in the name decides alone, as in a Redis Cluster: topics with the same tag are in the same partition. So are
 * `$dead.X` and whatever else the system derives from a topic X.
 */
export function partitionOf(topic: string, partitions: number): number {
  return partitions === 1 ? 0 : hash(decisivePart(topic)) & (partitions - 1);
}

/** The partition of everything that a pattern can match, where its literal start says so; else undefined. */
export function partitionOfPattern(prefix: string, partitions: number): number | undefined {
  if (partitions === 1) return 0;
  const tag = tagOf(prefix);
  return tag === undefined ? undefined : partitionOf(prefix, partitions);
}

function decisivePart(topic: string): string {
  let name = topic;
  while (name.startsWith("$") && name.includes(".")) name = name.slice(name.indexOf(".") + 1);
  return tagOf(name) ?? name;
}

function tagOf(name: string): string | undefined {
  const open = name.indexOf("{");
  const close = name.indexOf("}", open + 1);
  return open >= 0 && close > open + 1 ? name.slice(open + 1, close) : undefined;
}

// FNV-1a over UTF-16 units with MurmurHash3's finalizer, which spreads what differs over all bits
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
