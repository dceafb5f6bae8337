/** A partition that is to go to another shard. */
export interface Move {
  readonly partition: number;
  readonly to: string;
}

/**
 * Which partitions must move so that all are on the wanted shards, as many on each as on any other or one less; those
 * that can stay where they are do.
 *
 * @param places the shard of each partition
 */
export function balance(places: readonly string[], shards: readonly string[]): Move[] {
  const counts = new Map(shards.map((shard) => [shard, 0]));
  const least = Math.floor(places.length / shards.length);
  let larger = places.length - least * shards.length;
  const homeless: number[] = [];
  for (const [partition, shard] of places.entries()) {
    const count = counts.get(shard);
    const isFull = count === undefined || count > least || (count === least && larger === 0);
    if (isFull) homeless.push(partition);
    else {
      if (count === least) larger--;
      counts.set(shard, count + 1);
    }
  }
  return homeless.map((partition) => {
    const [to, count] = [...counts].reduce((best, one) => one[1] < best[1] ? one : best);
    counts.set(to, count + 1);
    return { partition, to };
  });
}
