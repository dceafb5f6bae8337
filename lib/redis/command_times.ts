import type { Redis } from "ioredis";
import type { CommandMetrics } from "../metrics/command_metrics.ts";
import { scriptName } from "./script.ts";

/** Notes how long each command of a client takes; what goes in a pipeline is waited for behind what goes before. */
export function measureCommands(client: Redis, metrics: CommandMetrics): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const times = metrics.of(kindOf(command));
    const begin = performance.now();
    command.promise.then(
      () => times.done(performance.now() - begin),
      (error) => {
        // it is sent again at once, and whole
        if (!`${error}`.includes("NOSCRIPT")) times.failed++;
      },
    );
    return send(command, stream);
  };
}

function kindOf({ name, args: [script] }: Parameters<Redis["sendCommand"]>[0]): string {
  return name === "evalsha" || name === "eval" ? scriptName(`${script}`) : name;
}
