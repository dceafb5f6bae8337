/** What people use in place of Runnel, started by the bench itself. */
import type { FanOutPlan } from "../load/plan.ts";

/** A running server that hands messages to its subscribers. */
export interface Peer extends AsyncDisposable {
  /** How the load talks to it; the body is one message. */
  readonly plan: Pick<FanOutPlan, "port" | "publishPath" | "streamPath" | "streamKind" | "body">;
}

/** A program that a peer needs is not on this machine; the message says what, and how to get it. */
export class MissingPeerError extends Error {
  override readonly name = "MissingPeerError";
}

/** A peer that can be started under its name in the table. */
export interface NamedPeer {
  readonly name: string;
  readonly start: () => Promise<Peer>;
}

/** Starts a peer; where its program is missing, says so and returns undefined. */
export async function startIfThere(
  peer: NamedPeer,
  say: (text: string) => void,
): Promise<Peer | undefined> {
  try {
    return await peer.start();
  } catch (error) {
    if (!(error instanceof MissingPeerError)) throw error;
    say(`${peer.name} is left out: ${error.message}`);
    return undefined;
  }
}

/** Runs a program for what it prints on both its outputs; undefined where there is no such program. */
export async function outputOf(
  command: string,
  args: readonly string[],
): Promise<{ readonly success: boolean; readonly text: string } | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
