/** Why a stream cannot be had, or a request was refused. */
export interface StreamFault {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly text: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

const BYE: Readonly<Record<string, string>> = {
  time: "The server ended the stream, which had lasted as long as it may; it is opened again",
  shutdown: "The server is shutting down; the stream is opened again",
  moved: "The topic's partition has moved; the stream is opened again",
  auth_expired: "The credential that opened the stream has ended",
  auth_revoked: "The credential that opened the stream was taken back",
};

/** What a `$bye` says, in words. */
export function byeText(reason: string): string {
  return BYE[reason] ?? `The server ended the stream: ${reason}`;
}

const GAPS: Readonly<Record<string, string>> = {
  retention: "Messages are missing here: retention has removed them",
  deleted: "Messages are missing here: the topic was deleted",
  failover: "Messages are missing here: they were lost when another Redis took over",
};

/** What a `$gap` says, in words. */
export function gapText(reason: string): string {
  return GAPS[reason] ?? `Messages are missing here: ${reason}`;
}

/** What went wrong, of whatever a call may throw. */
export function faultOf(error: unknown): StreamFault {
  const text = error instanceof Error ? error.message : String(error);
  const { status, code, errors } = typeof error === "object" && error !== null
    ? error as Partial<StreamFault>
    : {};
  return {
    status: typeof status === "number" ? status : 0,
    code: typeof code === "string" ? code : "unknown",
    text,
    errors: Array.isArray(errors) ? errors : [],
  };
}
