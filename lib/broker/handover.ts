import { RunnelError } from "../errors.ts";
import { rerouting } from "./rerouting.ts";

/** Ends a wait in a partition that was split; it goes on in the one that has the topic now. */
export class Handover<T> extends Error {
  override readonly name = "Handover";

  constructor(
    /** What it takes to go on. */
    readonly wait: T,
  ) {
    super("The wait goes on in another partition");
  }
}

/**
 * Makes a call that waits, and where its partition is split meanwhile, goes on in another one.
 *
 * @param call gets the wait that is to go on; nothing at first
 * @throws what the call throws otherwise
 */
export async function handingOver<T, W>(call: (wait?: W) => Promise<T>): Promise<T> {
  let wait: W | undefined;
  return await rerouting(async () => {
    try {
      return await call(wait);
    } catch (error) {
      if (!(error instanceof Handover)) throw error;
      // only the calls made here hand over, and what they are given
      wait = error.wait as W;
      throw new RunnelError("partition_split");
    }
  });
}
