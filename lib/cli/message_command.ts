import { CliError } from "./cli_error.ts";
import type { WorkMessage } from "./worker.ts";

/** How a command ended. */
export interface CommandResult {
  readonly ok: boolean;
  /** What it wrote to stdout, where that was asked for. */
  readonly output: Uint8Array;
}

/**
 * Runs a command for a message: the payload is its standard input, what else there is to know stands in
 * `RUNNEL_MESSAGE_*`.
 *
 * @param options.capture whether its stdout is wanted; else it goes to ours
 * @param options.kill kills it
 * @throws {CliError} where there is no such command
 */
export async function runForMessage(
  message: WorkMessage,
  { command, capture, kill }: {
    command: readonly string[];
    capture: boolean;
    kill: AbortSignal;
  },
): Promise<CommandResult> {
  const [program = "", ...args] = command;
  const child = spawn(program, {
    args,
    env: environmentOf(message),
    stdin: "piped",
    stdout: capture ? "piped" : "inherit",
    stderr: "inherit",
    signal: kill,
  });
  const writer = child.stdin.getWriter();
  // one that does not read its input ends before all is written
  const written = writer.write(payloadOf(message)).then(() => writer.close()).catch(() => {});
  const output = capture ? await new Response(child.stdout).bytes() : new Uint8Array();
  const { success } = await child.status;
  await written;
  return { ok: success, output };
}

/** The payload as bytes: a string as it is, a binary one decoded, anything else as JSON. */
export function payloadOf({ data, dataBase64 }: WorkMessage): Uint8Array {
  if (dataBase64 !== undefined) return Uint8Array.fromBase64(dataBase64);
  return new TextEncoder().encode(typeof data === "string" ? data : JSON.stringify(data ?? null));
}

function spawn(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CliError(`Cannot run ${program}: there is no such command`, { cause: error });
  }
}

function environmentOf(message: WorkMessage): Record<string, string> {
  const all = {
    ID: message.id,
    TOPIC: message.topic,
    TIME: message.time,
    TYPE: message.type,
    KEY: message.key,
    DELIVERIES: `${message.deliveries}`,
    REPLY_TO: message.replyTo,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      // a NUL cannot stand in an environment
      value === undefined || value.includes("\0") ? [] : [[`RUNNEL_MESSAGE_${name}`, value]]
    ),
  );
}
