/** HTTP/1.1 over a raw socket: requests are built beforehand and answers are only looked at as far as needed. */

const encoder = new TextEncoder();
const utf8 = new TextDecoder();
const latin1 = new TextDecoder("latin1");

/** The bytes of a POST with a JSON body, and with a header line of the caller's. */
export function postBytes(path: string, json: string, header = ""): Uint8Array {
  return requestBytes("POST", path, { json, header });
}

/** The bytes of a request with a JSON body. */
function requestBytes(
  method: string,
  path: string,
  { json, header }: { json: string; header: string },
): Uint8Array {
  const body = encoder.encode(json);
  const head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
    (header === "" ? "" : `${header}\r\n`) +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return concat(encoder.encode(head), body);
}

/** The bytes of a GET for an event stream, after the event with an id where one is given. */
export function streamBytes(path: string, lastEventId?: string): Uint8Array {
  return encoder.encode(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n` +
      (lastEventId === undefined ? "" : `last-event-id: ${lastEventId}\r\n`) + "\r\n",
  );
}

/** A keep-alive connection with one request in flight. */
export class HttpSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  #buffer = new Uint8Array(65_536);
  #size = 0;
  /** Of the last answer, until the next one; undefined where it came in chunks. */
  #body: Uint8Array | undefined;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to a port of this machine. */
  static async connect(port: number): Promise<HttpSocket> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    return new HttpSocket(connection);
  }

  /** Sends a request and waits for the whole answer; returns its status. @throws {Error} when the server hangs up. */
  async exchange(request: Uint8Array): Promise<number> {
    await writeAll(this.#connection, request);
    return await this.#answer();
  }

  /**
   * Sends several requests in one write and waits for all the answers, which come in order; returns how many were not 2xx.
   *
   * @throws {Error} when the server hangs up.
   */
  async pipeline(requests: Uint8Array, count: number): Promise<number> {
    await writeAll(this.#connection, requests);
    let failures = 0;
    for (let answered = 0; answered < count; answered++) {
      const status = await this.#answer();
      if (status < 200 || status > 299) failures++;
    }
    return failures;
  }

  /** Reads one answer; what came behind it stays in the buffer. */
  async #answer(): Promise<number> {
    const headEnd = await this.#find("\r\n\r\n", 0);
    const head = latin1.decode(this.#buffer.subarray(0, headEnd));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const noBody = head.startsWith("HTTP/1.1 204");
    let end = headEnd + Number(length ?? 0);
    if (noBody || length !== undefined) await this.#fill(end);
    else end = await this.#find("\r\n0\r\n\r\n", headEnd - 2);
    this.#body = length === undefined ? undefined : this.#buffer.subarray(headEnd, end);
    this.#buffer.copyWithin(0, end, this.#size);
    this.#size -= end;
    return Number(head.slice(9, 12));
  }

  /**
   * Sends a request, with a JSON body where there is one, and reads the JSON answer; the caller vouches for its type.
   *
   * @throws {Error} when the answer is not 2xx, or the server hangs up.
   */
  async ask<T>(path: string, json: unknown, method = "POST"): Promise<T> {
    const body = json === undefined ? "" : JSON.stringify(json);
    const status = await this.exchange(requestBytes(method, path, { json: body, header: "" }));
    const text = this.#body ? utf8.decode(this.#body) : "";
    if (status < 200 || status > 299) {
      throw new Error(`Cannot ${method} ${path}: ${status} ${text}`);
    }
    return JSON.parse(text || "null");
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  /** The offset just after `text`, which may still have to arrive. */
  async #find(text: string, from: number): Promise<number> {
    const wanted = encoder.encode(text);
    for (let start = from;;) {
      const at = indexOf(this.#buffer.subarray(0, this.#size), wanted, start);
      if (at >= 0) return at + wanted.length;
      start = Math.max(from, this.#size - wanted.length);
      await this.#fill(this.#size + 1);
    }
  }

  async #fill(size: number): Promise<void> {
    if (size > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(size, this.#buffer.length * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    while (this.#size < size) {
      const read = await this.#connection.read(this.#buffer.subarray(this.#size));
      if (read === null) throw new Error("Cannot read the answer: the server hung up");
      this.#size += read;
    }
  }
}

/** Writes all of it. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

function indexOf(haystack: Uint8Array, needle: Uint8Array, from: number): number {
  const [first] = needle;
  if (first === undefined) return from;
  for (let at = haystack.indexOf(first, from); at >= 0; at = haystack.indexOf(first, at + 1)) {
    if (needle.every((byte, index) => haystack[at + index] === byte)) return at;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
