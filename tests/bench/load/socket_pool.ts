/** Requests that are sent as they come, over a bounded number of connections. */
import { HttpSocket } from "./http_socket.ts";

const POOL = 32;

/** Connections that take the next request as they fall free; waiting counts as latency. */
export class SocketPool implements AsyncDisposable {
  /** Requests answered with 2xx. */
  answered = 0;
  readonly #free: HttpSocket[] = [];
  readonly #waiting: Uint8Array[] = [];
  readonly #busy = new Set<Promise<void>>();

  /** Opens the connections. */
  static async open(port: number): Promise<SocketPool> {
    const pool = new SocketPool();
    for (let n = 0; n < POOL; n++) pool.#free.push(await HttpSocket.connect(port));
    return pool;
  }

  /** Sends the request as soon as a connection is free. */
  send(request: Uint8Array): void {
    const socket = this.#free.pop();
    if (!socket) {
      this.#waiting.push(request);
      return;
    }
    const work = this.#work(socket, request).finally(() => this.#busy.delete(work));
    this.#busy.add(work);
  }

  async #work(socket: HttpSocket, first: Uint8Array): Promise<void> {
    for (let request: Uint8Array | undefined = first; request; request = this.#waiting.shift()) {
      const status = await socket.exchange(request);
      if (status < 200 || status > 299) throw new Error(`Cannot send: status ${status}`);
      this.answered++;
    }
    this.#free.push(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#busy);
    for (const socket of this.#free) socket[Symbol.dispose]();
  }
}
