/** The levels from most to least talkative; a logger writes its own level and those after it. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** What is said beside a message; secrets in it are masked. */
export type LogFields = Record<string, unknown>;

/** Writes one JSON object a line. No method ever throws. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** The lowest level written. @default "info" */
  readonly level?: LogLevel;
  /** Takes a finished line, without its line break. @default console.error, that is stderr */
  readonly write?: (line: string) => void;
}

const MASK = "***";
const SECRET_KEY = /password|passwd|token|secret|authorization|cookie|ticket/i;
// a scheme is looked for at its start alone: from each of its letters, a long word would take its length squared
const URL_PASSWORD = /(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/[^\s:/@"']*):([^\s/"']+)@/gi;
const PARAMETER = /([?&#]([^?&#=\s"']{1,100})=)[^&\s"']*/g;
/** What moves a terminal's cursor, or hides or turns round what follows. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const MAX_TEXT = 16_384;
const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

/**
 * Makes a logger of JSON lines: `{time, level, message, ...fields}`.
 * Errors become `{name, message, code, stack}` with their cause; passwords in URLs and values whose key names a
 * secret are masked; line breaks and whatever else is not printed are escaped, so one call is one line, and that line
 * is what it seems to be.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", write = (line: string) => console.error(line) } = options;
  const lowest = LOG_LEVELS.indexOf(level);
  const at = (rank: LogLevel) => (message: string, fields?: LogFields): void => {
    if (LOG_LEVELS.indexOf(rank) < lowest) return;
    try {
      write(formatLine(rank, message, fields));
    } catch {
      // A log that cannot be written must not take the request down with it.
    }
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A logger that adds `fields` to every line; a field given with the line wins. */
export function withFields(log: Logger, fields: LogFields): Logger {
  const at = (rank: keyof Logger) => (message: string, more?: LogFields): void =>
    log[rank](message, { ...fields, ...more });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** The text with the passwords of URLs and the values of secret query parameters masked. */
export function redact(text: string): string {
  return text.replace(URL_PASSWORD, `$1:${MASK}@`).replace(
    PARAMETER,
    (all, start: string, name: string) => SECRET_KEY.test(decoded(name)) ? start + MASK : all,
  );
}

/** A parameter's name as its reader sees it, which may have been written as `%74icket`. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function formatLine(level: LogLevel, message: string, fields: LogFields = {}): string {
  const time = new Date().toISOString();
  const line: LogFields = { time, level, message: safeText(message) };
  for (const [key, value] of Object.entries(fields)) {
    line[key in line ? `${key}_` : key] = safeField(key, value, 0);
  }
  return JSON.stringify(line).replace(UNPRINTABLE, escapeUnits);
}

function escapeUnits(character: string): string {
  return character.replace(
    /[^]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function safeText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return redact(short);
}

function safeField(key: string, value: unknown, depth: number): unknown {
  const masked = SECRET_KEY.test(key) && value !== undefined && value !== null;
  return masked ? MASK : safeValue(value, depth);
}

function safeValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return safeText(value);
    case "bigint":
    case "symbol":
    case "function":
      return String(value).slice(0, MAX_TEXT);
    case "object":
      return value === null ? null : safeObject(value, depth);
    default:
      return value;
  }
}

function safeObject(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) return "[…]";
  if (value instanceof Error) return safeError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ITEMS).map((item) => safeValue(item, depth + 1));
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, MAX_ITEMS).map(([key, item]) => {
      const name = String(key);
      return [name, safeField(name, item, depth + 1)];
    }),
  );
}

/** The own fields of an error are left out but for its code: libraries hang whole commands, arguments included, there. */
function safeError(error: Error, depth: number): unknown {
  return {
    name: error.name,
    message: safeText(error.message),
    ...("code" in error ? { code: safeValue(error.code, depth + 1) } : {}),
    ...(error.stack === undefined ? {} : { stack: safeText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: safeValue(error.cause, depth + 1) }),
  };
}
