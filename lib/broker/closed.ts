import { RunnelError } from "../errors.ts";

/** Why something takes nothing new any more. */
export type Closed = () => RunnelError;

/** Because the process ends. */
export const shuttingDown: Closed = () => new RunnelError("shutting_down");
